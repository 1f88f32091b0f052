//! Counters.

use std::time::Duration;

use rucache_core::{ErrorKind, Ttl};

use super::threads::{THREADS, on_threads};
use crate::clause::clauses;
use crate::env::calls::{LONG, is_kind};
use crate::failure::{holds, same};

clauses! {
    /// A counter begins at zero and tells its new value, twice in a batch, and beyond 32 bits.
    fn counter_adds_up(env) {
        let counter = env.key("counter")?;
        same("first", env.add(&counter, 5, LONG)?, 5)?;
        let twice = [(counter.clone(), 7), (counter.clone(), 1 << 40)];
        let answers = env.run(env.backend().add_many(&twice, LONG))?;
        let answers = answers.into_iter().collect::<Result<Vec<_>, _>>()?;
        same("then", answers, vec![12, 12 + (1 << 40)])?;
        same("nothing added", env.add(&counter, 0, LONG)?, 12 + (1 << 40))
    }

    /// A counter lives from its first addition: later ones do not prolong it.
    fn counter_lives_from_its_first_addition(env) {
        let counter = env.key("counter")?;
        let ttl = Ttl::secs(4);
        env.add(&counter, 5, ttl)?;
        env.advance(Duration::from_secs(3));
        same("within its life", env.add(&counter, 5, ttl)?, 10)?;
        env.advance(Duration::from_millis(3_200));
        same("after its life", env.add(&counter, 5, ttl)?, 5)
    }

    /// No counter passes 2^63 - 1: it stays there, or says that it cannot count further.
    fn counter_stays_within_63_bits(env) {
        let counter = env.key("counter")?;
        let most = i64::MAX.unsigned_abs();
        same("first", env.add(&counter, most - 1, LONG)?, most - 1)?;
        let further = [(counter, 1 << 62)];
        for answer in env.run(env.backend().add_many(&further, LONG))? {
            match answer {
                Ok(total) => same("total", total, most)?,
                Err(error) => is_kind(&error, ErrorKind::Invalid)?,
            }
        }
        Ok(())
    }

    /// Counters, entries and maps of one name are three things.
    fn counter_is_no_entry(env) {
        let key = env.key("shared")?;
        env.add(&key, 5, LONG)?;
        same("entry", env.read(&key)?, None)?;
        env.set(&key, "one")?;
        holds("the delete finds its entry", env.delete(&key)?)?;
        same("members", env.map_len(&key, env.wall())?, 0)?;
        same("counter", env.add(&key, 1, LONG)?, 6)
    }

    /// Additions at the same time all count.
    fn concurrent_additions_all_count(env) {
        let counter = env.key("counter")?;
        on_threads(|_| (0..50).try_for_each(|_| env.add(&counter, 3, LONG).map(|_| ())))?;
        same("sum", env.add(&counter, 0, LONG)?, THREADS * 50 * 3)
    }
}
