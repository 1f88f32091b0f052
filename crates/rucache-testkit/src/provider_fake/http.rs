//! As much HTTP/1.1 as a fake API needs.

use std::io;

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

/// A question.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) method: String,
    /// Path and query.
    target: String,
    pub(super) authorization: Option<String>,
    pub(super) body: String,
}

impl Asked {
    /// The path, without the query.
    pub(super) fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// Whatever the question says, in the path or in the body.
    fn text(&self) -> String {
        format!("{} {}", self.target, self.body)
    }

    /// The numbers of eleven digits in the question.
    pub(super) fn numbers(&self) -> Vec<String> {
        let text = self.text();
        let runs = text.split(|c: char| !c.is_ascii_digit());
        runs.filter(|run| run.len() == 11).map(str::to_owned).collect()
    }

    /// The day in the question, as `2026-01-28`.
    pub(super) fn day(&self) -> Option<String> {
        let text = self.text();
        let is_day = |part: &&str| part.len() == 10 && part.split('-').map(str::len).eq([4, 2, 2]);
        let mut parts = text.split(|c: char| !c.is_ascii_digit() && c != '-');
        parts.find(is_day).map(str::to_owned)
    }

    /// The same question about another number in the place of the first.
    pub(super) fn with_another_number(&self) -> Self {
        let Some(first) = self.numbers().into_iter().next() else { return self.clone() };
        let another = "20131312955";
        let another = if first == another { "20100030595" } else { another };
        self.replacing(&first, another)
    }

    /// The same question without its last `count` numbers.
    pub(super) fn without_last(&self, count: usize) -> Self {
        let numbers = self.numbers();
        let dropped = numbers.iter().rev().take(count);
        dropped.fold(self.clone(), |asked, number| asked.replacing(number, ""))
    }

    fn replacing(&self, number: &str, by: &str) -> Self {
        let (target, body) = (self.target.replace(number, by), self.body.replace(number, by));
        Self { target, body, ..self.clone() }
    }
}

/// Reads the next question; the end of the stream is an error.
pub(super) async fn read(stream: &mut TcpStream, unread: &mut Vec<u8>) -> io::Result<Asked> {
    loop {
        if let Some((asked, len)) = parse(unread) {
            unread.drain(..len);
            return Ok(asked);
        }
        let mut buffer = [0; 16 * 1024];
        let len = stream.read(&mut buffer).await?;
        if len == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        unread.extend_from_slice(&buffer[..len]);
    }
}

/// The question at the start of `bytes` and its length, once it is complete.
fn parse(bytes: &[u8]) -> Option<(Asked, usize)> {
    let head_len = bytes.windows(4).position(|end| end == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(&bytes[..head_len]).into_owned();
    let mut lines = head.lines();
    let mut request = lines.next()?.split(' ');
    let (method, target) = (request.next()?.to_owned(), request.next()?.to_owned());
    let header = |name: &str| {
        head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        })
    };
    let body_len = header("content-length").and_then(|len| len.parse().ok()).unwrap_or(0);
    let body = bytes.get(head_len..head_len + body_len)?;
    let body = String::from_utf8_lossy(body).into_owned();
    let authorization = header("authorization");
    Some((Asked { method, target, authorization, body }, head_len + body_len))
}

/// What is sent.
#[derive(Debug)]
pub(super) enum Reply {
    Silence,
    Said { status: u16, retry_after: Option<u64>, body: String, cut: bool },
}

impl Reply {
    pub(super) const fn whole(status: u16, body: String) -> Self {
        Self::Said { status, retry_after: None, body, cut: false }
    }

    pub(super) fn retry_after(mut self, seconds: Option<u64>) -> Self {
        if let Self::Said { retry_after, .. } = &mut self {
            *retry_after = seconds;
        }
        self
    }

    /// The same without the last third of its body, as if that were all.
    pub(super) fn shortened(mut self) -> Self {
        if let Self::Said { body, .. } = &mut self {
            *body = body.chars().take(body.chars().count() * 2 / 3).collect();
        }
        self
    }

    /// The same, with the connection ending in the middle.
    pub(super) fn cut(mut self) -> Self {
        if let Self::Said { cut, .. } = &mut self {
            *cut = true;
        }
        self
    }

    pub(super) const fn status(&self) -> u16 {
        match self {
            Self::Silence => 0,
            Self::Said { status, .. } => *status,
        }
    }

    pub(super) const fn ends_connection(&self) -> bool {
        matches!(self, Self::Said { cut: true, .. })
    }

    pub(super) fn bytes(&self) -> Option<Vec<u8>> {
        let Self::Said { status, retry_after, body, cut } = self else { return None };
        let kind = if body.starts_with('<') { "text/html" } else { "application/json" };
        let mut head = format!(
            "HTTP/1.1 {status} -\r\nContent-Type: {kind}; charset=utf-8\r\nContent-Length: {}\r\n",
            body.len()
        );
        if let Some(seconds) = retry_after {
            head.push_str(&format!("Retry-After: {seconds}\r\n"));
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        let sent = if *cut { body.len() / 2 } else { body.len() };
        bytes.extend_from_slice(&body.as_bytes()[..sent]);
        Some(bytes)
    }
}
