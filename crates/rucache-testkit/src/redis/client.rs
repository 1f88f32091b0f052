//! The smallest client of the Redis protocol (RESP2) that administration needs.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// How long a server may take to answer an administrator.
const PATIENCE: Duration = Duration::from_secs(5);

/// A connection through the server's Unix socket: it needs no port, no TLS, and cannot reach
/// another server.
#[derive(Debug)]
pub(super) struct AdminClient {
    stream: BufReader<UnixStream>,
}

/// What a server answers.
pub(super) enum Reply {
    /// As text: nothing is empty, the elements of an array stand on lines of their own.
    Text(String),
    /// The text of an error.
    Error(String),
}

impl AdminClient {
    pub(super) fn connect(socket: &Path) -> io::Result<Self> {
        let stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Self { stream: BufReader::new(stream) })
    }

    pub(super) fn call<A: AsRef<[u8]>>(&mut self, arguments: &[A]) -> io::Result<Reply> {
        let mut request = format!("*{}\r\n", arguments.len()).into_bytes();
        for argument in arguments {
            let argument = argument.as_ref();
            request.extend_from_slice(format!("${}\r\n", argument.len()).as_bytes());
            request.extend_from_slice(argument);
            request.extend_from_slice(b"\r\n");
        }
        self.stream.get_mut().write_all(&request)?;
        self.reply()
    }

    fn reply(&mut self) -> io::Result<Reply> {
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        let line = line.strip_suffix("\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
        let (kind, rest) = line.split_at_checked(1).ok_or(io::ErrorKind::InvalidData)?;
        match kind {
            "+" | ":" => Ok(Reply::Text(rest.to_owned())),
            "-" => Ok(Reply::Error(rest.to_owned())),
            "$" | "*" if rest == "-1" => Ok(Reply::Text(String::new())),
            "$" => self.bulk(length(rest)?).map(Reply::Text),
            "*" => self.array(length(rest)?).map(Reply::Text),
            _ => Err(io::ErrorKind::InvalidData.into()),
        }
    }

    fn bulk(&mut self, len: usize) -> io::Result<String> {
        let mut bytes = vec![0; len.saturating_add(2)];
        self.stream.read_exact(&mut bytes)?;
        bytes.truncate(len);
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn array(&mut self, len: usize) -> io::Result<String> {
        let mut lines = Vec::new();
        for _ in 0..len {
            match self.reply()? {
                Reply::Text(text) | Reply::Error(text) => lines.push(text),
            }
        }
        Ok(lines.join("\n"))
    }
}

fn length(digits: &str) -> io::Result<usize> {
    digits.parse().map_err(|_| io::ErrorKind::InvalidData.into())
}
