//! A hit in the process's own memory, in rucache and in other caches, in one run.

mod loading;
mod ours;
mod reader;
mod record;
mod stores;

use rucache_testkit::{Contender, compare, nanos_each};

use reader::Reader;
use record::RECORDS;

const ROUNDS: usize = 20;

/// Reads of a contender in a round.
const READS: usize = 50_000;

fn main() {
    record::check_len();
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(1).enable_all().build().expect("a tokio runtime");
    let mut readers = stores::all(runtime.handle());
    readers.extend(ours::all(runtime.handle()));
    readers.extend(loading::all(runtime.handle()));
    let (left, right) = (sequence(1), sequence(2));
    let about = format!(
        "nanoseconds a read; ratios to the first row, round by round ({ROUNDS} rounds of {READS} \
         random reads of {RECORDS} records of about 500 bytes as JSON)"
    );
    println!("<!-- begin peers -->");
    let mut contenders: Vec<_> = readers
        .iter()
        .map(|reader| Contender::timed(reader.name, READS, || reader.read_all(&left)))
        .collect();
    println!("A hit, one thread: {about}.\n\n{}", compare(ROUNDS, 1.0, &mut contenders));
    let mut contenders: Vec<_> = readers
        .iter()
        .map(|reader| Contender::new(reader.name, || on_two_threads(reader, &left, &right)))
        .collect();
    println!(
        "A hit, two threads at once, each: {about}.\n\n{}",
        compare(ROUNDS, 1.0, &mut contenders)
    );
    println!("<!-- end peers -->");
}

fn on_two_threads(reader: &Reader, left: &[usize], right: &[usize]) -> f64 {
    let time = |sequence| nanos_each(READS, &mut || reader.read_all(sequence));
    std::thread::scope(|scope| {
        let other = scope.spawn(|| time(right));
        let own = time(left);
        f64::midpoint(own, other.join().expect("the other thread"))
    })
}

/// Places of records in a random order, the same for the same seed.
fn sequence(seed: u64) -> Vec<usize> {
    let mut state = seed;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % RECORDS as u64).expect("a place")
    };
    (0..READS).map(|_| next()).collect()
}
