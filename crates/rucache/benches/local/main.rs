//! A hit in the local tier, beside moka as one would use it by hand for the same job.

mod contenders;

use contenders::{RECORDS, Reader};
use rucache_testkit::{Contender, compare, nanos_each};

const ROUNDS: usize = 40;

/// Reads of a contender in a round.
const READS: usize = 200_000;

fn main() {
    if let Some(row) = std::env::args().skip(1).find(|argument| argument != "--bench") {
        return read_once(&row);
    }
    let readers = contenders::all();
    let (left, right) = (sequence(1), sequence(2));
    let about = format!(
        "nanoseconds a read; ratios to the first row, round by round ({ROUNDS} rounds of {READS} \
         random reads of {RECORDS} records)"
    );
    println!("<!-- begin local -->");
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
    println!("<!-- end local -->");
}

/// One round of the contender called `row`, for a profiler.
fn read_once(row: &str) {
    let readers = contenders::all();
    let reader = readers.iter().find(|reader| reader.name == row).expect("a row of the table");
    reader.read_all(&sequence(1));
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
