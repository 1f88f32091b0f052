//! A client that sends exactly the bytes it is given.

use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// One connection.
pub(super) struct Client(BufReader<TcpStream>);

/// What came back.
#[derive(Debug)]
pub(super) struct Response {
    pub(super) status: u16,
    headers: Vec<(String, String)>,
    pub(super) body: String,
}

impl Client {
    pub(super) async fn connect(address: SocketAddr) -> Self {
        Self(BufReader::new(TcpStream::connect(address).await.expect("a listening service")))
    }

    /// Sends `bytes`; that the service may have hung up shows in what it answers.
    pub(super) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).await.ok();
    }

    /// Says that nothing more will be sent.
    pub(super) async fn finish(&mut self) {
        self.0.shutdown().await.ok();
    }

    /// The next answer; `None` when the service hung up instead.
    pub(super) async fn response(&mut self) -> Option<Response> {
        let mut response = self.head().await?;
        response.body = String::from_utf8(self.body(&response).await?).expect("UTF-8");
        Some(response)
    }

    /// The next answer without its body.
    pub(super) async fn head(&mut self) -> Option<Response> {
        let line = self.line().await?;
        let status = line.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().expect("a status");
        let mut headers = Vec::new();
        while let Some(line) = self.line().await.filter(|line| !line.is_empty()) {
            let (name, value) = line.split_once(": ").expect("a header");
            headers.push((name.to_ascii_lowercase(), value.to_owned()));
        }
        Some(Response { status, headers, body: String::new() })
    }

    /// The first part of a body that is sent piece by piece.
    pub(super) async fn first_chunk(&mut self) -> String {
        self.head().await.expect("an answer");
        let len = self.line().await.expect("a length");
        let len = usize::from_str_radix(&len, 16).expect("hexadecimal digits");
        String::from_utf8(self.exactly(len).await.expect("a chunk")).expect("UTF-8")
    }

    async fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        match self.0.read_line(&mut line).await {
            Ok(len) if len > 0 => Some(line.trim_end_matches("\r\n").to_owned()),
            _ => None,
        }
    }

    async fn body(&mut self, response: &Response) -> Option<Vec<u8>> {
        if response.header("transfer-encoding") == Some("chunked") {
            let mut body = Vec::new();
            loop {
                let len = usize::from_str_radix(&self.line().await?, 16).ok()?;
                let chunk = self.exactly(len).await?;
                self.line().await?;
                if chunk.is_empty() {
                    return Some(body);
                }
                body.extend(chunk);
            }
        }
        let len = response.header("content-length").map_or(0, |len| len.parse().expect("a length"));
        self.exactly(len).await
    }

    async fn exactly(&mut self, len: usize) -> Option<Vec<u8>> {
        let mut bytes = vec![0; len];
        self.0.read_exact(&mut bytes).await.ok().map(|_| bytes)
    }
}

impl Response {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| &**value)
    }

    /// Asserts that this is a hit on a value that was stored for `secs` seconds a moment ago.
    #[track_caller]
    pub(super) fn lives(&self, secs: u64) {
        let ttl = self
            .header("cache-status")
            .and_then(|status| status.strip_prefix("rucache; hit; ttl="));
        let ttl: u64 = ttl.and_then(|ttl| ttl.parse().ok()).expect("a hit");
        assert!(ttl <= secs && ttl + 10 >= secs, "{ttl} s of {secs} s");
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("a JSON body")
    }

    /// Asserts that this is the problem `kind`, and gives its members.
    #[track_caller]
    pub(super) fn problem(&self, status: u16, kind: &str) -> Value {
        assert_eq!(
            (self.status, self.header("content-type")),
            (status, Some("application/problem+json")),
            "{self:?}"
        );
        let problem = self.json();
        assert_eq!(problem["type"], format!("/problems/{kind}"));
        assert_eq!(problem["status"], status);
        assert!(problem["title"].is_string() && problem["detail"].is_string(), "{problem}");
        problem
    }
}
