//! What a look-up of many would cost.

use std::time::Duration;

use rucache_lookup::Scope;
use rucache_ruc::{Answer, Reason};

use crate::lab::{Home, Lab, number};

/// Numbers that the cache answers, and numbers that would be asked for.
fn quoted(lab: &Lab, texts: &[&str]) -> (usize, usize) {
    let quote = lab.run(lab.rucs.quote(texts));
    (quote.cached, quote.sources.iter().map(|quote| quote.numbers).sum())
}

#[test]
fn only_what_the_cache_does_not_answer_is_quoted_and_nothing_is_asked() {
    for home in Home::ALL {
        let lab = Lab::home(home);
        let numbers: Vec<String> = (0..4).map(|n| number(n).to_string()).collect();
        let [known, absent, marked, cold] = &numbers[..] else { panic!("four numbers") };
        lab.knows(&[number(0)]);
        lab.answers(absent, Answer::NotFound);
        drop(lab.lookup(known));
        drop(lab.lookup(absent));
        let mark = lab.rucs.mark_invalid(marked, Reason::NO_EXISTE_SUNAT, None);
        lab.run(mark).unwrap();
        let calls = lab.calls();
        let reads = || {
            let stats = lab.run(lab.lookups.stats(Scope::Process));
            (stats.hits, stats.misses)
        };
        let (before, texts) = (reads(), [known, absent, marked, cold, cold, "x"]);
        let quote = lab.run(lab.rucs.quote(&texts));
        assert_eq!((quote.total, quote.invalid, quote.cached), (6, 1, 3), "{home:?}");
        let sources: Vec<_> =
            quote.sources.iter().map(|quote| (&*quote.source, quote.numbers)).collect();
        assert_eq!((sources, quote.calls()), (vec![("scripted", 1)], 0));
        assert_eq!((lab.calls(), reads()), (calls, before), "nothing is asked, or counted");
    }
}

#[test]
fn what_is_stale_or_lapsed_would_be_asked_for() {
    let lab = Lab::home(Home::Both);
    let numbers = [number(0).to_string(), number(1).to_string()];
    lab.knows(&[number(0)]);
    numbers.iter().for_each(|number| drop(lab.lookup(number)));
    let texts: Vec<&str> = numbers.iter().map(String::as_str).collect();
    assert_eq!(quoted(&lab, &texts), (2, 0));
    lab.runtime.advance(Duration::from_secs(3 * 3_600));
    assert_eq!(quoted(&lab, &texts), (0, 2));
    assert_eq!(quoted(&lab, &[]), (0, 0));
}
