//! The service as a child process, its log kept, and load on it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rucache_testkit::wait_until;
use serde_json::Value;
use ureq::Agent;

/// How long the service may take to do what it does at once on an idle machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Numbers that the bundled sample of the register knows.
pub(crate) const KNOWN: [&str; 2] = ["20131312955", "20000000001"];

/// A running service, killed when dropped.
pub(crate) struct Service {
    child: Child,
    log: Arc<Mutex<String>>,
    agent: Agent,
    /// `http://127.0.0.1:…`
    pub(crate) url: String,
}

impl Service {
    /// The service on `backend`, with further settings as environment variables.
    pub(crate) fn start(backend: &str, settings: &[(&str, &str)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rucache"));
        let ours = |name: &str| name.starts_with("RUCACHE_") || name == "RUST_LOG";
        for (name, _) in std::env::vars().filter(|(name, _)| ours(name)) {
            command.env_remove(name);
        }
        command.args(["serve", "--listen", "127.0.0.1:0"]).env("RUCACHE_BACKEND", backend);
        command.envs(settings.iter().copied()).stderr(Stdio::piped()).stdout(Stdio::null());
        let mut child = command.spawn().expect("the program starts");
        let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines();
        let mut greeting = String::new();
        let url = loop {
            let line = lines.next().unwrap_or_else(|| panic!("the service ended: {greeting}"));
            let line = line.expect("text");
            greeting.push_str(&line);
            greeting.push('\n');
            if let Some(url) = line.trim().strip_prefix("listening on") {
                break url.trim().to_owned();
            }
        };
        // What was said so far is a greeting for people, with a number as an example.
        let log = Arc::new(Mutex::new(String::new()));
        let kept = log.clone();
        // Ends with the child.
        thread::spawn(move || {
            for line in lines.map_while(Result::ok).filter(|line| !line.starts_with("  try ")) {
                let mut log = kept.lock().unwrap_or_else(PoisonError::into_inner);
                log.push_str(&line);
                log.push('\n');
            }
        });
        let config = Agent::config_builder().http_status_as_error(false);
        let agent = config.timeout_global(Some(PATIENCE)).build().into();
        let service = Self { child, log, agent, url };
        assert!(wait_until(PATIENCE, || service.get("/readyz").0 == 200), "not ready");
        service
    }

    /// The address without the scheme.
    pub(crate) fn address(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    /// Everything that it has logged so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn get(&self, target: &str) -> (u16, String) {
        let mut answer = self.agent.get(format!("{}{target}", self.url)).call().expect("an answer");
        (answer.status().as_u16(), answer.body_mut().read_to_string().expect("text"))
    }

    pub(crate) fn put(&self, target: &str, body: &Value) -> u16 {
        let request = self.agent.put(format!("{}{target}", self.url));
        let request = request.content_type("application/json");
        request.send(body.to_string()).expect("an answer").status().as_u16()
    }

    pub(crate) fn post(&self, target: &str, body: &Value) -> u16 {
        let request = self.agent.post(format!("{}{target}", self.url));
        let request = request.content_type("application/json");
        request.send(body.to_string()).expect("an answer").status().as_u16()
    }

    pub(crate) fn delete(&self, target: &str) -> u16 {
        let request = self.agent.delete(format!("{}{target}", self.url));
        request.call().expect("an answer").status().as_u16()
    }

    /// What `/metrics` says, by series.
    pub(crate) fn scrape(&self) -> Vec<(String, f64)> {
        let (status, text) = self.get("/metrics");
        assert_eq!(status, 200);
        let samples = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
        let sample = |line: &str| {
            let (series, value) = line.rsplit_once(' ').expect("a series and a value");
            (series.to_owned(), value.parse().expect("a number"))
        };
        samples.map(sample).collect()
    }

    /// Asks for `targets` one after the other, again and again, until the load is dropped. Anything
    /// but an answer in time panics.
    pub(crate) fn load(&self, targets: &[&str]) -> Load {
        let (stop, answers) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (stopped, counted) = (stop.clone(), answers.clone());
        let (agent, url) = (self.agent.clone(), self.url.clone());
        let targets: Vec<String> = targets.iter().map(|target| format!("{url}{target}")).collect();
        let running = thread::spawn(move || {
            for target in targets.iter().cycle() {
                if stopped.load(Ordering::Relaxed) {
                    return;
                }
                let status = agent.get(target).call().expect("an answer").status().as_u16();
                assert!(status < 500, "{target}: {status}");
                counted.fetch_add(1, Ordering::Relaxed);
            }
        });
        Load { stop, answers, running: Some(running) }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        drop((self.child.kill(), self.child.wait()));
    }
}

/// Requests that go on until this is dropped.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    answers: Arc<AtomicU64>,
    running: Option<JoinHandle<()>>,
}

impl Load {
    /// Answers so far.
    pub(crate) fn answers(&self) -> u64 {
        self.answers.load(Ordering::Relaxed)
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let ended = self.running.take().map(JoinHandle::join);
        assert!(!matches!(ended, Some(Err(_))) || thread::panicking(), "a request failed");
    }
}
