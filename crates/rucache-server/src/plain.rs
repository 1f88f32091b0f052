//! Errors in plain words, on one line.

use std::error::Error;

use rucache::CacheError;
use rucache::core::{self, ErrorKind};

/// Why a backend failed. Where it was not asked because it failed before, that failure is told.
pub(crate) fn of_backend(error: &core::Error) -> String {
    let Some(why) = error.source().filter(|_| error.kind() == ErrorKind::CircuitOpen) else {
        return in_one_line(error);
    };
    let cause = in_one_line(why.source().unwrap_or(why));
    match error.node() {
        Some(node) => format!("{} at {node}: {cause}", error.backend()),
        None => format!("{}: {cause}", error.backend()),
    }
}

/// Why a cache failed.
pub(crate) fn of_cache(error: &CacheError) -> String {
    match error {
        CacheError::Backend(error) => of_backend(error),
        error => in_one_line(error),
    }
}

/// An error and its causes, joined by `: `, without what is said already.
pub(crate) fn in_one_line(error: &dyn Error) -> String {
    let mut line = flat(error);
    let mut next = error.source();
    while let Some(cause) = next {
        let text = flat(cause);
        if !line.contains(&text) {
            line.push_str(": ");
            line.push_str(&text);
        }
        next = cause.source();
    }
    line
}

fn flat(error: &dyn Error) -> String {
    let text = error.to_string();
    text.split('\n').map(str::trim).filter(|part| !part.is_empty()).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use rucache::core::Operation;

    use super::*;

    #[derive(Debug)]
    struct Layer(&'static str, Option<Box<Layer>>);

    impl std::fmt::Display for Layer {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str(self.0)
        }
    }

    impl Error for Layer {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            self.1.as_deref().map(|cause| cause as _)
        }
    }

    #[test]
    fn causes_are_joined_in_one_line() {
        let disk = Layer("disk\n full\n", None);
        let write = Layer("cannot write", Some(Box::new(disk)));
        assert_eq!(in_one_line(&write), "cannot write: disk; full");
    }

    #[test]
    fn a_cause_that_is_said_already_is_not_repeated() {
        let disk = Layer("disk full", None);
        let write = Layer("cannot write: disk full; make room", Some(Box::new(disk)));
        assert_eq!(in_one_line(&write), "cannot write: disk full; make room");
    }

    #[test]
    fn failure_that_opened_a_circuit_is_told_in_the_place_of_the_circuit() {
        let refused = Layer("wrong password", None);
        let error = |cause| {
            let error = core::Error::new(ErrorKind::CircuitOpen, "redis", Operation::Ping);
            of_backend(&error.at_node("a:6379").with_source(cause))
        };
        assert_eq!(
            error(Layer("left alone", Some(refused.into()))),
            "redis at a:6379: wrong password"
        );
        assert_eq!(error(Layer("not back yet", None)), "redis at a:6379: not back yet");
    }
}
