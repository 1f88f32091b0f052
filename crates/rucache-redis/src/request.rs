//! What is asked of the servers: a command, and the slot that decides who is asked.

use redis::{Cmd, Script, Value};
use rucache_core::WireKey;

use crate::cluster::slot_of;
use crate::error::{Cause, Refused};
use crate::script;

/// Something asked about the keys of one slot.
#[derive(Clone)]
pub(crate) enum Request {
    /// What stands under a name. Such requests may travel together, as one command.
    Read(WireKey),
    /// A command, and the slot of its keys.
    Command(u16, Cmd),
}

impl Request {
    /// The command `name` on `key`, to which arguments are added.
    pub(crate) fn new(name: &str, key: &WireKey) -> Self {
        let mut command = redis::cmd(name);
        command.arg(key.as_bytes());
        Self::Command(slot_of(key.as_bytes()), command)
    }

    /// A call of `script` on `keys`, which are in one slot.
    pub(crate) fn script(script: &Script, keys: &[&[u8]]) -> Self {
        let slot = keys.first().map_or(0, |key| slot_of(key));
        Self::Command(slot, script::call(script, keys))
    }

    /// The same with one more argument.
    pub(crate) fn arg(self, argument: impl redis::ToRedisArgs) -> Self {
        let slot = self.slot();
        let mut command = self.into_command();
        command.arg(argument);
        Self::Command(slot, command)
    }

    /// The slot of its keys.
    pub(crate) fn slot(&self) -> u16 {
        match self {
            Self::Read(name) => slot_of(name.as_bytes()),
            Self::Command(slot, _) => *slot,
        }
    }

    /// The request as a command of its own.
    pub(crate) fn into_command(self) -> Cmd {
        match self {
            Self::Read(name) => read(&[&name]),
            Self::Command(_, command) => command,
        }
    }
}

/// The command that reads `names`, which one node has.
///
/// Alone, a name whose slot holds something else than a string is an error; among others it is
/// taken for empty.
pub(crate) fn read(names: &[&WireKey]) -> Cmd {
    let len = names.iter().map(|name| name.as_bytes().len()).sum::<usize>();
    let mut command = Cmd::with_capacity(1 + names.len(), 4 + len);
    command.arg(if let [_] = names { "GET" } else { "MGET" });
    for name in names {
        command.arg(name.as_bytes());
    }
    command
}

/// An answer as a whole number.
pub(crate) fn number(answer: Value) -> Result<u64, Cause> {
    match answered(answer)? {
        Value::Int(number) => u64::try_from(number).map_err(|_| Cause::Form),
        Value::BulkString(digits) => {
            let digits = std::str::from_utf8(&digits).ok();
            digits.and_then(|digits| digits.parse().ok()).ok_or(Cause::Foreign)
        }
        _ => Err(Cause::Form),
    }
}

/// An answer that is yes or no.
pub(crate) fn flag(answer: Value) -> Result<bool, Cause> {
    match number(answer)? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Cause::Form),
    }
}

/// An answer that is bytes or nothing.
pub(crate) fn string(answer: Value) -> Result<Option<Vec<u8>>, Cause> {
    match answered(answer)? {
        Value::Nil => Ok(None),
        Value::BulkString(bytes) => Ok(Some(bytes)),
        Value::SimpleString(text) => Ok(Some(text.into_bytes())),
        Value::Okay => Ok(Some(b"OK".to_vec())),
        _ => Err(Cause::Form),
    }
}

/// An answer that is a list.
pub(crate) fn list(answer: Value) -> Result<Vec<Value>, Cause> {
    match answered(answer)? {
        Value::Array(values) | Value::Set(values) => Ok(values),
        _ => Err(Cause::Form),
    }
}

/// The answer, where it is no error reply.
pub(crate) fn answered(answer: Value) -> Result<Value, Cause> {
    match answer {
        Value::ServerError(error) => {
            let refused = Refused::from(&error);
            Err(if refused.code() == "WRONGTYPE" {
                Cause::Foreign
            } else {
                Cause::Refused(refused)
            })
        }
        answer => Ok(answer),
    }
}
