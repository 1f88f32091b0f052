//! Writes that happen under a condition.

use rucache_core::Precondition::{Absent, Lease, Version};
use rucache_core::WriteOutcome::{Refused, Stored};

use crate::clause::clauses;
use crate::env::calls::{LONG, nobodys_token};
use crate::failure::same;

clauses! {
    /// A write where nothing is happens.
    fn absent_holds_where_nothing_is(env) {
        let key = env.key("absent")?;
        same("outcome", env.write(&key, "one", LONG, Absent)?, Stored)?;
        same("value", env.value(&key)?, Some("one".into()))
    }

    /// A write where nothing should be is refused by an entry, which stays.
    fn absent_is_refused_by_an_entry(env) {
        let key = env.key("present")?;
        env.set(&key, "one")?;
        same("outcome", env.write(&key, "two", LONG, Absent)?, Refused)?;
        same("value", env.value(&key)?, Some("one".into()))
    }

    /// A write where nothing should be is refused by a stale entry, which stays.
    fn absent_is_refused_by_a_stale_entry(env) {
        let key = env.key("stale")?;
        env.set(&key, "one")?;
        env.expire(&key)?;
        same("outcome", env.write(&key, "two", LONG, Absent)?, Refused)?;
        same("value", env.value(&key)?, Some("one".into()))
    }

    /// A lease is no entry: a write where nothing should be happens.
    fn absent_holds_while_a_lease_is_out(env) {
        let key = env.key("leased")?;
        env.take(&key)?;
        same("outcome", env.write(&key, "one", LONG, Absent)?, Stored)?;
        same("value", env.value(&key)?, Some("one".into()))
    }

    /// A write under the version that was read happens, on a fresh and on a stale entry.
    fn version_holds_while_it_is_current(env) {
        let key = env.key("current")?;
        env.set(&key, "one")?;
        let version = env.version(&key)?;
        same("outcome", env.write(&key, "two", LONG, Version(version))?, Stored)?;
        same("value", env.value(&key)?, Some("two".into()))?;
        env.expire(&key)?;
        let version = env.version(&key)?;
        same("outcome on stale", env.write(&key, "three", LONG, Version(version))?, Stored)?;
        same("value", env.value(&key)?, Some("three".into()))
    }

    /// A write under a version is refused after another write.
    fn version_is_refused_after_a_write(env) {
        let key = env.key("outdated")?;
        env.set(&key, "one")?;
        let version = env.version(&key)?;
        env.set(&key, "two")?;
        same("outcome", env.write(&key, "three", LONG, Version(version))?, Refused)?;
        same("value", env.value(&key)?, Some("two".into()))
    }

    /// A write under a version is refused after an expire.
    fn version_is_refused_after_an_expire(env) {
        let key = env.key("outdated")?;
        env.set(&key, "one")?;
        let version = env.version(&key)?;
        env.expire(&key)?;
        same("outcome", env.write(&key, "two", LONG, Version(version))?, Refused)?;
        same("value", env.value(&key)?, Some("one".into()))
    }

    /// A write under a version is refused after a delete, and brings nothing back.
    fn version_is_refused_after_a_delete(env) {
        let key = env.key("outdated")?;
        env.set(&key, "one")?;
        let version = env.version(&key)?;
        env.delete(&key)?;
        same("outcome", env.write(&key, "two", LONG, Version(version))?, Refused)?;
        same("value", env.value(&key)?, None)
    }

    /// A refused write leaves value, version and freshness as they were.
    fn refused_write_leaves_the_entry(env) {
        let key = env.key("refused")?;
        env.set(&key, "one")?;
        let before = env.read(&key)?;
        same("absent", env.write(&key, "two", LONG, Absent)?, Refused)?;
        let nobodys = nobodys_token();
        same("lease", env.write(&key, "two", LONG, Lease(nobodys))?, Refused)?;
        same("entry", env.read(&key)?, before)
    }

    /// A refused write leaves the lease with its holder.
    fn refused_write_leaves_the_lease(env) {
        let key = env.key("refused")?;
        env.set(&key, "one")?;
        let token = env.take(&key)?;
        same("absent", env.write(&key, "two", LONG, Absent)?, Refused)?;
        same("fill", env.fill(&key, token)?, Stored)
    }
}
