//! Rounds: every contender reads the same random sequence, in turn.

use std::fmt::Write as _;
use std::time::Instant;

use crate::Contender;
use crate::contenders::RECORDS;

/// Rounds that count; as many as a quarter of them go before, uncounted.
const ROUNDS: usize = 40;

/// Reads of a contender in a round.
const READS: usize = 200_000;

/// Nanoseconds a read, of each contender in each round.
type Figures = Vec<Vec<f64>>;

pub(crate) fn one_thread(contenders: &[Contender]) -> String {
    let sequence = sequence(1);
    let figures = measure(contenders, |contender| time(contender, &sequence));
    table("one thread", contenders, &figures)
}

pub(crate) fn two_threads(contenders: &[Contender]) -> String {
    let (left, right) = (sequence(1), sequence(2));
    let figures = measure(contenders, |contender| {
        std::thread::scope(|scope| {
            let other = scope.spawn(|| time(contender, &right));
            let own = time(contender, &left);
            f64::midpoint(own, other.join().expect("the other thread"))
        })
    });
    table("two threads at once, each", contenders, &figures)
}

fn measure(contenders: &[Contender], time: impl Fn(&Contender) -> f64) -> Figures {
    let mut figures = vec![Vec::with_capacity(ROUNDS); contenders.len()];
    for round in 0..ROUNDS + ROUNDS / 4 {
        for turn in 0..contenders.len() {
            // Another one begins each round.
            let at = (round + turn) % contenders.len();
            let taken = time(&contenders[at]);
            if round >= ROUNDS / 4 {
                figures[at].push(taken);
            }
        }
    }
    figures
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
#[expect(clippy::cast_precision_loss, reason = "nanoseconds of a round fit a double")]
fn time(contender: &Contender, sequence: &[usize]) -> f64 {
    let began = Instant::now();
    for at in sequence {
        (contender.read)(*at);
    }
    began.elapsed().as_nanos() as f64 / sequence.len() as f64
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

fn table(title: &str, contenders: &[Contender], figures: &Figures) -> String {
    let mut out = format!("A hit, {title}: nanoseconds a read; ratios to the first row, ");
    let _ = writeln!(out, "round by round ({ROUNDS} rounds of {READS} random reads).\n");
    out.push_str("| cache | min | median | max | ratio min | ratio median | ratio max |\n");
    out.push_str("|---|---|---|---|---|---|---|\n");
    for (contender, own) in contenders.iter().zip(figures) {
        let ratios: Vec<f64> =
            own.iter().zip(&figures[0]).map(|(own, first)| own / first).collect();
        let [min, median, max] = spread(own);
        let [low, middle, high] = spread(&ratios);
        let name = contender.name;
        let _ = writeln!(
            out,
            "| {name} | {min:.0} | {median:.0} | {max:.0} | {low:.2} | {middle:.2} | {high:.2} |"
        );
    }
    out
}

fn spread(figures: &[f64]) -> [f64; 3] {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    [sorted[0], sorted[sorted.len() / 2], sorted[sorted.len() - 1]]
}
