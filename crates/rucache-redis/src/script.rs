//! The scripts of the contract: each change of an entry and its lease is one step at the server.

use std::sync::LazyLock;

use redis::{Cmd, Pipeline, Script};

macro_rules! scripts {
    ($($(#[$doc:meta])* $name:ident = $($part:literal)+,)+) => {
        $($(#[$doc])*
        pub(crate) static $name: LazyLock<Script> =
            LazyLock::new(|| Script::new(concat!($(include_str!($part)),+)));)+

        const TEXTS: &[&str] = &[$(concat!($(include_str!($part)),+)),+];
    };
}

scripts! {
    /// Writes an entry under its precondition and ends the lease.
    WRITE = "script/version.lua" "script/write.lua",
    /// Deletes an entry with its lease.
    DELETE = "script/version.lua" "script/delete.lua",
    /// Marks an entry stale and ends the lease.
    EXPIRE = "script/version.lua" "script/expire.lua",
    /// Grants a lease where the entry is as it was seen.
    LEASE = "script/version.lua" "script/lease.lua",
    /// Prolongs a lease.
    RENEW = "script/renew.lua",
    /// Ends a lease, with or without a note.
    RELEASE = "script/release.lua",
    /// Adds to a counter.
    ADD = "script/add.lua",
    /// Raises a marker.
    BUMP = "script/bump.lua",
    /// Puts members into a map.
    MAP_PUT = "script/map_put.lua",
    /// Removes members from a map.
    MAP_REMOVE = "script/map_remove.lua",
    /// Drops up to 1,000 expired members of a map.
    MAP_PURGE = "script/map_purge.lua",
}

/// Number of scripts, and of the replies to [`load`].
pub(crate) const COUNT: usize = TEXTS.len();

/// Adds a `SCRIPT LOAD` for each script. All are loaded together, so that a server either has all of
/// them or none, and a batch that meets `NOSCRIPT` keeps the order of its changes.
pub(crate) fn load(pipeline: &mut Pipeline) {
    for text in TEXTS {
        pipeline.cmd("SCRIPT").arg("LOAD").arg(*text);
    }
}

/// The call of `script` on `keys`, to which arguments are added.
pub(crate) fn call(script: &Script, keys: &[&[u8]]) -> Cmd {
    let mut command = redis::cmd("EVALSHA");
    command.arg(script.get_hash()).arg(keys.len());
    for key in keys {
        command.arg(*key);
    }
    command
}
