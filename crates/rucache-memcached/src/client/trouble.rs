//! The crate's errors as troubles. Its texts hold keys: nothing of them is kept.

use std::io;

use memcache::exp::{Error, Result};

use crate::error::Trouble;

/// Results as the server gave them: what follows a refused command was carried out all the same,
/// though the crate reports it with that command's error.
pub(super) fn one_by_one<T, U>(
    results: Vec<Result<T>>,
    read: impl Fn(T) -> std::result::Result<U, Trouble>,
) -> Vec<std::result::Result<U, Trouble>> {
    let mut ended = false;
    let read = |result: Result<T>| match result {
        Ok(result) => read(result),
        Err(_) if ended => Err(Trouble::Spoiled),
        Err(error) => {
            let trouble = trouble(&error);
            ended = trouble.ends_batch();
            Err(trouble)
        }
    };
    results.into_iter().map(read).collect()
}

pub(super) fn trouble(error: &Error) -> Trouble {
    match error {
        Error::Ambiguous { source, .. } => trouble(source),
        Error::Io(error) => broken(error),
        Error::Timeout { .. } => Trouble::Deadline,
        Error::Server(message) => match message.as_str() {
            message if message.contains("object too large") => Trouble::ItemTooLarge,
            message if message.contains("out of memory") => Trouble::OutOfMemory,
            _ => Trouble::ServerFailed,
        },
        Error::Rejected(message) => match message.as_str() {
            // A bare `ERROR`, cut from `ERROR Too many open connections`.
            "ERROR" => Trouble::TurnedAway,
            "unauthenticated" => Trouble::Unauthenticated,
            message if message.contains("non-numeric") => Trouble::NotANumber,
            _ => Trouble::NotUnderstood,
        },
        Error::Usage(_) => Trouble::Unsendable,
        _ => Trouble::Garbled,
    }
}

fn broken(error: &io::Error) -> Trouble {
    match error.kind() {
        io::ErrorKind::TimedOut if error.to_string().contains("pool exhausted") => {
            Trouble::PoolExhausted
        }
        io::ErrorKind::TimedOut => Trouble::Deadline,
        kind @ (io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::UnexpectedEof
        | io::ErrorKind::WriteZero
        | io::ErrorKind::NotConnected) => Trouble::Broken(kind),
        // What remains comes from resolving and connecting: nothing was sent.
        kind => Trouble::Unreachable(kind),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(error: Error, expected: Trouble) {
        assert_eq!(trouble(&error), expected, "{error}");
        let ambiguous = Error::Ambiguous { key: b"ruc".to_vec(), source: Box::new(error) };
        assert_eq!(trouble(&ambiguous), expected, "{ambiguous}");
    }

    fn io(kind: io::ErrorKind) -> Error {
        Error::Io(kind.into())
    }

    #[test]
    fn transport_errors_say_whether_anything_may_have_happened() {
        check(Error::Timeout { key: b"ruc".to_vec() }, Trouble::Deadline);
        check(io(io::ErrorKind::TimedOut), Trouble::Deadline);
        let exhausted = io::Error::new(io::ErrorKind::TimedOut, "connection pool exhausted");
        check(Error::Io(exhausted), Trouble::PoolExhausted);
        for kind in [
            io::ErrorKind::ConnectionReset,
            io::ErrorKind::ConnectionAborted,
            io::ErrorKind::BrokenPipe,
            io::ErrorKind::UnexpectedEof,
            io::ErrorKind::WriteZero,
            io::ErrorKind::NotConnected,
        ] {
            check(io(kind), Trouble::Broken(kind));
        }
        for kind in [
            io::ErrorKind::ConnectionRefused,
            io::ErrorKind::HostUnreachable,
            io::ErrorKind::NotFound,
            io::ErrorKind::Other,
        ] {
            check(io(kind), Trouble::Unreachable(kind));
        }
    }

    #[test]
    fn lines_of_the_server_say_what_it_minds() {
        let server = |line: &str| Error::Server(line.to_owned());
        check(server("object too large for cache"), Trouble::ItemTooLarge);
        check(server("out of memory storing object"), Trouble::OutOfMemory);
        check(server("out of memory writing get response"), Trouble::OutOfMemory);
        check(server("backend failure"), Trouble::ServerFailed);
        let rejected = |line: &str| Error::Rejected(line.to_owned());
        check(rejected("ERROR"), Trouble::TurnedAway);
        check(rejected("unauthenticated"), Trouble::Unauthenticated);
        check(rejected("cannot increment or decrement non-numeric value"), Trouble::NotANumber);
        check(rejected("bad command line format"), Trouble::NotUnderstood);
    }

    #[test]
    fn everything_else_is_garbled_or_unsendable() {
        check(Error::Protocol("unknown return code \"20131312955\"".to_owned()), Trouble::Garbled);
        check(Error::Conflict, Trouble::Garbled);
        check(Error::EmptyValue, Trouble::Garbled);
        check(Error::Usage("key must not be empty"), Trouble::Unsendable);
    }

    #[test]
    fn what_follows_a_refused_command_was_carried_out() {
        let refused = || Err(Error::Server("out of memory storing object".to_owned()));
        let results = one_by_one(vec![Ok(1), refused(), refused()], Ok);
        assert_eq!(results, [Ok(1), Err(Trouble::OutOfMemory), Err(Trouble::Spoiled)]);
    }

    #[test]
    fn a_broken_connection_is_told_for_each_command() {
        let broken = || Err(io(io::ErrorKind::ConnectionReset));
        let reset = Err(Trouble::Broken(io::ErrorKind::ConnectionReset));
        assert_eq!(one_by_one(vec![Ok(1), broken(), broken()], Ok), [Ok(1), reset, reset]);
    }
}
