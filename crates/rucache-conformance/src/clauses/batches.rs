//! Many keys at once.

use rucache_core::{Companions, Key, Precondition, Ttl, Write, WriteOutcome};

use crate::clause::clauses;
use crate::env::calls::LONG;
use crate::failure::same;
use crate::{Env, Failure};

clauses! {
    /// The empty batch is an empty answer, of every operation.
    fn empty_batch_is_an_empty_answer(env) {
        let backend = env.backend();
        same("get", env.run(backend.get_many(&[], Companions::Markers))?.len(), 0)?;
        same("write", env.run(backend.write_many(&[]))?.len(), 0)?;
        same("delete", env.run(backend.delete_many(&[]))?.len(), 0)?;
        same("expire", env.run(backend.expire_many(&[]))?.len(), 0)?;
        same("lease", env.run(backend.lease_many(&[]))?.len(), 0)?;
        same("renew", env.run(backend.renew_many(&[], Ttl::SHORT))?.len(), 0)?;
        same("release", env.run(backend.release_many(&[]))?.len(), 0)?;
        same("add", env.run(backend.add_many(&[], Ttl::SHORT))?.len(), 0)?;
        same("markers", env.run(backend.markers(&[], env.seed()))?.len(), 0)?;
        same("bump", env.run(backend.bump(&[], env.seed()))?.len(), 0)
    }

    /// Answers stand in the order of the requests, a thousand of them, missing entries included.
    fn answers_stand_in_the_order_of_the_requests(env) {
        let keys = (0..1_000).map(|name| env.key(&format!("k{name}")));
        let keys = keys.collect::<Result<Vec<_>, _>>()?;
        let present: Vec<_> = keys.iter().step_by(3).cloned().collect();
        let write = |key: &Key| write(key, key.name());
        let writes: Vec<_> = present.iter().map(write).collect();
        for outcome in env.run(env.backend().write_many(&writes))? {
            same("outcome", outcome?, WriteOutcome::Stored)?;
        }
        let wanted = |at: usize| (at.is_multiple_of(3)).then(|| keys[at].name().to_owned());
        let wanted: Vec<_> = (0..keys.len()).map(wanted).collect();
        same("values", values(env, &keys)?, wanted)
    }

    /// A key that stands twice in a batch is answered twice.
    fn key_twice_is_answered_twice(env) {
        let key = env.key("twice")?;
        env.set(&key, "one")?;
        let values = values(env, &[key.clone(), key])?;
        same("values", values, vec![Some("one".to_owned()); 2])
    }

    /// Two changes of a key in a batch happen in the order of the batch.
    fn changes_happen_in_the_order_of_the_batch(env) {
        let (written, deleted) = (env.key("written")?, env.key("deleted")?);
        let writes = [write(&written, "one"), write(&deleted, "one"), write(&written, "two")];
        for outcome in env.run(env.backend().write_many(&writes))? {
            same("outcome", outcome?, WriteOutcome::Stored)?;
        }
        same("value", env.value(&written)?, Some("two".into()))?;
        let deletes = env.run(env.backend().delete_many(&[deleted.clone(), deleted]))?;
        let deletes = deletes.into_iter().collect::<Result<Vec<_>, _>>()?;
        same("deletes", deletes, vec![true, false])
    }
}

fn write(key: &Key, value: &str) -> Write {
    let value = value.to_owned().into();
    Write { key: key.clone(), value, ttl: LONG, when: Precondition::Always }
}

fn values(env: &Env, keys: &[Key]) -> Result<Vec<Option<String>>, Failure> {
    let mut values = Vec::new();
    for fetched in env.run(env.backend().get_many(keys, Companions::None))? {
        let value = fetched?.entry.map(|stored| stored.value);
        values.push(value.map(|value| String::from_utf8_lossy(&value).into_owned()));
    }
    Ok(values)
}
