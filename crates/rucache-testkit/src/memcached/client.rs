//! The smallest client of memcached's text protocol that administration needs.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long a server may take to answer an administrator.
const PATIENCE: Duration = Duration::from_secs(5);

/// First words of commands whose last argument is a block of data on a line of its own.
const WITH_DATA: &[&str] = &["set", "add", "replace", "append", "prepend", "cas", "ms"];

/// A connection to one server.
#[derive(Debug)]
pub(super) struct AdminClient {
    stream: BufReader<TcpStream>,
}

impl AdminClient {
    pub(super) fn connect(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Self { stream: BufReader::new(stream) })
    }

    /// Sends a command; the lines of its answer, without the `END` that follows a list.
    pub(super) fn call<A: AsRef<[u8]>>(&mut self, arguments: &[A]) -> io::Result<String> {
        let mut words: Vec<&[u8]> = arguments.iter().map(AsRef::as_ref).collect();
        let has_data = words
            .first()
            .is_some_and(|first| WITH_DATA.iter().any(|command| command.as_bytes() == *first));
        let data = if has_data { words.pop() } else { None };
        let mut request = words.join(&b' ');
        if let Some(data) = data {
            request.extend_from_slice(b"\r\n");
            request.extend_from_slice(data);
        }
        request.extend_from_slice(b"\r\n");
        self.stream.get_mut().write_all(&request)?;
        self.reply()
    }

    fn reply(&mut self) -> io::Result<String> {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            self.stream.read_line(&mut line)?;
            let line = line.strip_suffix("\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
            if line == "END" {
                return Ok(lines.join("\n"));
            }
            lines.push(line.to_owned());
            match Follows::of(line) {
                Follows::Nothing => return Ok(lines.join("\n")),
                Follows::Lines => {}
                Follows::Data { len } => lines.push(self.data(len)?),
                Follows::LastData { len } => {
                    lines.push(self.data(len)?);
                    return Ok(lines.join("\n"));
                }
            }
        }
    }

    fn data(&mut self, len: usize) -> io::Result<String> {
        let mut bytes = vec![0; len.saturating_add(2)];
        self.stream.read_exact(&mut bytes)?;
        bytes.truncate(len);
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

/// What comes after a line of an answer.
enum Follows {
    Nothing,
    Lines,
    Data { len: usize },
    LastData { len: usize },
}

impl Follows {
    fn of(line: &str) -> Self {
        let words: Vec<&str> = line.split(' ').collect();
        let len = |at: usize| words.get(at).and_then(|digits| digits.parse().ok()).unwrap_or(0);
        match words.first().copied() {
            Some("VALUE") => Self::Data { len: len(3) },
            Some("VA") => Self::LastData { len: len(1) },
            Some("STAT" | "ITEM") => Self::Lines,
            _ => Self::Nothing,
        }
    }
}
