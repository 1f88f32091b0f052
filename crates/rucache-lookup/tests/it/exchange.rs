//! Exchange rates by day, the latest one, and days without one.

use std::time::Duration;

use rucache_core::{Timestamp, Ttl};
use rucache_engine::{Policy, ServedFrom};
use rucache_lookup::{ExchangeRates, LookupOptions, RateLookup};
use rucache_ruc::{
    Cause, Currency, ExchangeRate, LimaDate, Profile, RateQuery, Reply, Unavailable,
};

use crate::lab::{Home, Lab, migo};

const USD: Currency = Currency::Usd;

fn day(text: &str) -> LimaDate {
    text.parse().unwrap()
}

fn rate(on: &str, buy: &str) -> ExchangeRate {
    let (buy, sell) = (buy.parse().unwrap(), "3.752".parse().unwrap());
    ExchangeRate { day: day(on), currency: USD, buy, sell }
}

impl Lab {
    fn rates(&self) -> ExchangeRates {
        self.lookups.exchange(&migo())
    }

    /// Moves the clocks to an hour of a day in Lima.
    fn at_lima(&self, on: &str, hour: u8) {
        self.runtime.set_wall(day(on).at_hour(hour));
    }

    fn publishes(&self, asked: Option<&str>, reply: Reply<ExchangeRate>) {
        let query = RateQuery { currency: USD, day: asked.map(day) };
        self.provider.rates.lock().unwrap().insert(query, reply);
    }

    fn on(&self, text: &str) -> RateLookup {
        self.run(self.rates().lookup(USD, day(text)))
    }

    fn latest(&self) -> RateLookup {
        self.run(self.rates().latest(USD))
    }

    fn rate_calls(&self) -> usize {
        self.provider.rate_calls.lock().unwrap().len()
    }
}

fn buy(lookup: &RateLookup) -> String {
    match &lookup.reply {
        Reply::Found(rate) => rate.buy.to_string(),
        other => format!("{other:?}"),
    }
}

#[test]
fn rate_is_stored_under_its_day_and_comes_back_exactly() {
    for home in Home::ALL {
        let lab = Lab::home(home);
        let rates = lab.rates();
        lab.run(rates.set(rate("2026-01-28", "3.740"), None)).unwrap();
        let hit = lab.run(rates.get(USD, day("2026-01-28"))).unwrap();
        assert_eq!(
            (hit.buy.to_string().as_str(), hit.outcome.ttl),
            ("3.740", Duration::from_secs(86_400))
        );
        let plain: serde_json::Value = lab
            .run(lab.cache.service(&migo()).get("exchange_rate_USD_2026-01-28"))
            .unwrap()
            .unwrap();
        assert_eq!(plain["compra"], "3.740", "{home:?}");
        assert!(lab.run(rates.get(Currency::Eur, day("2026-01-28"))).is_none());
        assert!(lab.run(rates.delete(USD, day("2026-01-28"))).unwrap().existed);
        assert!(lab.run(rates.get(USD, day("2026-01-28"))).is_none());
        assert_eq!(lab.rate_calls(), 0);
    }
}

#[test]
fn rate_of_a_day_is_asked_for_once() {
    for home in Home::ALL {
        let lab = Lab::home(home);
        lab.publishes(Some("2026-01-27"), Reply::Found(rate("2026-01-27", "3.7")));
        let first = lab.on("2026-01-27");
        assert_eq!((buy(&first).as_str(), first.served.unwrap().from), ("3.7", ServedFrom::Load));
        assert_ne!(lab.on("2026-01-27").served.unwrap().from, ServedFrom::Load, "{home:?}");
        assert_eq!(lab.rate_calls(), 1);
    }
}

#[test]
fn early_in_the_morning_there_is_none_of_today_for_minutes() {
    for home in Home::ALL {
        let lab = Lab::home(home);
        lab.at_lima("2026-01-28", 5);
        let none = lab.on("2026-01-28");
        assert_eq!(none.reply, Reply::NotFound, "{home:?}");
        let _ = lab.on("2026-01-28");
        assert_eq!(lab.rate_calls(), 1);
        lab.publishes(Some("2026-01-28"), Reply::Found(rate("2026-01-28", "3.745")));
        lab.runtime.advance(Duration::from_secs(300));
        assert_eq!(buy(&lab.on("2026-01-28")), "3.745");
        assert_eq!(lab.rate_calls(), 2);
    }
}

#[test]
fn past_day_without_a_rate_is_remembered_for_longer() {
    let lab = Lab::home(Home::Server);
    let none = lab.on("2026-01-01");
    assert_eq!(none.reply, Reply::NotFound);
    assert!(none.retry_after.unwrap() > Duration::from_secs(3_000));
    lab.runtime.advance(Duration::from_secs(3_000));
    let _ = lab.on("2026-01-01");
    assert_eq!(lab.rate_calls(), 1);
}

#[test]
fn latest_is_stored_under_the_day_in_the_answer() {
    for home in Home::ALL {
        let lab = Lab::home(home);
        lab.at_lima("2026-01-28", 5);
        lab.publishes(None, Reply::Found(rate("2026-01-27", "3.7")));
        assert_eq!(buy(&lab.latest()), "3.7", "{home:?}");
        assert_eq!(buy(&lab.on("2026-01-27")), "3.7");
        assert_eq!(buy(&lab.latest()), "3.7");
        assert_eq!(lab.rate_calls(), 1);
        // Today's is not out for five minutes, then it is asked for again.
        lab.publishes(None, Reply::Found(rate("2026-01-28", "3.8")));
        lab.runtime.advance(Duration::from_secs(300));
        assert_eq!(buy(&lab.latest()), "3.8");
        assert_eq!(buy(&lab.on("2026-01-28")), "3.8");
        assert_eq!(lab.rate_calls(), 2);
    }
}

#[test]
fn latest_falls_back_on_the_last_known_when_nobody_answers() {
    let lab = Lab::home(Home::Server);
    lab.at_lima("2026-01-28", 5);
    lab.run(lab.rates().set(rate("2026-01-27", "3.7"), None)).unwrap();
    lab.publishes(None, Reply::Unavailable(Unavailable::new(Cause::Timeout)));
    assert_eq!(buy(&lab.latest()), "3.7");
    lab.run(lab.rates().delete(USD, day("2026-01-27"))).unwrap();
    assert!(matches!(lab.latest().reply, Reply::Unavailable(u) if u.cause == Cause::Timeout));
}

#[test]
fn failure_and_a_source_without_rates_are_not_remembered_as_none() {
    for (answer, again) in [
        (Reply::NotCovered, 1_100),
        (Reply::Unavailable(Unavailable::new(Cause::Denied)), 1_100),
        // An answer for another day is no answer.
        (Reply::Found(rate("2026-01-26", "3.7")), 1_100),
    ] {
        let lab = Lab::home(Home::Process);
        lab.publishes(Some("2026-01-27"), answer.clone());
        let told = lab.on("2026-01-27").reply;
        match answer {
            Reply::NotCovered => assert_eq!(told, Reply::NotCovered),
            _ => assert!(matches!(told, Reply::Unavailable(_)), "{told:?}"),
        }
        lab.publishes(Some("2026-01-27"), Reply::Found(rate("2026-01-27", "3.7")));
        lab.runtime.advance(Duration::from_millis(again));
        assert_eq!(buy(&lab.on("2026-01-27")), "3.7");
    }
}

#[test]
fn profile_and_table_say_how_long_a_rate_lives() {
    let ttl = |options: LookupOptions, on: &str| {
        let lab = Lab::at(Home::Process, 1, Duration::ZERO, options);
        lab.at_lima("2026-01-28", 15);
        lab.run(lab.rates().set(rate(on, "3.7"), None)).unwrap();
        lab.run(lab.rates().get(USD, day(on))).unwrap().outcome.ttl.as_secs_f64()
    };
    let register = LookupOptions::default().with_profile(Profile::Register);
    assert_eq!(ttl(LookupOptions::default(), "2026-01-28"), 86_400.0);
    assert_eq!(ttl(register.clone(), "2026-01-27"), 30.0 * 86_400.0);
    assert_eq!(ttl(register.clone(), "2026-01-28"), 15.0 * 3_600.0);
    let table = rucache_lookup::TtlTable::new([("exchange_rate_*", Ttl::SHORT)]).unwrap();
    assert_eq!(ttl(register.with_ttls(table), "2026-01-28"), 60.0);
    let lab = Lab::instant();
    lab.run(lab.rates().set(rate("2026-01-28", "3.7"), Some(Policy::exact(Ttl::secs(7))))).unwrap();
    let hit = lab.run(lab.rates().get(USD, day("2026-01-28"))).unwrap();
    assert_eq!(hit.outcome.ttl, Duration::from_secs(7));
    assert_eq!(LimaDate::at(Timestamp::from_millis(1_769_612_400_000)), day("2026-01-28"));
}
