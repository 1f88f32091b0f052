//! The most asked numbers, by a sample, beyond the process.

use std::time::Duration;

use rucache_core::Ttl;

use crate::lab::{Home, Lab, number};

#[test]
fn most_asked_numbers_outlive_the_process_for_seven_days() {
    for home in [Home::Server, Home::Both] {
        let lab = Lab::home(home);
        lab.knows(&[number(1), number(2)]);
        for round in 0..20_000 {
            let _ = lab.run(lab.rucs.lookup(&number(if round % 10 == 0 { 2 } else { 1 })));
        }
        let most = lab.run(lab.rucs.most_asked(10)).unwrap();
        let numbers: Vec<_> = most.iter().map(|(ruc, _)| *ruc).collect();
        assert_eq!(numbers, [number(1), number(2)], "{home:?}");
        assert!((12_000..28_000).contains(&most[0].1), "{most:?}");
        let next = lab.beside(home);
        assert!(next.run(next.rucs.most_asked(10)).unwrap().is_empty());
        lab.run(lab.lookups.stop());
        assert_eq!(next.run(next.rucs.most_asked(10)).unwrap(), most);
        assert_eq!(next.run(next.rucs.most_asked(1)).unwrap().len(), 1);
        // Others go on writing theirs down; what nobody asks for is forgotten.
        next.runtime.advance(Ttl::EXTRA_LONG.as_duration() + Duration::from_millis(1));
        assert!(next.run(next.rucs.most_asked(10)).unwrap().is_empty());
    }
}
