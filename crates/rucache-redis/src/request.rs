//! What is asked of the servers: a command, and the slot that decides who is asked.

use redis::{Cmd, Script, Value};
use rucache_core::WireKey;

use crate::cluster::slot_of;
use crate::error::{Cause, Refused};
use crate::script;

/// A command on the keys of one slot.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) slot: u16,
    pub(crate) command: Cmd,
}

impl Request {
    /// The command `name` on `key`, to which arguments are added.
    pub(crate) fn new(name: &str, key: &WireKey) -> Self {
        let mut command = redis::cmd(name);
        command.arg(key.as_bytes());
        Self { slot: slot_of(key.as_bytes()), command }
    }

    /// A call of `script` on `keys`, which are in one slot.
    pub(crate) fn script(script: &Script, keys: &[&[u8]]) -> Self {
        let slot = keys.first().map_or(0, |key| slot_of(key));
        Self { slot, command: script::call(script, keys) }
    }

    /// The same with one more argument.
    pub(crate) fn arg(mut self, argument: impl redis::ToRedisArgs) -> Self {
        self.command.arg(argument);
        self
    }
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
