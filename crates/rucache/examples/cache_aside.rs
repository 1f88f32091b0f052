//! Cache-aside without a RUC in sight: features `memory` alone.
//! `cargo run -p rucache --no-default-features --features memory --example cache_aside`

use rucache::{Policy, Ttl};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Ventas {
    ventas_por_mes: Vec<u32>,
}

async fn from_the_database() -> Result<Ventas, std::io::Error> {
    println!("asking the database");
    Ok(Ventas { ventas_por_mes: vec![12, 7, 31] })
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let cache = rucache::open("memory://?capacity=64MiB").await?;
    // Fresh for five minutes; an hour longer as a fallback, should the database be down.
    let policy = Policy::exact(Ttl::secs(300)).with_stale(Ttl::MEDIUM);
    for _ in 0..3 {
        let ventas: Ventas =
            cache.get_or_load("estadisticas_ventas", policy, from_the_database).await?;
        println!("{:?}", ventas.ventas_por_mes);
    }
    // The signal that a sale was made.
    cache.delete("estadisticas_ventas").await?;
    Ok(())
}
