//! A Redis that says what a test wants: enough of the protocol to be connected to.

use rucache_testkit::{FakeServer, Step};

/// A server that answers each command with what `answer` says, or as Redis does where it says
/// nothing.
pub(crate) fn redis(
    answer: impl Fn(&[String]) -> Option<Vec<Step>> + Send + Sync + 'static,
) -> FakeServer {
    FakeServer::answering(move |bytes| {
        let usual = |command: &[String]| match command.first().map(String::as_str) {
            Some("PING") => match command.get(1) {
                Some(text) => format!("${}\r\n{text}\r\n", text.len()),
                None => "+PONG\r\n".to_owned(),
            },
            Some("INFO") => "$-1\r\n".to_owned(),
            _ => "+OK\r\n".to_owned(),
        };
        let steps = |command: Vec<String>| {
            answer(&command).unwrap_or_else(|| vec![Step::Send(usual(&command).into_bytes())])
        };
        commands(bytes).into_iter().flat_map(steps).collect()
    })
}

pub(crate) fn url(fake: &FakeServer) -> String {
    format!("redis://{}", fake.address())
}

/// The commands in `bytes`, which hold whole ones.
pub(crate) fn commands(bytes: &[u8]) -> Vec<Vec<String>> {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let mut lines = text.split("\r\n");
    let mut commands = Vec::new();
    while let Some(count) = lines.next().and_then(|line| line.strip_prefix('*')?.parse().ok()) {
        let mut words = || lines.next().and_then(|_| lines.next()).unwrap_or_default().to_owned();
        commands.push((0..count).map(|_: usize| words()).collect());
    }
    commands
}

/// The answer of an empty Redis to a `GET` or an `MGET`.
pub(crate) fn nothing(command: &[String]) -> Vec<u8> {
    match command {
        [name, names @ ..] if name == "MGET" => {
            format!("*{}\r\n{}", names.len(), "$-1\r\n".repeat(names.len())).into_bytes()
        }
        _ => b"$-1\r\n".to_vec(),
    }
}
