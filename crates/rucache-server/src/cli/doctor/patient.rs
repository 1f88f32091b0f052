//! A backend under examination: each step does one thing that a cache needs, and cleans up.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use rucache::core::{
    Answers, Backend, BackendExt, Change, Error, ErrorKind, Key, KeyKind, Lease, LeaseRequest,
    LeaseToken, Listener, MapEntry, Marker, MarkerRef, MarkerVersion, Precondition, Runtime,
    ServiceName, Ttl, Write, WriteOutcome,
};
use tokio::net::TcpStream;
use tokio::sync::Notify;

use super::Found;
use crate::plain;

/// How long anything lives that a step does not come to remove.
const LIFE: Ttl = Ttl::SHORT;

/// What to do where nobody answers.
const ADDRESS: &str = "does the server run at this address and port?";

/// What to do where somebody answers who is not this cache's server.
const LOGIN: &str = "somebody is there: check scheme, user and password of the URL";

/// How long a connection may take.
const CONNECTED_WITHIN: Duration = Duration::from_secs(2);

/// How long a change may take to be told.
const TOLD_WITHIN: Duration = Duration::from_secs(2);

/// How often a change is made until it is told.
const REPEATED_EVERY: Duration = Duration::from_millis(100);

/// The service that everything is done in: nobody else's, and its names are random.
pub(super) const SERVICE: &str = "rucache.doctor";

pub(super) struct Patient {
    pub(super) runtime: Arc<dyn Runtime>,
    backend: Arc<dyn Backend>,
    /// A name that nobody else uses.
    key: Key,
    /// What went wrong first with the server, in words.
    failure: Mutex<Option<String>>,
}

impl Patient {
    pub(super) fn new(backend: Arc<dyn Backend>, runtime: Arc<dyn Runtime>) -> Self {
        const DOCTOR: KeyKind = KeyKind::new("doctor");
        let service = ServiceName::from_static(SERVICE);
        let key = Key::of_number(&service, DOCTOR, runtime.random());
        Self { runtime, backend, key, failure: Mutex::default() }
    }

    pub(super) async fn connect(&self) -> Found {
        let Err(error) = self.backend.ping().await else { return Ok(String::new()) };
        let is_unreachable =
            matches!(error.kind(), ErrorKind::Unreachable | ErrorKind::CircuitOpen);
        let Some(node) = error.node().filter(|_| is_unreachable) else {
            return Err(self.explained(error));
        };
        // What the system says of the address is plainer than what a client makes of it.
        Err(match self.refusal(node).await {
            Some(refusal) => format!("nobody answers at {node}: {refusal}; {ADDRESS}"),
            None => format!("{}; {LOGIN}", plain::of_backend(&error)),
        })
    }

    /// Why no connection to `node` can be made; none where one can.
    async fn refusal(&self, node: &str) -> Option<String> {
        tokio::select! {
            made = TcpStream::connect(node) => made.err().map(|error| error.to_string()),
            () = self.runtime.sleep(CONNECTED_WITHIN) => {
                Some(format!("no connection within {CONNECTED_WITHIN:?}"))
            }
        }
    }

    /// An error with its causes, and what to do. While nobody asks a server because it failed
    /// before, that failure is told.
    #[expect(clippy::needless_pass_by_value, reason = "it is the end of the error")]
    pub(super) fn explained(&self, error: Error) -> String {
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        match (error.kind(), &*failure) {
            (ErrorKind::CircuitOpen, Some(failure)) => format!("not tried, because {failure}"),
            _ => {
                let text = explained(&error);
                failure.get_or_insert_with(|| text.clone());
                text
            }
        }
    }

    pub(super) async fn write_read_delete(&self) -> Found {
        self.set("value").await?;
        self.expect(Some("value")).await?;
        self.delete().await?;
        self.expect(None).await?;
        Ok(String::new())
    }

    pub(super) async fn fill_under_a_lease(&self) -> Found {
        let token = self.lease().await?;
        let second = self.backend.lease_many(&[self.request()]).await;
        if self.only(second)? != Lease::Held {
            return Err("a second lease was granted while the first one was out".to_owned());
        }
        match self.fill(token).await? {
            WriteOutcome::Stored => self.expect(Some("filled")).await?,
            WriteOutcome::Refused => return Err("the fill under the lease was refused".to_owned()),
        }
        self.delete().await?;
        Ok(String::new())
    }

    pub(super) async fn refuse_a_late_fill(&self) -> Found {
        let token = self.lease().await?;
        self.delete().await?;
        if self.fill(token).await? == WriteOutcome::Stored {
            return Err(
                "a fill from before a delete was stored: values would come back to life".to_owned()
            );
        }
        self.expect(None).await?;
        Ok(String::new())
    }

    pub(super) async fn markers(&self) -> Found {
        let at = [MarkerRef {
            marker: Marker::Service(self.key.service_name()),
            near: self.key.clone(),
        }];
        let before = self.only(self.backend.markers(&at, self.seed()).await)?;
        let marker = [Marker::Service(self.key.service_name())];
        self.only(self.backend.bump(&marker, self.seed()).await)?;
        let after = self.only(self.backend.markers(&at, self.seed()).await)?;
        if after <= before {
            return Err(
                "a raised marker did not grow: clearing a service would clear nothing".to_owned()
            );
        }
        Ok(String::new())
    }

    pub(super) async fn maps(&self) -> Found {
        let now = self.runtime.wall();
        let member = "member".to_owned();
        let entry =
            MapEntry { member: member.clone(), note: "note".into(), expires: now.after(LIFE) };
        self.told(self.backend.map_put(&self.key, &[entry], now).await)?;
        let page = self.told(self.backend.map_page(&self.key, None, 10, now).await)?;
        self.told(self.backend.map_remove(&self.key, &[member], now).await)?;
        match page.entries.len() {
            1 => Ok(String::new()),
            listed => Err(format!("{listed} members are listed where 1 was put")),
        }
    }

    pub(super) async fn push(&self) -> Found {
        let ear = Arc::new(Ear {
            listens_for: self.key.clone(),
            heard: Notify::new(),
            lost: Mutex::default(),
        });
        let listener: Arc<dyn Listener> = ear.clone();
        self.backend.subscribe(Arc::downgrade(&listener));
        // Repeated, as listening takes a moment to begin.
        let change = async {
            loop {
                self.set("value").await?;
                self.runtime.sleep(REPEATED_EVERY).await;
            }
        };
        let heard = tokio::select! {
            () = ear.heard.notified() => true,
            () = self.runtime.sleep(TOLD_WITHIN) => false,
            failed = change => return failed,
        };
        self.delete().await?;
        let lost = *ear.lost.lock().unwrap_or_else(PoisonError::into_inner);
        match heard {
            true => Ok(String::new()),
            false if lost => Err("the connection that changes are told on is down; entries in \
                                   front of this backend are trusted for 2 s only"
                .to_owned()),
            false => Err(format!(
                "a change was not told within {TOLD_WITHIN:?}; does the user have the permission \
                 for CLIENT TRACKING?"
            )),
        }
    }

    pub(super) async fn info(&self) -> Found {
        let info = self.told(self.backend.info().await)?;
        let mut facts = Vec::new();
        facts.extend(info.version.map(|version| format!("version {version}")));
        facts.extend(info.items.map(|items| format!("{items} items")));
        facts.extend(info.used_bytes.map(|bytes| format!("{bytes} bytes used")));
        facts.extend(info.capacity_bytes.map(|bytes| format!("{bytes} bytes at most")));
        facts.extend(info.evictions.map(|evictions| format!("{evictions} evicted")));
        Ok(facts.join(", "))
    }

    fn told<T>(&self, answer: Result<T, Error>) -> Result<T, String> {
        answer.map_err(|error| self.explained(error))
    }

    fn only<T>(&self, mut answers: Answers<T>) -> Result<T, String> {
        match answers.pop() {
            Some(answer) => self.told(answer),
            None => Err("the backend gave no answer".to_owned()),
        }
    }

    fn request(&self) -> LeaseRequest {
        LeaseRequest { key: self.key.clone(), seen: None, ttl: LIFE }
    }

    fn seed(&self) -> MarkerVersion {
        MarkerVersion::seed(self.runtime.wall(), self.runtime.random())
    }

    async fn set(&self, value: &'static str) -> Result<(), String> {
        self.told(self.backend.set(&self.key, value.into(), LIFE).await)
    }

    async fn delete(&self) -> Result<bool, String> {
        self.told(self.backend.delete(&self.key).await)
    }

    async fn expect(&self, value: Option<&str>) -> Result<(), String> {
        let read = self.told(self.backend.get(&self.key).await)?;
        if read.as_ref().map(|stored| &*stored.value) == value.map(str::as_bytes) {
            return Ok(());
        }
        Err(match (value, read) {
            (Some(_), None) => "what was written is not there; does the server evict at once?",
            (Some(_), Some(_)) => "another value is read than was written",
            (None, _) => "what was deleted is still there",
        }
        .to_owned())
    }

    async fn lease(&self) -> Result<LeaseToken, String> {
        match self.only(self.backend.lease_many(&[self.request()]).await)? {
            Lease::Granted(token) => Ok(token),
            other => Err(format!("a lease of a name that nobody uses was not granted: {other:?}")),
        }
    }

    async fn fill(&self, token: LeaseToken) -> Result<WriteOutcome, String> {
        let when = Precondition::Lease(token);
        let write = Write { key: self.key.clone(), value: "filled".into(), ttl: LIFE, when };
        self.only(self.backend.write_many(&[write]).await)
    }
}

/// Hears whether one key changes.
struct Ear {
    listens_for: Key,
    heard: Notify,
    lost: Mutex<bool>,
}

#[async_trait]
impl Listener for Ear {
    fn changed(&self, change: Change) {
        let lost = |lost| *self.lost.lock().unwrap_or_else(PoisonError::into_inner) = lost;
        match change {
            Change::Entries(keys) if keys.contains(&self.listens_for) => self.heard.notify_one(),
            Change::PushLost => lost(true),
            Change::PushRestored => lost(false),
            _ => {}
        }
    }

    fn node_down(&self, _node: &str) {}

    async fn node_recovering(&self, _node: &str) -> Result<(), Error> {
        Ok(())
    }

    fn node_up(&self, _node: &str) {}
}

/// An error with its causes, and what to do.
fn explained(error: &Error) -> String {
    let advice = match error.kind() {
        ErrorKind::Unreachable | ErrorKind::CircuitOpen => ADDRESS,
        ErrorKind::Timeout | ErrorKind::Interrupted => {
            "is the server busy, or the way to it slow? `timeout` of the URL is how long it may take"
        }
        ErrorKind::Denied => "check user and password of the URL, and the user's permissions",
        ErrorKind::ReadOnly => "this is a replica; name its primary, or the Sentinels",
        ErrorKind::Full => "give the server more memory, or a policy to evict by",
        ErrorKind::ForeignValue => "another program uses these names; use `prefix` of the URL",
        _ => return plain::of_backend(error),
    };
    format!("{}; {advice}", plain::of_backend(error))
}
