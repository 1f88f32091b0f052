//! How long entries live.

use std::time::Duration;

use rucache_core::Precondition::Absent;
use rucache_core::{Ttl, WriteOutcome};

use crate::clause::clauses;
use crate::env::calls::LONG;
use crate::failure::same;

/// A life that is waited for: shorter ones would be within a store's resolution.
const BRIEF: Ttl = Ttl::secs(1);

const DAYS_30: u64 = 30 * 24 * 3_600;

clauses! {
    /// The shortest TTL is neither "for ever" nor an error.
    fn shortest_ttl_is_not_for_ever(env) {
        let key = env.key("shortest")?;
        env.set_for(&key, "one", Ttl::MIN)?;
        env.pass(Ttl::MIN);
        same("entry", env.read(&key)?, None)
    }

    /// A TTL is never shortened, not even by the rest of a second.
    fn ttl_is_never_shortened(env) {
        let key = env.key("alive")?;
        env.set_for(&key, "one", Ttl::millis(2_900))?;
        env.advance(Duration::from_millis(2_200));
        same("value", env.value(&key)?, Some("one".into()))
    }

    /// An entry is gone once its TTL has passed, a second later at most.
    fn entry_is_gone_after_its_ttl(env) {
        let key = env.key("gone")?;
        env.set_for(&key, "one", BRIEF)?;
        env.pass(BRIEF);
        same("entry", env.read(&key)?, None)
    }

    /// A TTL about 30 days, from where memcached takes it for a date, is a TTL.
    fn thirty_days_are_no_date(env) {
        for ttl in [DAYS_30, DAYS_30 + 1, 2 * DAYS_30].map(Ttl::secs) {
            let key = env.key(&format!("life_of_{ttl}"))?;
            env.set_for(&key, "one", ttl)?;
            same(&format!("value with a life of {ttl}"), env.value(&key)?, Some("one".into()))?;
        }
        Ok(())
    }

    /// The longest TTL overflows nothing.
    fn longest_ttl_is_not_over_at_once(env) {
        let key = env.key("longest")?;
        env.set_for(&key, "one", Ttl::MAX)?;
        same("value", env.value(&key)?, Some("one".into()))
    }

    /// A write sets the TTL anew: what is left of the former does not count.
    fn write_sets_the_ttl_anew(env) {
        let (longer, shorter) = (env.key("longer")?, env.key("shorter")?);
        env.set_for(&longer, "one", BRIEF)?;
        env.set_for(&longer, "two", LONG)?;
        env.set_for(&shorter, "one", LONG)?;
        env.set_for(&shorter, "two", BRIEF)?;
        env.pass(BRIEF);
        same("prolonged value", env.value(&longer)?, Some("two".into()))?;
        same("shortened value", env.value(&shorter)?, None)
    }

    /// An expire keeps the rest of the TTL: the stale entry is there until then, and no longer.
    fn expire_keeps_the_ttl(env) {
        let (gone, alive) = (env.key("gone")?, env.key("alive")?);
        env.set_for(&gone, "one", BRIEF)?;
        env.set_for(&alive, "one", LONG)?;
        env.expire(&gone)?;
        env.expire(&alive)?;
        env.pass(BRIEF);
        same("entry past its TTL", env.value(&gone)?, None)?;
        same("entry within its TTL", env.value(&alive)?, Some("one".into()))
    }

    /// To expire, to delete, to a write where nothing should be, an entry past its TTL is none.
    fn entry_past_its_ttl_is_none(env) {
        let (expired, deleted) = (env.key("expired")?, env.key("deleted")?);
        let written = env.key("written")?;
        for key in [&expired, &deleted, &written] {
            env.set_for(key, "one", BRIEF)?;
        }
        env.pass(BRIEF);
        same("expire", env.expire(&expired)?, false)?;
        same("delete", env.delete(&deleted)?, false)?;
        same("outcome", env.write(&written, "two", LONG, Absent)?, WriteOutcome::Stored)?;
        same("value", env.value(&written)?, Some("two".into()))
    }
}
