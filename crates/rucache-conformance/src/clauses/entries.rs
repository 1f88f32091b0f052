//! Reading, writing, deleting and expiring.

use bytes::Bytes;

use crate::clause::clauses;
use crate::failure::{holds, same};

clauses! {
    /// A key that was never written has no entry, which is no error, however often it is read.
    fn missing_entry_is_a_miss(env) {
        let key = env.key("missing")?;
        same("entry", env.read(&key)?, None)?;
        same("entry read again", env.read(&key)?, None)
    }

    /// What was written is read back byte for byte, and is not stale.
    fn written_entry_is_read_back(env) {
        let key = env.key("written")?;
        let value: Bytes = (0..=u8::MAX).chain(*b"\r\nEND\r\n\0").collect();
        env.set(&key, value.clone())?;
        let stored = env.read(&key)?;
        same("value", stored.as_ref().map(|stored| stored.value.clone()), Some(value))?;
        same("stale", stored.map(|stored| stored.stale), Some(false))
    }

    /// The empty value is a value.
    fn empty_value_is_a_value(env) {
        let key = env.key("empty")?;
        env.set(&key, "")?;
        same("value", env.value(&key)?, Some(Bytes::new()))
    }

    /// A later write takes the place of an earlier one.
    fn later_write_replaces(env) {
        let key = env.key("replaced")?;
        env.set(&key, "a first value")?;
        env.set(&key, "second")?;
        same("value", env.value(&key)?, Some("second".into()))
    }

    /// A deleted entry is gone, also as a fallback.
    fn deleted_entry_is_gone(env) {
        let key = env.key("deleted")?;
        env.set(&key, "one")?;
        env.delete(&key)?;
        same("entry", env.read(&key)?, None)
    }

    /// A delete says whether there was an entry.
    fn delete_says_whether_there_was_an_entry(env) {
        let key = env.key("deleted")?;
        same("delete of nothing", env.delete(&key)?, false)?;
        env.set(&key, "one")?;
        same("delete", env.delete(&key)?, true)?;
        same("second delete", env.delete(&key)?, false)
    }

    /// To a delete, a stale entry is an entry.
    fn delete_counts_a_stale_entry(env) {
        let key = env.key("deleted")?;
        env.set(&key, "one")?;
        env.expire(&key)?;
        same("delete", env.delete(&key)?, true)
    }

    /// An expired entry is still there, with its value, as stale.
    fn expired_entry_is_kept_as_stale(env) {
        let key = env.key("expired")?;
        env.set(&key, "one")?;
        same("expire", env.expire(&key)?, true)?;
        let stored = env.read(&key)?.map(|stored| (stored.value, stored.stale));
        same("value and stale", stored, Some(("one".into(), true)))?;
        same("second expire", env.expire(&key)?, true)
    }

    /// There is nothing to expire where there is no entry, and none comes to be.
    fn expire_says_whether_there_was_an_entry(env) {
        let key = env.key("expired")?;
        same("expire", env.expire(&key)?, false)?;
        same("entry", env.read(&key)?, None)
    }

    /// A write after an expire is fresh.
    fn write_after_an_expire_is_fresh(env) {
        let key = env.key("expired")?;
        env.set(&key, "one")?;
        env.expire(&key)?;
        env.set(&key, "two")?;
        holds("the entry is fresh", env.read(&key)?.is_some_and(|stored| !stored.stale))
    }
}
