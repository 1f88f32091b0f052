//! Tests of `error`.

use super::*;
use std::io;

fn kind_of(reply: &str) -> ErrorKind {
    let (code, detail) = reply.split_once(' ').unwrap_or((reply, ""));
    Cause::Refused(Refused::new(code, Some(detail))).kind()
}

#[test]
fn every_error_reply_has_a_kind() {
    let table = [
        (
            "WRONGTYPE Operation against a key holding the wrong kind of value",
            ErrorKind::ForeignValue,
        ),
        ("OOM command not allowed when used memory > 'maxmemory'.", ErrorKind::Full),
        ("READONLY You can't write against a read only replica.", ErrorKind::ReadOnly),
        (
            "READONLY You can't write against a read only replica. script: f, on @user_script:9.",
            ErrorKind::ReadOnly,
        ),
        ("MISCONF Redis is configured to save RDB snapshots", ErrorKind::ReadOnly),
        ("NOREPLICAS Not enough good replicas to write.", ErrorKind::ReadOnly),
        ("NOAUTH Authentication required.", ErrorKind::Denied),
        ("WRONGPASS invalid username-password pair or user is disabled.", ErrorKind::Denied),
        ("NOPERM this user has no permissions to run the 'get' command", ErrorKind::Denied),
        ("DENIED Redis is running in protected mode", ErrorKind::Denied),
        ("ERR AUTH <password> called without any password configured", ErrorKind::Denied),
        ("ERR invalid password", ErrorKind::Denied),
        ("LOADING Redis is loading the dataset in memory", ErrorKind::Unreachable),
        ("BUSY Redis is busy running a script.", ErrorKind::Unreachable),
        ("MASTERDOWN Link with MASTER is down", ErrorKind::Unreachable),
        ("CLUSTERDOWN Hash slot not served", ErrorKind::Unreachable),
        ("TRYAGAIN Multiple keys request during rehashing of slot", ErrorKind::Unreachable),
        ("MOVED 8485 127.0.0.1:7001", ErrorKind::Unreachable),
        ("ASK 8485 127.0.0.1:7001", ErrorKind::Unreachable),
        ("ERR max number of clients reached", ErrorKind::Unreachable),
        ("CROSSSLOT Keys in request don't hash to the same slot", ErrorKind::Invalid),
        ("ERR increment or decrement would overflow", ErrorKind::Invalid),
        ("ERR value is not an integer or out of range", ErrorKind::ForeignValue),
        ("NOPROTO unsupported protocol version", ErrorKind::Unsupported),
        ("ERR unknown command 'EVALSHA', with args beginning with: 'x'", ErrorKind::Unsupported),
        ("ERR DB index is out of range", ErrorKind::Unsupported),
        ("ERR SELECT is not allowed in cluster mode", ErrorKind::Unsupported),
        ("NOSCRIPT No matching script. Please use EVAL.", ErrorKind::Protocol),
        ("EXECABORT Transaction discarded", ErrorKind::Protocol),
        ("ERR syntax error", ErrorKind::Protocol),
        ("SOMETHING new", ErrorKind::Protocol),
        ("", ErrorKind::Protocol),
    ];
    for (reply, kind) in table {
        assert_eq!(kind_of(reply), kind, "{reply}");
    }
}

#[test]
fn every_cause_has_a_kind() {
    let refused = || Refused::new("WRONGPASS", Some("invalid username-password pair"));
    let table = [
        (Cause::Deadline, ErrorKind::Timeout),
        (Cause::ConnectTime { within: Duration::from_millis(200) }, ErrorKind::Unreachable),
        (Cause::Connect(Arc::new(io::ErrorKind::ConnectionRefused.into())), ErrorKind::Unreachable),
        (Cause::NoNode("none"), ErrorKind::Unreachable),
        (Cause::Handshake(refused()), ErrorKind::Denied),
        (Cause::Lost(io::Error::from(io::ErrorKind::BrokenPipe).into()), ErrorKind::Interrupted),
        (Cause::Garbled, ErrorKind::Protocol),
        (Cause::Form, ErrorKind::Protocol),
        (Cause::Open(Box::new(Cause::Deadline)), ErrorKind::CircuitOpen),
        (Cause::Recovering, ErrorKind::CircuitOpen),
        (Cause::Refused(refused()), ErrorKind::Denied),
        (Cause::Foreign, ErrorKind::ForeignValue),
        (Cause::ValueLen { len: 2, max: 1 }, ErrorKind::TooLarge),
        (Cause::MemberLen { len: 65 }, ErrorKind::Invalid),
        (Cause::NoteLen { len: 65 }, ErrorKind::Invalid),
        (Cause::Sum, ErrorKind::Invalid),
        (Cause::Cursor, ErrorKind::Invalid),
        (Cause::Setting("ca".to_owned()), ErrorKind::Invalid),
    ];
    for (cause, kind) in table {
        assert_eq!(cause.kind(), kind, "{cause}");
    }
}

#[test]
fn the_clients_own_errors_are_told_apart() {
    let io = |kind: io::ErrorKind| RedisError::from(io::Error::from(kind));
    let general = |kind| RedisError::from((kind, "said the client"));
    let during = |error| Cause::of_exchange(error).kind();
    assert_eq!(during(io(io::ErrorKind::BrokenPipe)), ErrorKind::Interrupted);
    assert_eq!(during(io(io::ErrorKind::ConnectionReset)), ErrorKind::Interrupted);
    assert_eq!(during(io(io::ErrorKind::UnexpectedEof)), ErrorKind::Interrupted);
    // What the guard of the stream says.
    assert_eq!(during(io(io::ErrorKind::InvalidData)), ErrorKind::Protocol);
    assert_eq!(during(general(redis::ErrorKind::Parse)), ErrorKind::Protocol);
    assert_eq!(during(general(redis::ErrorKind::UnexpectedReturnType)), ErrorKind::Protocol);
    let connecting = |error| Cause::of_handshake(error).kind();
    assert_eq!(connecting(io(io::ErrorKind::BrokenPipe)), ErrorKind::Unreachable);
    assert_eq!(connecting(io(io::ErrorKind::InvalidData)), ErrorKind::Protocol);
    assert_eq!(connecting(general(redis::ErrorKind::AuthenticationFailed)), ErrorKind::Denied);
    assert_eq!(connecting(general(redis::ErrorKind::RESP3NotSupported)), ErrorKind::Unsupported);
    let extension = |code: &str| redis::make_extension_error(code.to_owned(), None);
    assert_eq!(during(extension("OOM")), ErrorKind::Full);
    assert_eq!(connecting(extension("WRONGPASS")), ErrorKind::Denied);
}

#[test]
fn an_error_says_where_and_why_and_never_which_key() {
    let replies = [
        "ERR unknown command 'EVALSHA', with args beginning with: 'migo:ruc_20131312955' ",
        "ERR Error running script (call to f): \"migo:ruc_20131312955\"",
        "SOMETHING about 'migo:ruc_20131312955'",
    ];
    for reply in replies {
        let (code, detail) = reply.split_once(' ').unwrap();
        let cause = Cause::Refused(Refused::new(code, Some(detail)));
        let error = cause.at(&"127.0.0.1:6379".into()).during(Operation::Get);
        let shown = format!("{error} {:?}", std::error::Error::source(&error).unwrap());
        assert!(!shown.contains("20131312955"), "{shown}");
    }
    let cause = Cause::Refused(Refused::new("OOM", Some("command not allowed")));
    let error = cause.at(&"127.0.0.1:6379".into()).during(Operation::Write);
    assert_eq!(error.to_string(), "redis at 127.0.0.1:6379: write failed: out of memory");
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(source, "the server refuses: OOM command not allowed");
}
