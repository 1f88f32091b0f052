//! Values at the limit and past it.

use bytes::Bytes;
use rucache_core::{ErrorKind, Key, Precondition, Write, WriteOutcome};

use crate::Env;
use crate::clause::clauses;
use crate::env::calls::{LONG, is_kind};
use crate::failure::{holds, same};

clauses! {
    /// A value of the greatest length is stored whole.
    fn longest_value_is_stored(env) {
        let key = env.key("longest")?;
        let value = Bytes::from(vec![b'x'; env.backend().capabilities().max_value_len]);
        env.set(&key, value.clone())?;
        holds("the value is read back whole", env.value(&key)? == Some(value))
    }

    /// A value of one byte more is refused as too large.
    fn longer_value_is_too_large(env) {
        let error = env.write_error(too_large(env, &env.key("longer")?))?;
        is_kind(&error, ErrorKind::TooLarge)
    }

    /// A value that is too large takes the old one with it, which the caller wants read no longer.
    fn value_too_large_deletes_the_old_one(env) {
        let key = env.key("longer")?;
        env.set(&key, "old")?;
        env.write_error(too_large(env, &key))?;
        same("entry", env.read(&key)?, None)
    }

    /// A value that is too large voids the lease, as every write does.
    fn value_too_large_voids_the_lease(env) {
        let key = env.key("longer")?;
        let token = env.take(&key)?;
        env.write_error(too_large(env, &key))?;
        same("fill", env.fill(&key, token)?, WriteOutcome::Refused)
    }

    /// So it does under a precondition that does not hold: a miss is the safe side.
    fn value_too_large_deletes_the_old_one_under_any_precondition(env) {
        let key = env.key("longer")?;
        env.set(&key, "old")?;
        let write = Write { when: Precondition::Absent, ..too_large(env, &key) };
        env.write_error(write)?;
        same("entry", env.read(&key)?, None)
    }

    /// A value that is too large spoils no other answer of its batch.
    fn value_too_large_spoils_its_own_answer_only(env) {
        let (before, longer, after) = (env.key("before")?, env.key("longer")?, env.key("after")?);
        let small = |key: &Key| Write { value: "small".into(), ..too_large(env, key) };
        let writes = [small(&before), too_large(env, &longer), small(&after)];
        let answers = env.run(env.backend().write_many(&writes))?;
        let errors: Vec<_> = answers.iter().map(Result::is_err).collect();
        same("which are errors", errors, vec![false, true, false])?;
        same("value before", env.value(&before)?, Some("small".into()))?;
        same("value after", env.value(&after)?, Some("small".into()))
    }
}

fn too_large(env: &Env, key: &Key) -> Write {
    let value = vec![b'x'; env.backend().capabilities().max_value_len + 1].into();
    Write { key: key.clone(), value, ttl: LONG, when: Precondition::Always }
}
