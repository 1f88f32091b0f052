//! Back-off notes of failed holders.

use bytes::Bytes;
use rucache_core::{Lease, Ttl};

use crate::clause::clauses;
use crate::env::calls::{LONG, nobodys_token};
use crate::failure::same;

clauses! {
    /// A holder's note is told to those who ask, up to 64 bytes of any kind.
    fn back_off_note_is_told(env) {
        let key = env.key("failed")?;
        let note: Bytes = (0..64).map(|at| at * 4).collect();
        let token = env.take(&key)?;
        same("release", env.back_off(&key, token, note.clone(), LONG)?, true)?;
        same("lease", env.lease(&key)?, Lease::BackingOff { note })?;
        same("entry", env.read(&key)?, None)
    }

    /// A back-off stands beside an entry and leaves it as it is.
    fn back_off_leaves_the_entry(env) {
        let key = env.key("failed")?;
        env.set(&key, "one")?;
        let before = env.read(&key)?;
        let token = env.take(&key)?;
        env.back_off(&key, token, "down", LONG)?;
        same("lease", env.lease(&key)?, Lease::BackingOff { note: "down".into() })?;
        same("entry", env.read(&key)?, before)
    }

    /// A back-off needs the lease.
    fn back_off_needs_the_lease(env) {
        let key = env.key("failed")?;
        same("release", env.back_off(&key, nobodys_token(), "down", LONG)?, false)?;
        env.take(&key).map(|_| ())
    }

    /// A back-off lapses.
    fn back_off_lapses(env) {
        let key = env.key("failed")?;
        let token = env.take(&key)?;
        env.back_off(&key, token, "down", Ttl::secs(1))?;
        env.pass(Ttl::secs(1));
        env.take(&key).map(|_| ())
    }

    /// A write ends the back-off.
    fn write_ends_the_back_off(env) {
        let key = env.key("failed")?;
        let token = env.take(&key)?;
        env.back_off(&key, token, "down", LONG)?;
        env.set(&key, "one")?;
        env.take(&key).map(|_| ())
    }

    /// A delete ends the back-off, though there was nothing to delete: something has happened.
    fn delete_ends_the_back_off(env) {
        let key = env.key("failed")?;
        let token = env.take(&key)?;
        env.back_off(&key, token, "down", LONG)?;
        same("delete", env.delete(&key)?, false)?;
        env.take(&key).map(|_| ())
    }
}
