//! The races, on a cache that must pass and on one that cannot.

use rucache_peers::entrants::ENTRANTS;
use rucache_peers::page::page;
use rucache_peers::races::RACES;
use rucache_peers::{Judged, run};

fn results(name: &str) -> Vec<Judged> {
    let entrant = ENTRANTS.iter().find(|entrant| entrant.name == name).expect("a cache");
    RACES.iter().map(|race| run(race, *entrant)).collect()
}

#[test]
fn rucache_passes_every_race() {
    for (race, judged) in RACES.iter().zip(results("rucache")) {
        assert_eq!(judged, Judged::Passes, "{}", race.name);
    }
}

/// Reading, loading and storing, without more: what it does in a race follows from that.
#[test]
fn cache_aside_by_hand_is_judged_as_it_works() {
    let old_is_stored =
        || Judged::Fails("the old value is stored; the caller got the value `old`".to_owned());
    let expected = [
        old_is_stored(),
        Judged::Passes,
        Judged::NoSuchOperation,
        old_is_stored(),
        Judged::Fails("1000 callers got the value, of 1000 loads".to_owned()),
        Judged::Fails("loads: 2; the other caller got the value `second load`".to_owned()),
        Judged::Passes,
        Judged::Fails(
            "loads: 10 for 10 callers, of whom 0 got no answer; a later caller got a value"
                .to_owned(),
        ),
        Judged::Passes,
        Judged::NoSuchOperation,
        Judged::Passes,
    ];
    assert_eq!(results("by hand on moka"), expected);
}

#[test]
fn the_page_has_a_row_for_each_race_and_says_what_was_seen() {
    let mut results = vec![vec![Judged::Passes; ENTRANTS.len()]; RACES.len()];
    results[0][1] = Judged::Fails("something else".to_owned());
    results[1][2] = Judged::NoSuchOperation;
    let page = page(&results);
    for (number, race) in RACES.iter().enumerate() {
        assert!(page.contains(&format!("\n| {}. {} | yes |", number + 1, race.name)), "{page}");
        assert!(page.contains(&format!("\n{}. {}\n", number + 1, race.provoked)), "{page}");
    }
    assert!(page.contains(&format!("\n   - {}: something else.\n", ENTRANTS[1].name)), "{page}");
    assert_eq!(page.matches("**no**").count(), 1);
    assert_eq!(page.matches("no such operation").count(), 1);
}
