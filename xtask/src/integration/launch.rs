//! Starting the servers of a row and making them one backend.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::Duration;

use super::ports::Ports;
use super::process::{self, Started, wait_until};
use super::rows::{FILE, Question, Row, Server};
use super::state::{self, State};
use crate::command::Invocation;
use crate::failure::{Doing as _, Failure, Outcome};

/// How long a server may take to answer as it should, on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long one question may take.
const ANSWER_PATIENCE: Duration = Duration::from_millis(250);

const LOG: &str = "log";

/// Starts what a row lists, and returns the URL to use it by. When one server does not start, none
/// is left.
pub(super) fn up(root: &Path, row: &Row) -> Outcome<String> {
    let folder = state::folder(root, row.name);
    if folder.exists() {
        super::remove(&folder)?;
    }
    fs::create_dir_all(&folder).doing(|| format!("make the folder {}", folder.display()))?;
    let mut state = State::default();
    let made = Ports::choose(row.servers).and_then(|ports| {
        make(root, &folder, row, &ports, &mut state)?;
        state.url = Some(ports.fill(row.url, ","));
        state.store(&folder)
    });
    match (made, state.url) {
        (Ok(()), Some(url)) => Ok(url),
        (made, _) => {
            process::end(root, &state.servers, process::PATIENCE)?;
            super::remove(&folder)?;
            Err(made.err().unwrap_or_else(|| Failure::new(format!("{} has no URL", row.name))))
        }
    }
}

fn make(root: &Path, folder: &Path, row: &Row, ports: &Ports, state: &mut State) -> Outcome {
    let mut all = Vec::new();
    for server in row.servers {
        let first = all.len();
        for (number, port) in ports.of(server.name).iter().enumerate() {
            let folder = folder.join(format!("{}-{}", server.name, number + 1));
            let launched = Launched::start(server, *port, folder.clone(), ports)?;
            println!("{}", launched.started());
            // At once: what an interrupted start leaves behind can be ended.
            state.servers.push(launched.started());
            state.store(folder.parent().unwrap_or(&folder))?;
            all.push(launched);
        }
        all.iter_mut().skip(first).try_for_each(|launched| launched.wait(server.started))?;
    }
    for line in row.commands {
        let line = ports.fill(line, " ");
        let (program, args) = line.split_once(' ').unwrap_or((&line, ""));
        Invocation::new(program).words(args).run(root)?;
    }
    all.iter_mut().try_for_each(|launched| launched.wait(launched.server.settled))
}

/// A server of ours, in the run that starts it.
struct Launched<'a> {
    server: &'a Server,
    port: u16,
    folder: PathBuf,
    child: Child,
}

impl<'a> Launched<'a> {
    fn start(server: &'a Server, port: u16, folder: PathBuf, ports: &Ports) -> Outcome<Self> {
        let making = || format!("make the folder {}", folder.display());
        fs::create_dir_all(&folder).doing(making)?;
        if !server.file.is_empty() {
            let text = ports.fill_for(port, server.file);
            fs::write(folder.join(FILE), text).doing(making)?;
        }
        let log = File::create(folder.join(LOG)).doing(making)?;
        let invocation = Invocation::new(server.program).words(&ports.fill_for(port, server.args));
        let child = invocation.start_apart(&folder, log)?;
        Ok(Self { server, port, folder, child })
    }

    fn started(&self) -> Started {
        let program = self.server.program.to_owned();
        Started { program, port: self.port, pid: self.child.id() }
    }

    /// Waits until it answers as it should, or fails with what it wrote.
    fn wait(&mut self, question: Question) -> Outcome {
        let mut ended = false;
        let settled = wait_until(PATIENCE, || {
            ended = !matches!(self.child.try_wait(), Ok(None));
            ended || answers(self.port, question)
        });
        if settled && !ended {
            return Ok(());
        }
        let what = if ended {
            "ended instead of answering"
        } else {
            "does not give the expected answer to"
        };
        let log = fs::read_to_string(self.folder.join(LOG)).unwrap_or_default();
        Err(Failure::new(format!("{} {what} `{}`; its log:\n{log}", self.started(), question.ask)))
    }
}

/// Whether the server on `port` gives the expected reply.
fn answers(port: u16, Question { ask, answer }: Question) -> bool {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let Ok(mut stream) = TcpStream::connect_timeout(&address, ANSWER_PATIENCE) else {
        return false;
    };
    let sent = stream.set_read_timeout(Some(ANSWER_PATIENCE));
    if sent.and_then(|()| stream.write_all(format!("{ask}\r\n").as_bytes())).is_err() {
        return false;
    }
    let mut reply = Vec::new();
    let mut part = [0; 4096];
    while let Ok(count @ 1..) = stream.read(&mut part) {
        reply.extend_from_slice(&part[..count]);
        if String::from_utf8_lossy(&reply).contains(answer) {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    const QUESTION: Question = Question { ask: "PING", answer: "+PONG" };

    /// Whether a server that replies in `parts` and then closes is taken to answer.
    fn accepted(parts: &'static [&'static str]) -> bool {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = [0; 6];
            stream.read_exact(&mut asked).unwrap();
            for part in parts {
                stream.write_all(part.as_bytes()).unwrap();
            }
            asked
        });
        let accepted = answers(port, QUESTION);
        assert_eq!(&server.join().unwrap(), b"PING\r\n");
        accepted
    }

    #[test]
    fn the_reply_is_read_whole_and_judged() {
        assert!(accepted(&["+PONG\r\n"]));
        assert!(accepted(&["+PO", "NG\r\n"]));
        assert!(!accepted(&["-LOADING\r\n"]));
        assert!(!accepted(&[]));
    }

    #[test]
    fn a_port_without_a_server_does_not_answer() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        assert!(!answers(port, QUESTION));
    }
}
