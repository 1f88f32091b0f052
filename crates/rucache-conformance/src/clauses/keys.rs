//! Names that stores choke on.

use crate::clause::clauses;
use crate::failure::{holds, same};
use crate::{Env, Failure};

/// Names with bytes that mean something to a store's protocol, or nothing to anybody.
const POISON: &[&str] = &[
    "\r\n",
    "a\r\nflush_all\r\n",
    "\0",
    "a\0b",
    " ",
    "a b",
    "\t",
    "\u{7f}",
    "\u{1b}[0m",
    "%",
    "%20",
    "a%20b",
    "~",
    "~l:x",
    "~r",
    "{",
    "}",
    "{x}",
    "#",
    ":",
    "::",
    "a:b",
    "*",
    "?",
    "[a]",
    "\\",
    "/",
    "../x",
    "'",
    "\"",
    "ñandú",
    "日本",
    "🇵🇪",
    "\u{200b}",
    "e\u{301}",
    "é",
    "NULL",
    "nil",
    "0",
    "-1",
];

/// Names that a careless codec makes one of.
const CONFUSABLE: &[&str] = &[
    "a b",
    "a_b",
    "a%20b",
    "a+b",
    "a:b",
    "a/b",
    "a.b",
    "a-b",
    "ab",
    "aB",
    "AB",
    "a\0b",
    "a\r\nb",
    "a\nb",
    " ab",
    "ab ",
    "e\u{301}",
    "é",
    "ruc_1",
    "ruc:1",
    "ruc_1:",
    "~m:ruc_1",
    "l:{ruc_1}",
    "{ruc_1}",
];

clauses! {
    /// Any name works: its entry is written, read, leased, deleted, and harms no other.
    fn any_name_works(env) {
        let canary = env.key("canary")?;
        env.set(&canary, "alive")?;
        for name in POISON {
            let key = env.key(name)?;
            let what = |step: &str| format!("{step} of the name {name:?}");
            env.set(&key, *name)?;
            same(&what("value"), env.value(&key)?, Some((*name).into()))?;
            env.take(&key)?;
            same(&what("delete"), env.delete(&key)?, true)?;
            same(&what("value after the delete"), env.value(&key)?, None)?;
        }
        same("canary", env.value(&canary)?, Some("alive".into()))
    }

    /// Names that look alike have entries of their own.
    fn names_that_look_alike_are_told_apart(env) {
        told_apart(env, CONFUSABLE.iter().map(ToString::to_string).collect())
    }

    /// Names around a store's limit and far past it work, and are told apart by their last byte.
    fn long_names_are_told_apart(env) {
        let lengths = [200, 240, 249, 250, 251, 1_000, 65_536];
        let names = lengths.map(|len: usize| ["a", "b"].map(|end| "x".repeat(len - 1) + end));
        told_apart(env, names.into_iter().flatten().collect())
    }

    /// A service and one whose name begins alike have entries of their own.
    fn services_do_not_meet(env) {
        let (key, sibling) = (env.key("ruc_1")?, env.sibling_key("ruc_1")?);
        env.set(&key, "own")?;
        env.set(&sibling, "sibling's")?;
        same("value", env.value(&key)?, Some("own".into()))?;
        holds("the delete finds its entry", env.delete(&key)?)?;
        same("the sibling's value", env.value(&sibling)?, Some("sibling's".into()))
    }
}

fn told_apart(env: &Env, names: Vec<String>) -> Result<(), Failure> {
    let keys = names.iter().map(|name| env.key(name)).collect::<Result<Vec<_>, _>>()?;
    for (at, key) in keys.iter().enumerate() {
        env.set(key, at.to_string())?;
    }
    for (at, key) in keys.iter().enumerate() {
        same(
            &format!("value of {key:?}, number {at}"),
            env.value(key)?,
            Some(at.to_string().into()),
        )?;
    }
    Ok(())
}
