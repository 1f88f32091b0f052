//! The contract of a source: order of many answers, and whose silence counts.

use std::num::NonZeroUsize;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::FutureExt;
use rucache_ruc::{
    Answer, Cause, Coverage, Outcome, Provider, Ruc, Taxpayer, Unanswered, Unavailable,
};

fn ruc(digits: &str) -> Ruc {
    digits.parse().expect("a RUC")
}

/// Knows SUNAT and nobody else.
struct OnlySunat(Coverage);

#[async_trait]
impl Provider for OnlySunat {
    fn name(&self) -> &str {
        "only_sunat"
    }

    fn coverage(&self) -> Coverage {
        self.0
    }

    async fn lookup(&self, asked: Ruc) -> Answer {
        if asked == ruc("20131312955") {
            Answer::found(Taxpayer::builder(asked).build())
        } else {
            self.0.silence(asked)
        }
    }
}

#[test]
fn many_answers_come_in_the_order_of_the_questions() {
    let source: Box<dyn Provider> = Box::new(OnlySunat(Coverage::LegalEntities));
    let asked = ["20100038146", "20131312955", "10000000006", "20131312955"].map(ruc);
    let answers = source.lookup_many(&asked).now_or_never().expect("no waiting");
    let found = Answer::found(Taxpayer::builder(ruc("20131312955")).build());
    assert_eq!(answers, [Answer::NotFound, found.clone(), Answer::NotCovered, found]);
    assert_eq!(source.batch_limit(), NonZeroUsize::MIN);
    assert_eq!(source.lookup_many(&[]).now_or_never(), Some(Vec::new()));
}

#[test]
fn silence_is_absence_only_where_the_source_is_authoritative() {
    let entity = ruc("20100038146");
    let person = ruc("10000000006");
    assert_eq!(Coverage::Full.silence(person), Answer::NotFound);
    assert_eq!(Coverage::LegalEntities.silence(entity), Answer::NotFound);
    assert_eq!(Coverage::LegalEntities.silence(person), Answer::NotCovered);
    assert_eq!(Coverage::Partial.silence(entity), Answer::NotCovered);
}

#[test]
fn failure_becomes_unavailable_with_its_cause() {
    let refused = Unavailable::new(Cause::RateLimited).retry_after(Duration::from_secs(30));
    let outcome = Outcome::Unavailable(Unanswered::from(refused));
    assert_eq!(outcome.as_str(), "unavailable");
    let Outcome::Unavailable(unanswered) = outcome else { panic!("unavailable") };
    assert_eq!(unanswered.cause.as_str(), "rate_limited");
    assert_eq!(unanswered.retry_after, Some(Duration::from_secs(30)));
    assert_eq!(unanswered.stale, None);
}

#[test]
fn invalid_text_is_an_outcome_of_its_own() {
    let outcome = Outcome::from("20131312956".parse::<Ruc>().expect_err("a wrong digit"));
    let Outcome::Invalid(invalid) = &outcome else { panic!("invalid") };
    assert_eq!((outcome.as_str(), invalid.expected()), ("invalid", Some(5)));
    assert_eq!(outcome.record(), None);
}

#[test]
fn labels_of_causes_are_distinct() {
    let mut labels: Vec<_> = Cause::ALL.iter().map(|cause| cause.as_str()).collect();
    labels.sort_unstable();
    labels.dedup();
    assert_eq!(labels.len(), Cause::ALL.len());
}
