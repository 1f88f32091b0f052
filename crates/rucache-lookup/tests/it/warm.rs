//! Warming: what is loaded, at which rate, and when it stops.

use std::num::NonZeroU32;
use std::time::Duration;

use futures_util::stream;

use rucache_lookup::{Stopped, WarmItem, WarmOptions, Warmed};
use rucache_ruc::{Reason, Ruc};

use crate::lab::{Home, Lab, number, record};

impl Lab {
    fn warm(&self, items: Vec<WarmItem>, options: WarmOptions) -> Warmed {
        self.run(self.rucs.warm(stream::iter(items), options, |_| ()))
    }
}

fn items(numbers: impl Iterator<Item = u64>) -> Vec<WarmItem> {
    numbers.map(|n| number(n).into()).collect()
}

#[test]
fn numbers_are_asked_for_in_full_calls_unless_they_are_cached() {
    for home in Home::ALL {
        let lab = Lab::home(home);
        lab.knows(&(0..300).map(number).collect::<Vec<Ruc>>());
        let text = number(0).to_string();
        lab.run(lab.rucs.set(record(&text, "CACHED"), None)).unwrap();
        lab.run(lab.rucs.mark_invalid(&number(1).to_string(), Reason::new("TEST"), None)).unwrap();
        let hits =
            |lab: &Lab| lab.cache.stats().iter().map(|(_, counts)| counts.hits()).sum::<u64>();
        let before = hits(&lab);
        let warmed = lab.warm(items((0..310).chain([5])), WarmOptions::default());
        assert_eq!((warmed.seen, warmed.already_cached, warmed.loaded), (311, 3, 298), "{home:?}");
        assert_eq!((warmed.not_found, warmed.unavailable, warmed.stopped), (10, 0, None));
        assert_eq!(lab.calls(), [100, 100, 100, 8]);
        assert_eq!(hits(&lab), before, "warming is not counted as hits");
        assert_eq!(lab.get(&text).unwrap().record.nombre_o_razon_social(), Some("CACHED"));
    }
}

#[test]
fn records_at_hand_are_stored_without_asking() {
    for home in Home::ALL {
        let lab = Lab::home(home);
        let text = number(1).to_string();
        let warmed = lab.warm(vec![record(&text, "AT HAND").into()], WarmOptions::default());
        assert_eq!((warmed.stored, warmed.loaded), (1, 0), "{home:?}");
        assert_eq!(lab.get(&text).unwrap().record.nombre_o_razon_social(), Some("AT HAND"));
        let again = lab.warm(vec![record(&text, "AT HAND").into()], WarmOptions::default());
        assert_eq!((again.stored, again.already_cached), (0, 1));
        assert!(lab.calls().is_empty());
    }
}

#[test]
fn rate_is_kept_and_progress_is_told() {
    let lab = Lab::at(Home::Process, 1, Duration::ZERO, rucache_lookup::LookupOptions::default());
    lab.knows(&(0..100).map(number).collect::<Vec<Ruc>>());
    let options = WarmOptions::default().with_rate(NonZeroU32::new(5).unwrap());
    let told = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let (rucs, tell) = (lab.rucs.clone(), told.clone());
    let result = lab.begin(async move {
        let source = stream::iter(items(0..20));
        rucs.warm(source, options, |warmed| tell.lock().unwrap().push(warmed.loaded)).await
    });
    for (second, loaded) in [(0, 5), (1, 10), (2, 15), (3, 20)] {
        assert_eq!(told.lock().unwrap().last(), Some(&loaded), "after {second} s");
        lab.runtime.advance(Duration::from_secs(1));
    }
    assert_eq!(result.lock().unwrap().unwrap().loaded, 20);
}

#[test]
fn warming_stops_at_its_limit() {
    let lab = Lab::home(Home::Process);
    lab.knows(&(0..300).map(number).collect::<Vec<Ruc>>());
    let warmed = lab.warm(items(0..300), WarmOptions::default().with_max(120));
    assert_eq!((warmed.loaded, warmed.stopped), (120, Some(Stopped::Limit)));
    assert_eq!(lab.cache.usage().unwrap().entries, 120);
}
