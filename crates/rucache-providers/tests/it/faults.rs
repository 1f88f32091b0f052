//! A minute of trouble, and what comes after it.

use std::time::Duration;

use rucache_core::breaker::CircuitState;
use rucache_providers::ApiKind;
use rucache_ruc::{Answer, CallResult, Cause, Provider};
use rucache_testkit::ProviderFault;

use super::setting::{Setting, per_minute, ruc, rucs};

/// Asks once a second for a minute of `fault`; the causes told, and how many calls that took.
async fn minute(setting: &Setting, fault: ProviderFault) -> (Vec<Cause>, usize) {
    let before = setting.fake.calls().len();
    setting.fake.set_fault(Some(fault));
    let mut causes = Vec::new();
    for index in 0..60 {
        match setting.source.lookup(ruc(index)).await {
            Answer::Unavailable(unavailable) => causes.push(unavailable.cause),
            other => panic!("{other:?} in the middle of trouble"),
        }
        setting.clock.advance(Duration::from_secs(1));
    }
    setting.fake.set_fault(None);
    (causes, setting.fake.calls().len() - before)
}

/// Seconds until a look-up is answered again.
async fn recovery(setting: &Setting) -> usize {
    for second in 0..90 {
        if matches!(setting.source.lookup(ruc(1_000)).await, Answer::Found { .. }) {
            return second;
        }
        setting.clock.advance(Duration::from_secs(1));
    }
    panic!("no recovery within 90 s: {:?}", setting.status());
}

#[tokio::test]
async fn minute_of_failures_denies_nothing_and_ends_by_itself() {
    let setting = Setting::new(ApiKind::Migo);
    let (causes, calls) = minute(&setting, ProviderFault::Status(500, None)).await;
    assert!(causes.iter().all(|cause| *cause == Cause::Failed));
    assert!(setting.count(CallResult::Failed(Cause::Failed)) >= 5);
    assert!(calls <= 60);
    assert!(recovery(&setting).await <= 2);
    assert_eq!(setting.status().circuit, CircuitState::Closed);
}

#[tokio::test]
async fn minute_of_429_is_left_alone_for_as_long_as_it_asks() {
    let setting = Setting::new(ApiKind::Migo);
    let (causes, calls) = minute(&setting, ProviderFault::Status(429, Some(20))).await;
    assert!(causes.iter().all(|cause| *cause == Cause::RateLimited));
    assert_eq!(calls, 3);
    let closed = setting.status().closed;
    assert!(closed.is_none_or(|closed| closed.cause == Cause::RateLimited));
    assert_eq!(setting.count(CallResult::Failed(Cause::RateLimited)), 3);
    assert!(recovery(&setting).await <= 20);
    assert_eq!(setting.status().closed, None);
}

#[tokio::test]
async fn minute_of_html_is_a_refused_token_and_costs_few_calls() {
    let setting = Setting::new(ApiKind::Migo);
    let (causes, calls) = minute(&setting, ProviderFault::Html).await;
    assert!(causes.iter().all(|cause| *cause == Cause::Denied));
    assert!(calls <= 6, "{calls}");
    assert!(setting.count(CallResult::Failed(Cause::Denied)) >= 4);
    assert!(recovery(&setting).await <= 31);
}

#[tokio::test]
async fn source_that_is_not_there_at_all_is_a_failure() {
    let setting = Setting::with(ApiKind::Migo, |config| {
        // Nobody listens on the discard port.
        config.base_url = Some("http://127.0.0.1:9".to_owned());
    });
    let Answer::Unavailable(unavailable) = setting.source.lookup(ruc(1)).await else {
        panic!("nobody is there");
    };
    assert_eq!(unavailable.cause, Cause::Failed);
}

#[tokio::test]
async fn poisoned_batch_is_split_over_http() {
    let setting = Setting::new(ApiKind::Migo);
    let numbers = rucs(100);
    setting.fake.set_fault(Some(ProviderFault::Poison(numbers[17].to_string())));
    let answers = setting.source.lookup_many(&numbers).await;
    let found = answers.iter().filter(|answer| matches!(answer, Answer::Found { .. })).count();
    assert_eq!(found, 99);
    assert!(matches!(&answers[17], Answer::Unavailable(u) if u.cause == Cause::Failed));
}

#[tokio::test]
async fn cut_truncated_and_shortened_collections_are_made_good() {
    for fault in [
        ProviderFault::Cut,
        ProviderFault::Truncated,
        ProviderFault::WrongItem,
        ProviderFault::MissingItems(5),
    ] {
        let setting = Setting::new(ApiKind::Migo);
        setting.fake.next_faults([fault.clone()]);
        let numbers = rucs(100);
        let answers = setting.source.lookup_many(&numbers).await;
        for (answer, ruc) in answers.iter().zip(&numbers) {
            assert!(
                matches!(answer, Answer::Found { record, .. } if record.ruc() == *ruc),
                "{fault:?}: {answer:?}"
            );
        }
    }
}

#[tokio::test]
async fn plan_that_is_used_up_says_when_to_come_back() {
    let setting = Setting::with(ApiKind::Migo, |config| config.plan.per_minute = per_minute(2));
    for index in 0..2 {
        assert!(matches!(setting.source.lookup(ruc(index)).await, Answer::Found { .. }));
        setting.clock.advance(Duration::from_secs(2));
    }
    let Answer::Unavailable(unavailable) = setting.source.lookup(ruc(3)).await else {
        panic!("the plan is used up");
    };
    assert_eq!(unavailable.cause, Cause::RateLimited);
    let wait = unavailable.retry_after.unwrap();
    assert_eq!(setting.count(CallResult::Withheld), 1);
    setting.clock.advance(wait + Duration::from_millis(1));
    assert!(matches!(setting.source.lookup(ruc(3)).await, Answer::Found { .. }));
    assert_eq!(setting.fake.calls().len(), 3);
}
