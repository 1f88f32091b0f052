//! Invalidation from a database change: the change and the note about it are committed together, and
//! a relay tells the cache afterwards.
//!
//! A process that dies between the commit and the cache leaves its note behind; telling twice does
//! no harm. `cargo run -p rucache --example database`

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use rucache::core::rule::{Event, RuleSet};
use rucache::engine::Written;
use rucache::{Cache, Ttl, open};

const RULES: &str = r#"
[[rules]]
entity = "producto"
actions = ["saved", "deleted"]
remove.keys = ["estadisticas_ventas", "lista_productos", "producto_{id}"]
"#;

#[derive(serde::Deserialize)]
struct File {
    rules: RuleSet,
}

/// Stands for tables `producto` and `outbox` of one database.
#[derive(Default)]
struct Database(Mutex<Tables>);

#[derive(Default)]
struct Tables {
    prices: BTreeMap<u32, String>,
    outbox: Vec<Event>,
}

impl Database {
    /// `BEGIN; UPDATE producto …; INSERT INTO outbox …; COMMIT`
    fn change_price(&self, id: u32, new: &str) {
        let mut tables = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let old = tables.prices.insert(id, new.to_owned());
        let event = Event::new("producto", "saved", id.to_string()).field("precio", old, new);
        tables.outbox.push(event);
    }

    /// `SELECT precio FROM producto WHERE id = …`
    fn price(&self, id: u32) -> Option<String> {
        let tables = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        println!("the database is asked for producto {id}");
        tables.prices.get(&id).cloned()
    }

    /// `SELECT … FROM outbox ORDER BY id LIMIT 1`
    fn oldest_note(&self) -> Option<Event> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).outbox.first().cloned()
    }

    /// `DELETE FROM outbox WHERE id = …`
    fn forget_oldest_note(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).outbox.remove(0);
    }
}

/// Tells the cache of every change, in order; ends where the cache's server has not confirmed one.
async fn relay(database: &Database, cache: &Cache, rules: &RuleSet) {
    while let Some(event) = database.oldest_note() {
        for applied in cache.apply(rules, &event, None).await {
            let effect = &applied.effect;
            println!("{} {}: {:?}", effect.kind.as_str(), effect.target, applied.result);
            if !matches!(applied.result, Ok(Written::Done)) {
                return;
            }
        }
        database.forget_oldest_note();
    }
}

async fn price(
    database: &Arc<Database>,
    cache: &Cache,
    id: u32,
) -> Result<String, rucache::CacheError> {
    // A load outlives a caller that leaves, so it owns what it needs.
    let database = Arc::clone(database);
    let load = move || async move {
        database.price(id).ok_or_else(|| std::io::Error::other("there is no such row"))
    };
    cache.get_or_load(&format!("producto_{id}"), Ttl::MEDIUM, load).await
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let File { rules } = toml::from_str(RULES)?;
    let (database, cache) = (Arc::new(Database::default()), open("memory://").await?);
    database.change_price(7, "89.90");
    relay(&database, &cache, &rules).await;
    assert_eq!(price(&database, &cache, 7).await?, "89.90");

    database.change_price(7, "99.99");
    assert_eq!(price(&database, &cache, 7).await?, "89.90", "nobody has told the cache yet");
    relay(&database, &cache, &rules).await;
    assert_eq!(price(&database, &cache, 7).await?, "99.99");
    assert!(database.oldest_note().is_none());
    Ok(())
}
