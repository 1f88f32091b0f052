//! Measures what entries and members take besides their values: the constants that the stores
//! charge.
//!
//! `cargo run -p rucache-memory --example overhead -- local 1000000`, then with `backend` and with
//! `map`; one measurement a run, as a process gives little back.

use std::error::Error;
use std::ops::Range;
use std::sync::Arc;

use rucache_core::{
    Backend, BackendExt, Deadlines, Key, Local, LocalEntry, MapEntry, Mono, TestRuntime, Timestamp,
    Ttl,
};
use rucache_memory::{Capacity, LocalStore, MemoryBackend, MemoryConfig};

/// Bytes of a value, and of a member's note, which are not overhead.
const VALUE: [u8; 500] = [7; 500];
const NOTE: [u8; 24] = [7; 24];

fn main() -> Result<(), Box<dyn Error>> {
    let what = std::env::args().nth(1).unwrap_or("local".into());
    let number: u32 = std::env::args().nth(2).as_deref().unwrap_or("1000000").parse()?;
    println!("LocalEntry: {} bytes, Key: {} bytes", size_of::<LocalEntry>(), size_of::<Key>());

    let roomy = MemoryConfig::with_capacity(Capacity::bytes(1 << 40));
    let runtime = TestRuntime::new(1);
    match what.as_str() {
        "local" => {
            let store = LocalStore::new(&roomy);
            measure(number, VALUE.len(), |numbers| fill_local(&store, numbers))
        }
        "backend" => {
            let backend = MemoryBackend::new(&roomy, Arc::new(runtime.clone()));
            measure(number, VALUE.len(), |numbers| fill_backend(&backend, &runtime, numbers))
        }
        "map" => {
            let backend = MemoryBackend::new(&roomy, Arc::new(runtime.clone()));
            measure(number, NOTE.len() + 11, |numbers| fill_map(&backend, &runtime, numbers))
        }
        _ => Err("measure local, backend or map".into()),
    }
}

fn measure(
    number: u32,
    payload: usize,
    fill: impl Fn(Range<u32>) -> Result<(), Box<dyn Error>>,
) -> Result<(), Box<dyn Error>> {
    fill(0..1_000)?;
    let before = resident_bytes()?;
    let mut filled = Ok(());
    let info = allocation_counter::measure(|| filled = fill(1_000..number + 1_000));
    filled?;
    let resident = resident_bytes()?.saturating_sub(before);
    let asked = info.bytes_current / i64::from(number) - i64::try_from(payload)?;
    println!("{number} filled in, each besides its payload of {payload} bytes:");
    println!("  {asked} bytes asked for in {} blocks", info.count_current / i64::from(number));
    println!("  {} bytes resident", resident / u64::from(number) - payload as u64);
    Ok(())
}

fn fill_local(store: &LocalStore, numbers: Range<u32>) -> Result<(), Box<dyn Error>> {
    let never = Mono::NEVER;
    let deadlines = Deadlines { loaded: Mono::default(), early: never, soft: never, hard: never };
    for number in numbers.clone() {
        let value = Arc::new(VALUE.to_vec());
        let entry = LocalEntry::new(value, Timestamp::default(), deadlines, 0);
        store.insert(key(number)?, entry);
    }
    assert_eq!(store.usage().entries, u64::from(numbers.end), "nothing is evicted");
    Ok(())
}

fn fill_backend(
    backend: &MemoryBackend,
    runtime: &TestRuntime,
    numbers: Range<u32>,
) -> Result<(), Box<dyn Error>> {
    for number in numbers.clone() {
        let key = key(number)?;
        runtime.block_on(backend.set(&key, VALUE.to_vec().into(), Ttl::MAX))?;
        // What was read once has one block more.
        runtime.block_on(backend.get(&key))?.ok_or("nothing is evicted")?;
    }
    let items = runtime.block_on(backend.info())?.items;
    assert_eq!(items, Some(numbers.end.into()), "nothing is evicted");
    Ok(())
}

fn fill_map(
    backend: &MemoryBackend,
    runtime: &TestRuntime,
    numbers: Range<u32>,
) -> Result<(), Box<dyn Error>> {
    let map = Key::parse("migo:invalid")?;
    for number in numbers {
        let member = (20_000_000_000 + u64::from(number)).to_string();
        let expires = Timestamp::from_millis(u64::from(number.wrapping_mul(2_654_435_761)));
        let entry = MapEntry { member, note: NOTE.to_vec().into(), expires };
        runtime.block_on(backend.map_put(&map, &[entry], Timestamp::default()))?;
    }
    Ok(())
}

fn key(number: u32) -> Result<Key, Box<dyn Error>> {
    Ok(Key::parse(&format!("migo:ruc_{}", 20_000_000_000 + u64::from(number)))?)
}

/// Resident bytes of this process, from Linux.
fn resident_bytes() -> Result<u64, Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    let kib: u64 = line.split_ascii_whitespace().next().ok_or("no number")?.parse()?;
    Ok(kib * 1024)
}
