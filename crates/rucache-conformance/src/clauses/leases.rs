//! Who may load.

use std::time::Duration;

use rucache_core::Precondition::Version;
use rucache_core::WriteOutcome::{Refused, Stored};
use rucache_core::{Lease, Ttl};

use super::threads::on_threads;
use crate::clause::clauses;
use crate::env::calls::{LONG, nobodys_token};
use crate::failure::{holds, same};

/// A lease that is waited for.
const BRIEF: Ttl = Ttl::secs(1);

clauses! {
    /// The lease of an entry is out once, whether there is an entry or not.
    fn lease_is_granted_once(env) {
        let (absent, present) = (env.key("absent")?, env.key("present")?);
        env.set(&present, "one")?;
        for key in [&absent, &present] {
            env.take(key)?;
            same("second request", env.lease(key)?, Lease::Held)?;
        }
        Ok(())
    }

    /// Of many who ask at the same time, one is granted the lease.
    fn one_of_many_is_granted_the_lease(env) {
        let key = env.key("contested")?;
        let leases = on_threads(|_| env.lease_for(&key, None, LONG))?;
        let granted = leases.iter().filter(|lease| matches!(lease, Lease::Granted(_))).count();
        same("granted", granted, 1)?;
        same("held", leases.iter().filter(|lease| **lease == Lease::Held).count(), leases.len() - 1)
    }

    /// A lease is a proof of its own: no two are equal.
    fn no_two_leases_are_equal(env) {
        let key = env.key("leased")?;
        let first = env.take(&key)?;
        env.release(&key, first)?;
        holds("the token is new", env.take(&key)? != first)
    }

    /// A lease that is out is no entry.
    fn lease_is_no_entry(env) {
        let key = env.key("leased")?;
        env.take(&key)?;
        same("entry", env.read(&key)?, None)?;
        same("delete", env.delete(&key)?, false)
    }

    /// A lease leaves the entry and its version as they are.
    fn lease_leaves_the_entry(env) {
        let key = env.key("leased")?;
        env.set(&key, "one")?;
        let (before, version) = (env.read(&key)?, env.version(&key)?);
        env.take(&key)?;
        same("entry", env.read(&key)?, before)?;
        same("write under the version", env.write(&key, "two", LONG, Version(version))?, Stored)
    }

    /// Whoever asks with something else in mind than what is there is told to read again.
    fn lease_of_something_else_is_told(env) {
        let (absent, present) = (env.key("absent")?, env.key("present")?);
        env.set(&present, "one")?;
        let outdated = env.version(&present)?;
        env.set(&present, "two")?;
        same("entry gone", env.lease_for(&absent, Some(outdated), LONG)?, Lease::Changed)?;
        same("entry come", env.lease_for(&present, None, LONG)?, Lease::Changed)?;
        same("entry changed", env.lease_for(&present, Some(outdated), LONG)?, Lease::Changed)
    }

    /// A stale entry can be leased and filled.
    fn stale_entry_can_be_leased(env) {
        let key = env.key("stale")?;
        env.set(&key, "one")?;
        env.expire(&key)?;
        let token = env.take(&key)?;
        same("fill", env.fill(&key, token)?, Stored)?;
        let stored = env.read(&key)?.map(|stored| (stored.value, stored.stale));
        same("value and stale", stored, Some(("filled".into(), false)))
    }

    /// A lease that was not renewed lapses, and somebody else is granted it.
    fn lease_lapses(env) {
        let key = env.key("lapsed")?;
        env.take_for(&key, BRIEF)?;
        env.pass(BRIEF);
        env.take(&key).map(|_| ())
    }

    /// A renewed lease lasts from its renewal.
    fn renewed_lease_lasts(env) {
        let key = env.key("renewed")?;
        let token = env.take_for(&key, Ttl::secs(2))?;
        env.advance(Duration::from_millis(500));
        same("renewal", env.renew(&key, token, LONG)?, true)?;
        env.pass(Ttl::secs(2));
        same("fill", env.fill(&key, token)?, Stored)
    }

    /// A renewal for less than what is left leaves the lease as long as it was.
    fn renewal_never_shortens(env) {
        let key = env.key("renewed")?;
        let token = env.take(&key)?;
        same("renewal", env.renew(&key, token, Ttl::MIN)?, true)?;
        env.pass(Ttl::MIN);
        same("fill", env.fill(&key, token)?, Stored)
    }

    /// A lease is renewed by its holder alone.
    fn renewal_needs_the_lease(env) {
        let key = env.key("renewed")?;
        let nobodys = nobodys_token();
        same("renewal of nothing", env.renew(&key, nobodys, LONG)?, false)?;
        env.take(&key)?;
        same("renewal by somebody else", env.renew(&key, nobodys, LONG)?, false)
    }

    /// A lapsed lease is not renewed.
    fn lapsed_lease_is_not_renewed(env) {
        let key = env.key("lapsed")?;
        let token = env.take_for(&key, BRIEF)?;
        env.pass(BRIEF);
        same("renewal", env.renew(&key, token, LONG)?, false)
    }

    /// A released lease is free at once, and no longer a proof.
    fn released_lease_is_free(env) {
        let (free, void) = (env.key("free")?, env.key("void")?);
        let token = env.take(&free)?;
        same("release", env.release(&free, token)?, true)?;
        env.take(&free)?;
        let token = env.take(&void)?;
        same("release", env.release(&void, token)?, true)?;
        same("fill after the release", env.fill(&void, token)?, Refused)
    }

    /// A lease is released by its holder alone.
    fn release_needs_the_lease(env) {
        let key = env.key("released")?;
        let nobodys = nobodys_token();
        same("release of nothing", env.release(&key, nobodys)?, false)?;
        let token = env.take(&key)?;
        same("release by somebody else", env.release(&key, nobodys)?, false)?;
        same("fill by the holder", env.fill(&key, token)?, Stored)
    }
}
