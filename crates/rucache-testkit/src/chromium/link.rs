//! Messages to and from the browser: JSON, each ended by a zero byte.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{ChildStdin, ChildStdout};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

/// How long an answer may take, on a machine that is busy compiling.
const PATIENCE: Duration = Duration::from_secs(30);

/// The way to a browser, for any number of tabs.
#[derive(Debug)]
pub(super) struct Link {
    to: Mutex<(ChildStdin, u64)>,
    heard: Arc<Heard>,
}

/// What came from the browser and nobody has taken yet.
#[derive(Debug, Default)]
struct Heard {
    waiting: Mutex<HashMap<u64, Sender<Value>>>,
    /// By session.
    events: Mutex<HashMap<String, Vec<Value>>>,
}

impl Link {
    pub(super) fn over(to: ChildStdin, from: ChildStdout) -> Arc<Self> {
        let heard = Arc::new(Heard::default());
        let listener = heard.clone();
        // Ends with the browser.
        thread::spawn(move || listener.listen(BufReader::new(from)));
        Arc::new(Self { to: Mutex::new((to, 0)), heard })
    }

    /// Asks for `method`; its result, or why there is none.
    pub(super) fn call(
        &self,
        session: Option<&str>,
        method: &str,
        params: Value,
    ) -> Result<Value, String> {
        let (answer, answered) = mpsc::channel();
        {
            let mut to = unpoisoned(&self.to);
            to.1 += 1;
            let id = to.1;
            unpoisoned(&self.heard.waiting).insert(id, answer);
            let mut message = json!({ "id": id, "method": method, "params": params });
            if let Some(session) = session {
                message["sessionId"] = session.into();
            }
            let sent = write!(to.0, "{message}\0").and_then(|()| to.0.flush());
            sent.map_err(|error| format!("{method}: {error}"))?;
        }
        let answer = answered.recv_timeout(PATIENCE).map_err(|_| format!("{method}: no answer"))?;
        match answer.get("error") {
            Some(error) => Err(format!("{method}: {error}")),
            None => Ok(answer["result"].clone()),
        }
    }

    /// What happened in `session` so far.
    pub(super) fn events(&self, session: &str) -> Vec<Value> {
        unpoisoned(&self.heard.events).get(session).cloned().unwrap_or_default()
    }
}

impl Heard {
    fn listen(&self, mut from: impl BufRead) {
        let mut bytes = Vec::new();
        while from.read_until(0, &mut bytes).is_ok_and(|read| read > 0) {
            bytes.pop();
            if let Ok(message) = serde_json::from_slice(&bytes) {
                self.take(message);
            }
            bytes.clear();
        }
        // Nobody answers any more.
        unpoisoned(&self.waiting).clear();
    }

    fn take(&self, message: Value) {
        if let Some(id) = message["id"].as_u64() {
            if let Some(waiting) = unpoisoned(&self.waiting).remove(&id) {
                // Whoever asked may have given up.
                drop(waiting.send(message));
            }
        } else if let Some(session) = message["sessionId"].as_str() {
            let mut events = unpoisoned(&self.events);
            events.entry(session.to_owned()).or_default().push(message);
        }
    }
}

fn unpoisoned<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
