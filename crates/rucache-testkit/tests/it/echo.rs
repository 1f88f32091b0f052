//! A server that sends back what it receives, and clients that expect it.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

/// How long a client waits for what must come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// How long a client waits to see that nothing comes.
pub(crate) const SILENCE: Duration = Duration::from_millis(60);

/// The port of an echo server that lives as long as this process.
pub(crate) fn echo_server() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || {
                stream.set_nodelay(true).unwrap();
                io::copy(&mut &stream, &mut &stream)
            });
        }
    });
    port
}

pub(crate) fn connect(port: u16) -> io::Result<TcpStream> {
    let address: SocketAddr = ([127, 0, 0, 1], port).into();
    let stream = TcpStream::connect_timeout(&address, Duration::from_millis(300))?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// Sends `bytes` and reads as many.
pub(crate) fn ask(mut stream: &TcpStream, bytes: &[u8]) -> io::Result<Vec<u8>> {
    stream.write_all(bytes)?;
    let mut answer = vec![0; bytes.len()];
    stream.read_exact(&mut answer)?;
    Ok(answer)
}

/// Whether nothing comes for a while.
pub(crate) fn is_silent(mut stream: &TcpStream) -> bool {
    stream.set_read_timeout(Some(SILENCE)).unwrap();
    let read = stream.read(&mut [0]);
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let kind = read.map_err(|error| error.kind());
    matches!(kind, Err(io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut))
}

/// What comes until the connection ends, and how it ends.
pub(crate) fn read_to_end(mut stream: &TcpStream) -> (Vec<u8>, Result<usize, io::ErrorKind>) {
    let mut bytes = Vec::new();
    let end = stream.read_to_end(&mut bytes).map_err(|error| error.kind());
    (bytes, end)
}
