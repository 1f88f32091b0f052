//! Measures what an entry of the local tier takes besides its value, for `ENTRY_OVERHEAD`.
//!
//! `cargo run -p rucache-memory --example overhead -- 1000000`; one number of entries a run, as a
//! process gives little back.

use std::sync::Arc;

use rucache_core::{Deadlines, Key, Local, LocalEntry, Mono, ServiceName, Timestamp, Value};
use rucache_memory::{Capacity, LocalStore, MemoryConfig};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let entries: u32 = std::env::args().nth(1).as_deref().unwrap_or("1000000").parse()?;
    let store = LocalStore::new(&MemoryConfig::with_capacity(Capacity::bytes(1 << 40)));
    // One value for all, so that what is left is the store's.
    let value: Arc<dyn Value> = Arc::new(0_u8);
    fill(&store, &value, 0..1_000)?;

    let before = resident_bytes()?;
    let info = allocation_counter::measure(|| {
        if let Err(error) = fill(&store, &value, 1_000..entries + 1_000) {
            eprintln!("{error}");
        }
    });
    let resident = resident_bytes()?.saturating_sub(before);
    assert_eq!(store.usage().entries, u64::from(entries) + 1_000, "nothing is evicted");

    println!("LocalEntry: {} bytes, Key: {} bytes", size_of::<LocalEntry>(), size_of::<Key>());
    println!("{entries} entries");
    println!("  {} bytes asked for an entry", info.bytes_current / i64::from(entries));
    println!("  {} blocks an entry", info.count_current / i64::from(entries));
    println!("  {} bytes resident an entry", resident / u64::from(entries));
    Ok(())
}

fn fill(
    store: &LocalStore,
    value: &Arc<dyn Value>,
    numbers: std::ops::Range<u32>,
) -> Result<(), Box<dyn std::error::Error>> {
    let migo = ServiceName::new("migo")?;
    let never = Mono::NEVER;
    let deadlines = Deadlines { loaded: Mono::default(), early: never, soft: never, hard: never };
    for number in numbers {
        let key = Key::of_kind(&migo, "ruc", 20_000_000_000 + u64::from(number))?;
        store.insert(key, LocalEntry::new(value.clone(), Timestamp::default(), deadlines, 0));
    }
    store.usage();
    Ok(())
}

/// Resident bytes of this process, from Linux.
fn resident_bytes() -> Result<u64, Box<dyn std::error::Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    let kib: u64 = line.split_ascii_whitespace().next().ok_or("no number")?.parse()?;
    Ok(kib * 1024)
}
