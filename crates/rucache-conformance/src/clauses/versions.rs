//! Versions of entries.

use std::collections::HashSet;

use crate::clause::clauses;
use crate::failure::{holds, same};

clauses! {
    /// Reading changes no version.
    fn reads_leave_the_version(env) {
        let key = env.key("read")?;
        env.set(&key, "one")?;
        let version = env.version(&key)?;
        for _ in 0..5 {
            same("version", env.version(&key)?, version)?;
        }
        Ok(())
    }

    /// Every write gives a version the key has never had, though the value be the same.
    fn every_write_gives_a_new_version(env) {
        let key = env.key("written")?;
        let mut versions = HashSet::new();
        for round in 0..12 {
            env.set(&key, "same")?;
            holds("the version is new", versions.insert(env.version(&key)?))?;
            if round % 3 == 2 {
                env.delete(&key)?;
            }
        }
        Ok(())
    }

    /// An expire gives a new version.
    fn expire_gives_a_new_version(env) {
        let key = env.key("expired")?;
        env.set(&key, "one")?;
        let fresh = env.version(&key)?;
        env.expire(&key)?;
        holds("the version is new", env.version(&key)? != fresh)
    }
}
