//! An invalidation is never undone by an older load.

use rucache_core::Ttl;
use rucache_core::WriteOutcome::{Refused, Stored};

use crate::clause::clauses;
use crate::env::calls::nobodys_token;
use crate::failure::same;

clauses! {
    /// The holder of a lease may fill, where nothing is and over an entry.
    fn holder_may_fill(env) {
        let (absent, present) = (env.key("absent")?, env.key("present")?);
        env.set(&present, "one")?;
        for key in [&absent, &present] {
            let token = env.take(key)?;
            same("fill", env.fill(key, token)?, Stored)?;
            same("value", env.value(key)?, Some("filled".into()))?;
        }
        Ok(())
    }

    /// A fill needs the holder's own proof.
    fn fill_needs_the_lease(env) {
        let key = env.key("fenced")?;
        let nobodys = nobodys_token();
        same("fill without a lease", env.fill(&key, nobodys)?, Refused)?;
        env.take(&key)?;
        same("fill under another's lease", env.fill(&key, nobodys)?, Refused)?;
        same("entry", env.read(&key)?, None)
    }

    /// A fill ends its lease.
    fn fill_ends_the_lease(env) {
        let key = env.key("fenced")?;
        let token = env.take(&key)?;
        same("fill", env.fill(&key, token)?, Stored)?;
        same("second fill", env.fill(&key, token)?, Refused)?;
        env.take(&key).map(|_| ())
    }

    /// A fill under a lease that has lapsed is refused, also while nobody else has it.
    fn fill_under_a_lapsed_lease_is_refused(env) {
        let key = env.key("fenced")?;
        let token = env.take_for(&key, Ttl::secs(1))?;
        env.pass(Ttl::secs(1));
        same("fill", env.fill(&key, token)?, Refused)?;
        same("entry", env.read(&key)?, None)
    }

    /// A fill over an entry is refused as well once the lease has lapsed.
    fn late_fill_over_an_entry_is_refused(env) {
        let key = env.key("fenced")?;
        env.set(&key, "one")?;
        let token = env.take_for(&key, Ttl::secs(1))?;
        env.pass(Ttl::secs(1));
        same("fill", env.fill(&key, token)?, Refused)?;
        same("value", env.value(&key)?, Some("one".into()))
    }

    /// A write after the lease has lapsed is not undone by the fill that comes later still.
    fn late_fill_undoes_no_write(env) {
        let key = env.key("fenced")?;
        env.set(&key, "one")?;
        let token = env.take_for(&key, Ttl::secs(1))?;
        env.pass(Ttl::secs(1));
        env.set(&key, "newer")?;
        same("fill", env.fill(&key, token)?, Refused)?;
        same("value", env.value(&key)?, Some("newer".into()))
    }

    /// Once the lease has lapsed and the next one is out, only its holder may fill.
    fn late_fill_leaves_the_next_load_alone(env) {
        let key = env.key("fenced")?;
        env.set(&key, "one")?;
        let late = env.take_for(&key, Ttl::secs(1))?;
        env.pass(Ttl::secs(1));
        let next = env.take(&key)?;
        same("late fill", env.fill(&key, late)?, Refused)?;
        same("fill by the next holder", env.fill(&key, next)?, Stored)
    }

    /// A write voids the lease: what was loaded before does not replace it.
    fn write_voids_the_lease(env) {
        let (absent, present) = (env.key("absent")?, env.key("present")?);
        env.set(&present, "one")?;
        for key in [&absent, &present] {
            let token = env.take(key)?;
            env.set(key, "newer")?;
            same("fill", env.fill(key, token)?, Refused)?;
            same("value", env.value(key)?, Some("newer".into()))?;
        }
        Ok(())
    }

    /// A delete voids the lease: what was loaded before does not come back.
    fn delete_voids_the_lease(env) {
        let key = env.key("fenced")?;
        env.set(&key, "one")?;
        let token = env.take(&key)?;
        env.delete(&key)?;
        same("fill", env.fill(&key, token)?, Refused)?;
        same("entry", env.read(&key)?, None)
    }

    /// A delete during the load of a missing entry voids the lease.
    fn delete_of_nothing_voids_the_lease(env) {
        let key = env.key("fenced")?;
        let token = env.take(&key)?;
        same("delete", env.delete(&key)?, false)?;
        same("fill", env.fill(&key, token)?, Refused)?;
        same("entry", env.read(&key)?, None)
    }

    /// An expire voids the lease: what was loaded before does not pass for fresh.
    fn expire_voids_the_lease(env) {
        let key = env.key("fenced")?;
        env.set(&key, "one")?;
        let token = env.take(&key)?;
        env.expire(&key)?;
        same("fill", env.fill(&key, token)?, Refused)?;
        same("value", env.value(&key)?, Some("one".into()))
    }

    /// An expire during the load of a missing entry voids the lease.
    fn expire_of_nothing_voids_the_lease(env) {
        let key = env.key("fenced")?;
        let token = env.take(&key)?;
        same("expire", env.expire(&key)?, false)?;
        same("fill", env.fill(&key, token)?, Refused)?;
        same("entry", env.read(&key)?, None)
    }

    /// A voided lease is free: the next load need not wait for it.
    fn voided_lease_is_free(env) {
        let (deleted, written) = (env.key("deleted")?, env.key("written")?);
        env.take(&deleted)?;
        env.delete(&deleted)?;
        env.take(&deleted)?;
        env.take(&written)?;
        env.set(&written, "newer")?;
        env.take(&written).map(|_| ())
    }
}
