//! What a backend says of itself.

use std::collections::BTreeSet;

use rucache_core::{ErrorKind, Key, Precondition, Write};

use crate::clause::clauses;
use crate::env::calls::{LONG, is_kind};
use crate::failure::{holds, same};
use crate::{Env, Failure};

clauses! {
    /// Capabilities have a lower-case name, accept values of 1 KiB at least, and do not change.
    fn capabilities_are_plain_and_steady(env) {
        let capabilities = env.backend().capabilities();
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let name = capabilities.name;
        holds("the name is lower-case", !name.is_empty() && name.bytes().all(plain))?;
        holds("a value of 1 KiB is accepted", capabilities.max_value_len >= 1024)?;
        same("capabilities asked again", env.backend().capabilities(), capabilities)
    }

    /// An error names the backend that its capabilities name, and never the key.
    fn error_names_the_backend_and_never_the_key(env) {
        let capabilities = env.backend().capabilities();
        let key = env.key("ruc_20131312955")?;
        let value = vec![0; capabilities.max_value_len + 1].into();
        let write = Write { key, value, ttl: LONG, when: Precondition::Absent };
        let error = env.write_error(write)?;
        same("backend of the error", error.backend(), capabilities.name)?;
        let text = Failure::from(error).to_string();
        holds("the text does not hold the key", !text.contains("20131312955"))
    }

    /// A backend that works answers a ping.
    fn ping_is_answered(env) {
        Ok(env.run(env.backend().ping())??)
    }

    /// A backend that works says what it knows of itself, which may be nothing.
    fn info_is_answered(env) {
        env.run(env.backend().info())??;
        Ok(())
    }

    /// A listing of a service has its keys, each at least once, and no other service's.
    fn scan_lists_the_keys_of_one_service(env) {
        if !env.backend().capabilities().scan {
            return Ok(());
        }
        let mut wanted = BTreeSet::new();
        for name in 0..40 {
            let key = env.key(&format!("ruc_{name}"))?;
            env.set(&key, "listed")?;
            wanted.insert(key);
        }
        env.set(&env.sibling_key("ruc_1")?, "not listed")?;
        env.take(&env.key("leased")?)?;
        env.add(&env.key("counted")?, 1, LONG)?;
        same("keys", listing(env)?, wanted)
    }

    /// A backend that cannot list keys says so instead of listing none.
    fn scan_is_refused_where_it_is_not_offered(env) {
        if env.backend().capabilities().scan {
            return Ok(());
        }
        match env.run(env.backend().scan(env.service(), None, 10))? {
            Err(error) => is_kind(&error, ErrorKind::Unsupported),
            Ok(page) => Err(Failure::new(format!("wanted an error, found {page:?}"))),
        }
    }
}

fn listing(env: &Env) -> Result<BTreeSet<Key>, Failure> {
    let mut listed = BTreeSet::new();
    let mut cursor = None;
    for _ in 0..10_000 {
        let page = env.run(env.backend().scan(env.service(), cursor.as_deref(), 10))??;
        listed.extend(page.keys);
        cursor = page.next;
        if cursor.is_none() {
            return Ok(listed);
        }
    }
    Err(Failure::new("the listing has no end"))
}
