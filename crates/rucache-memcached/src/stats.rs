//! What a server says of itself, over a small connection of its own: the meta protocol has no word
//! for it.

use std::io;

use rucache_core::Info;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use crate::error::Trouble;

/// Longest answer that is read, in bytes; memcached's has about 3,000.
const MAX_ANSWER: u64 = 64 * 1024;

/// Asks the server at `address`.
pub(crate) async fn ask(address: &str, deadline: Instant) -> Result<Info, Trouble> {
    match timeout_at(deadline, exchange(address)).await {
        Ok(answer) => parse(&answer?),
        Err(_) => Err(Trouble::Deadline),
    }
}

async fn exchange(address: &str) -> Result<String, Trouble> {
    let unreachable = |error: io::Error| Trouble::Unreachable(error.kind());
    let broken = |error: io::Error| Trouble::Broken(error.kind());
    let mut stream = TcpStream::connect(address).await.map_err(unreachable)?;
    // The server closes the connection after its answer.
    stream.write_all(b"stats\r\nquit\r\n").await.map_err(broken)?;
    let mut answer = String::new();
    stream.take(MAX_ANSWER).read_to_string(&mut answer).await.map_err(|error| {
        match error.kind() {
            io::ErrorKind::InvalidData => Trouble::Garbled,
            kind => Trouble::Broken(kind),
        }
    })?;
    Ok(answer)
}

fn parse(answer: &str) -> Result<Info, Trouble> {
    if answer.starts_with("ERROR") {
        return Err(Trouble::TurnedAway);
    }
    if !answer.ends_with("END\r\n") {
        return Err(Trouble::Garbled);
    }
    let text = |name| {
        answer.lines().find_map(|line| {
            let (found, value) = line.strip_prefix("STAT ")?.split_once(' ')?;
            (found == name).then_some(value)
        })
    };
    let number = |name| text(name).and_then(|value| value.parse().ok());
    let mut info = Info::default();
    info.version = text("version").map(|version| version.chars().take(40).collect());
    info.items = number("curr_items");
    info.used_bytes = number("bytes");
    info.capacity_bytes = number("limit_maxbytes");
    info.evictions = number("evictions");
    Ok(info)
}

/// The nodes as one: figures are added up, and the version is the first that is said.
pub(crate) fn add(mut sum: Info, node: Info) -> Info {
    let plus = |a: Option<u64>, b: Option<u64>| match (a, b) {
        (Some(a), Some(b)) => Some(a.saturating_add(b)),
        (one, other) => one.or(other),
    };
    sum.version = sum.version.or(node.version);
    sum.items = plus(sum.items, node.items);
    sum.used_bytes = plus(sum.used_bytes, node.used_bytes);
    sum.capacity_bytes = plus(sum.capacity_bytes, node.capacity_bytes);
    sum.evictions = plus(sum.evictions, node.evictions);
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str = "STAT pid 7\r\nSTAT version 1.6.18\r\nSTAT curr_items 3\r\n\
                          STAT bytes 200\r\nSTAT limit_maxbytes 67108864\r\nSTAT evictions 1\r\nEND\r\n";

    #[test]
    fn figures_are_read_and_added_up() {
        let info = parse(ANSWER).unwrap();
        assert_eq!((info.version.as_deref(), info.items), (Some("1.6.18"), Some(3)));
        let sum = add(info.clone(), info);
        assert_eq!((sum.items, sum.used_bytes, sum.evictions), (Some(6), Some(400), Some(2)));
        assert_eq!(sum.capacity_bytes, Some(2 * 67_108_864));
    }

    #[test]
    fn missing_figures_are_absent() {
        assert_eq!(parse("END\r\n").unwrap(), Info::default());
        assert_eq!(parse("STAT curr_items x\r\nEND\r\n").unwrap().items, None);
    }

    #[test]
    fn what_is_no_answer_is_told() {
        assert_eq!(parse("STAT curr_items 3\r\n"), Err(Trouble::Garbled));
        assert_eq!(parse("ERROR Too many open connections\r\n"), Err(Trouble::TurnedAway));
    }
}
