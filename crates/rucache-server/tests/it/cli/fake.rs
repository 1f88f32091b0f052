//! Something that listens where a service is expected, and answers what a test wants.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

/// The URL of a listener that answers `answer`, as it is, to the first connection.
pub(super) fn answering(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("the program connects");
        let mut head = [0; 8192];
        let _ = stream.read(&mut head).expect("a request");
        stream.write_all(answer.as_bytes()).expect("the program reads");
    });
    url
}

/// A URL where nobody listens.
pub(super) fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    format!("http://{}", listener.local_addr().expect("bound"))
}
