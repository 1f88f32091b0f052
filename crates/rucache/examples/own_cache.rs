//! A cache of one's own from single crates: the engine, on a memory of its own size.

use std::sync::Arc;
use std::time::Duration;

use rucache::core::{CacheEvent, Observer};
use rucache::engine::{Cache, Timing};
use rucache::memory::{Capacity, LocalStore, MemoryConfig};
use rucache::{ServiceName, Ttl};

/// Prints what happens; a program would count.
struct Printer;

impl Observer for Printer {
    fn record(&self, event: &CacheEvent<'_>) {
        println!("{event:?}");
    }
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let memory = LocalStore::new(&MemoryConfig::with_capacity(Capacity::bytes(8 << 20)));
    let mut timing = Timing::default();
    timing.load_deadline = Duration::from_secs(2);
    let cache =
        Cache::builder(Arc::new(memory)).timing(timing).observer(Arc::new(Printer)).build()?;
    let invoices = cache.service(&"nubefact".parse::<ServiceName>()?);
    invoices.set("invoice_INV-001", "accepted", Ttl::LONG).await?;
    let invoice: Option<String> = invoices.get("invoice_INV-001").await?;
    println!("{invoice:?}");
    Ok(())
}
