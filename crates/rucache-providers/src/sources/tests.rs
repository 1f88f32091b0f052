//! Tests of `sources`.

use std::sync::Mutex;
use std::time::Duration;

use rucache_core::TestRuntime;
use rucache_ruc::{Field, Taxpayer};

use super::*;

/// A source that says the same to everything.
struct Says {
    name: &'static str,
    answer: Answer,
    rate: Reply<ExchangeRate>,
    is_metered: bool,
    asked: Mutex<Vec<Ruc>>,
}

#[async_trait]
impl Provider for Says {
    fn name(&self) -> &str {
        self.name
    }
    fn coverage(&self) -> Coverage {
        Coverage::Full
    }
    fn batch_limit(&self) -> NonZeroUsize {
        if self.is_metered { NonZeroUsize::MIN } else { NonZeroUsize::MAX }
    }
    async fn lookup(&self, ruc: Ruc) -> Answer {
        self.asked.lock().unwrap().push(ruc);
        match &self.answer {
            // It has the records of even numbers only.
            Answer::Found { .. } if ruc.as_u64() % 2 == 1 => Answer::NotCovered,
            Answer::Found { .. } => {
                Answer::found(Taxpayer::builder(ruc).set(Field::Ubigeo, "150101").build())
            }
            other => other.clone(),
        }
    }
    async fn exchange_rate(&self, _: RateQuery) -> Reply<ExchangeRate> {
        self.rate.clone()
    }
    async fn quote(&self, rucs: &[Ruc]) -> Vec<Quote> {
        let calls = if self.is_metered { rucs.len() as u64 } else { 0 };
        vec![Quote { source: self.name.into(), numbers: rucs.len(), calls }]
    }
}

fn says(name: &'static str, answer: Answer) -> Arc<Says> {
    let asked = Mutex::default();
    Arc::new(Says { name, answer, rate: Reply::NotCovered, is_metered: true, asked })
}

fn has_even(name: &'static str) -> Arc<Says> {
    says(name, Answer::found(Taxpayer::builder(even()).build()))
}

fn even() -> Ruc {
    // 20000000028
    (0..).find_map(|n| Ruc::try_from(20_000_000_000 + 2 * n).ok()).unwrap()
}

fn odd() -> Ruc {
    (0..).find_map(|n| Ruc::try_from(20_000_000_001 + 2 * n).ok()).unwrap()
}

fn down(cause: Cause, seconds: u64) -> Answer {
    Answer::Unavailable(Unavailable::new(cause).retry_after(Duration::from_secs(seconds)))
}

fn chain(members: &[&Arc<Says>]) -> Sources {
    Sources::new(members.iter().map(|member| (*member).clone() as Arc<dyn Provider>).collect())
}

/// One answer, the same singly and among many.
fn ask(sources: &Sources, ruc: Ruc) -> Answer {
    let runtime = TestRuntime::new(1);
    let single = runtime.block_on(sources.lookup(ruc));
    let many = runtime.block_on(sources.lookup_many(&[ruc, ruc]));
    assert_eq!(many, [single.clone(), single.clone()]);
    single
}

#[test]
fn first_source_that_knows_answers_under_its_own_name() {
    let (register, migo) = (has_even("register"), has_even("migo"));
    let sources = chain(&[&register, &migo]);
    let Answer::Found { source, .. } = ask(&sources, even()) else { panic!("it is there") };
    assert_eq!(source.as_deref(), Some("register"));
    assert!(migo.asked.lock().unwrap().is_empty());
    assert_eq!(sources.name(), "register+migo");
}

#[test]
fn source_that_cannot_know_or_is_down_hands_over() {
    let sample = says("sample", Answer::NotCovered);
    let migo = says("migo", down(Cause::Timeout, 1));
    let sources = chain(&[&sample, &migo, &has_even("decolecta")]);
    let Answer::Found { source, .. } = ask(&sources, even()) else { panic!("it is there") };
    assert_eq!(source.as_deref(), Some("decolecta"));
}

#[test]
fn authoritative_absence_ends_the_search() {
    let (register, migo) = (says("register", Answer::NotFound), has_even("migo"));
    assert_eq!(ask(&chain(&[&register, &migo]), even()), Answer::NotFound);
    assert!(migo.asked.lock().unwrap().is_empty());
    let broken = says("migo", down(Cause::Failed, 1));
    assert_eq!(ask(&chain(&[&broken, &register]), even()), Answer::NotFound);
}

#[test]
fn nobody_knowing_is_no_absence() {
    let sample = says("sample", Answer::NotCovered);
    assert_eq!(ask(&chain(&[&sample, &has_even("migo")]), odd()), Answer::NotCovered);
    let migo = says("migo", down(Cause::RateLimited, 30));
    let decolecta = says("decolecta", down(Cause::Denied, 5));
    // The first cause, the earliest moment.
    let expected = down(Cause::RateLimited, 5);
    assert_eq!(ask(&chain(&[&sample, &migo, &decolecta]), odd()), expected);
    assert_eq!(ask(&chain(&[]), odd()), Answer::NotCovered);
}

#[test]
fn only_what_is_still_open_goes_to_the_next() {
    let (register, migo) = (has_even("register"), says("migo", Answer::NotFound));
    let sources = chain(&[&register, &migo]);
    let answers = TestRuntime::new(1).block_on(sources.lookup_many(&[even(), odd()]));
    assert!(matches!(answers[0], Answer::Found { .. }));
    assert_eq!(answers[1], Answer::NotFound);
    assert_eq!(*migo.asked.lock().unwrap(), [odd()]);
}

#[test]
fn quote_counts_free_answers_before_calls() {
    let register = Says { is_metered: false, ..Arc::into_inner(has_even("register")).unwrap() };
    let (register, migo) = (Arc::new(register), says("migo", Answer::NotFound));
    let sources = chain(&[&register, &migo, &has_even("decolecta")]);
    let quotes = TestRuntime::new(1).block_on(sources.quote(&[even(), odd(), odd()]));
    let row = |source: &str, numbers, calls| Quote { source: source.into(), numbers, calls };
    assert_eq!(quotes, [row("register", 1, 0), row("migo", 2, 2)]);
    assert!(migo.asked.lock().unwrap().is_empty());
}

#[test]
fn rate_that_one_lacks_is_asked_of_the_next() {
    let rate = ExchangeRate {
        day: "2026-01-28".parse().unwrap(),
        currency: rucache_ruc::Currency::Usd,
        buy: "3.740".parse().unwrap(),
        sell: "3.752".parse().unwrap(),
    };
    let with =
        |rate| Arc::new(Says { rate, ..Arc::into_inner(says("x", Answer::NotCovered)).unwrap() });
    let query = RateQuery { currency: rate.currency, day: Some(rate.day) };
    let ask =
        |members: &[&Arc<Says>]| TestRuntime::new(1).block_on(chain(members).exchange_rate(query));
    let trouble = Unavailable::new(Cause::Timeout);
    let (found, none) = (with(Reply::Found(rate)), with(Reply::NotFound));
    let (broken, without) = (with(Reply::Unavailable(trouble)), with(Reply::NotCovered));
    assert_eq!(ask(&[&without, &broken, &none, &found]), Reply::Found(rate));
    assert_eq!(ask(&[&without, &none]), Reply::NotFound);
    assert_eq!(ask(&[&broken, &none]), Reply::Unavailable(trouble));
    assert_eq!(ask(&[&without]), Reply::NotCovered);
}
