//! A shop's invalidation rules, read from TOML: which change in the database takes which figures
//! out of the cache.
//!
//! `cargo run -p rucache --example rules`

use rucache::core::rule::{Event, RuleSet};
use rucache::{Ttl, open};

const RULES: &str = r#"
[[rules]]
entity = "producto"
actions = ["saved", "deleted"]
remove.keys = ["estadisticas_ventas", "productos_vendidos", "lista_productos", "producto_{id}"]

[[rules]]
entity = "pedido"
actions = ["saved", "deleted"]
remove.keys = ["estadisticas_ventas", "metodos_pago"]

[[rules]]
entity = "usuario"
actions = ["saved", "deleted"]
changed = ["rol"]
remove.keys = ["estadisticas_usuarios"]
"#;

#[derive(serde::Deserialize)]
struct File {
    rules: RuleSet,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let File { rules } = toml::from_str(RULES)?;
    let cache = open("memory://").await?;
    for name in ["estadisticas_ventas", "estadisticas_usuarios", "producto_7", "producto_8"] {
        cache.set(name, &0, Ttl::secs(300)).await?;
    }

    let price = Event::new("producto", "updated", "7").field("precio", "89.90", "99.99");
    for applied in cache.apply(&rules, &price, None).await {
        println!(
            "{:7} {} ({:?})",
            applied.effect.kind.as_str(),
            applied.effect.target,
            applied.result?
        );
    }
    assert_eq!(cache.get::<i32>("producto_7").await?, None);
    assert_eq!(cache.get::<i32>("estadisticas_ventas").await?, None);
    assert_eq!(cache.get::<i32>("producto_8").await?, Some(0));

    // The language that somebody reads in is no concern of the statistics; a role is.
    let other_language = Event::new("usuario", "updated", "5").field("idioma", "es", "qu");
    assert!(cache.apply(&rules, &other_language, None).await.is_empty());
    let promoted = Event::new("usuario", "updated", "5").field("rol", "cliente", "admin");
    assert_eq!(cache.apply(&rules, &promoted, None).await.len(), 1);
    assert_eq!(cache.get::<i32>("estadisticas_usuarios").await?, None);
    Ok(())
}
