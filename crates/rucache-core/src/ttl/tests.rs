//! Tests of `ttl`.

use proptest::prelude::*;

use super::*;

#[test]
fn classes_have_their_lengths() {
    let classes = [Ttl::SHORT, Ttl::DEFAULT, Ttl::MEDIUM, Ttl::LONG, Ttl::EXTRA_LONG];
    assert_eq!(classes.map(Ttl::as_secs_ceil), [60, 900, 3_600, 86_400, 604_800]);
    assert_eq!(classes.map(|ttl| ttl.to_string()), ["1min", "15min", "1h", "24h", "7d"]);
}

#[test]
fn zero_is_refused_or_the_shortest_life() {
    assert_eq!(Ttl::try_from(Duration::ZERO), Err(InvalidTtl::Zero));
    assert_eq!("0s".parse::<Ttl>(), Err(InvalidTtl::Zero));
    assert_eq!(Ttl::secs(0), Ttl::MIN);
    assert_eq!(Ttl::MIN.as_secs_ceil(), 1);
}

#[test]
fn one_nanosecond_is_one_millisecond_and_the_longest_duration_is_a_century() {
    assert_eq!(Ttl::try_from(Duration::from_nanos(1)), Ok(Ttl::MIN));
    assert_eq!(Ttl::try_from(Duration::MAX), Ok(Ttl::MAX));
    assert_eq!(Ttl::secs(u64::MAX), Ttl::MAX);
}

#[test]
fn texts_are_read_with_their_unit() {
    let read = |text: &str| text.parse::<Ttl>();
    assert_eq!(read("300"), Ok(Ttl::secs(300)));
    assert_eq!(read("15min"), Ok(Ttl::DEFAULT));
    assert_eq!(read("15m"), Ok(Ttl::DEFAULT));
    assert_eq!(read("7d"), Ok(Ttl::EXTRA_LONG));
    assert_eq!(read("250ms"), Ok(Ttl::millis(250)));
    assert_eq!(read("99999999999999999999d"), Ok(Ttl::MAX));
    for wrong in ["", "h", "-1", "1.5h", "1 h", "1hour"] {
        assert_eq!(read(wrong), Err(InvalidTtl::Form { found: wrong.to_owned() }));
    }
}

proptest! {
    #[test]
    fn conversions_never_round_down(nanos in 1_u128..=3_153_600_000_000_000_000) {
        let life = Duration::from_nanos(u64::try_from(nanos).unwrap());
        let ttl = Ttl::try_from(life).unwrap();
        prop_assert!(ttl.as_duration() >= life);
        prop_assert!(ttl.as_duration() - life < Duration::from_millis(1));
        prop_assert!(Duration::from_secs(ttl.as_secs_ceil()) >= life);
        prop_assert!(Duration::from_millis(ttl.as_millis()) >= life);
    }

    #[test]
    fn jitter_stays_within_its_share(millis in 1_u64..4_000_000_000_000, percent: u8, random: u64) {
        let ttl = Ttl::millis(millis);
        let moved = ttl.jittered(Jitter::percent(percent), random).as_millis();
        let reach = u128::from(ttl.as_millis()) * u128::from(percent.min(50)) / 100;
        prop_assert!(u128::from(moved.abs_diff(ttl.as_millis())) <= reach);
        prop_assert_eq!(ttl.jittered(Jitter::NONE, random), ttl);
    }

    #[test]
    fn what_is_shown_reads_back(millis: u64) {
        let ttl = Ttl::millis(millis);
        prop_assert_eq!(ttl.to_string().parse::<Ttl>(), Ok(ttl));
    }

    #[test]
    fn no_text_panics(text: String) {
        let _ = text.parse::<Ttl>();
    }
}

#[test]
fn jitter_uses_both_directions() {
    let ttl = Ttl::secs(1000);
    assert_eq!(ttl.jittered(Jitter::percent(10), 0), Ttl::secs(900));
    assert_eq!(ttl.jittered(Jitter::percent(10), u64::MAX), Ttl::secs(1100));
}
