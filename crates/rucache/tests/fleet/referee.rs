//! The one who knows: the source of all values, the beginnings and ends of all loads, and the notes
//! of all processes. A thread of the process that runs the test.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{oneshot, watch};

use crate::book::{Book, Load};
use crate::note::{Ask, Fact, Note, Verdict, now, pause};
use crate::plan::KEYS;
use crate::source::Line;

/// How the source answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    /// At once.
    Prompt,
    /// After a while by chance, and now and then not at all.
    Moody,
    /// Not before its mood is another one.
    Holding,
}

/// The handle of the test on its referee; it ends when dropped.
pub(crate) struct Referee {
    socket: PathBuf,
    desk: Arc<Desk>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

struct Desk {
    book: Mutex<Book>,
    mood: watch::Sender<Mood>,
    chance: Mutex<Chance>,
    versions: Mutex<[u64; KEYS]>,
    next_id: AtomicU64,
}

impl Referee {
    pub(crate) fn start(seed: u64, mood: Mood) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("rucache-fleet-{}-{number}", std::process::id());
        let socket = std::env::temp_dir().join(name);
        let desk = Arc::new(Desk {
            book: Mutex::default(),
            mood: watch::Sender::new(mood),
            chance: Mutex::new(Chance::new(seed)),
            versions: Mutex::new([0; KEYS]),
            next_id: AtomicU64::new(0),
        });
        let (stop, stopped) = oneshot::channel();
        let (shared, path) = (desk.clone(), socket.clone());
        let (ready, is_ready) = std::sync::mpsc::sync_channel(1);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async {
                let listener = UnixListener::bind(path).unwrap();
                ready.send(()).unwrap();
                tokio::select! {
                    () = shared.serve(listener) => {}
                    _ = stopped => {}
                }
            });
        });
        is_ready.recv().unwrap();
        Self { socket, desk, stop: Some(stop), thread: Some(thread) }
    }

    /// Where processes find it.
    pub(crate) fn socket(&self) -> &str {
        self.socket.to_str().unwrap()
    }

    pub(crate) fn book(&self) -> MutexGuard<'_, Book> {
        self.desk.book()
    }

    /// From now on the source answers like this; who is held is let go.
    pub(crate) fn set(&self, mood: Mood) {
        self.desk.mood.send_replace(mood);
    }
}

impl Drop for Referee {
    fn drop(&mut self) {
        drop(self.stop.take());
        let ended = self.thread.take().map_or(Ok(()), JoinHandle::join);
        let _ = std::fs::remove_file(&self.socket);
        assert!(ended.is_ok() || std::thread::panicking(), "the referee panicked");
    }
}

impl Desk {
    async fn serve(self: Arc<Self>, listener: UnixListener) {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(self.clone().attend(stream));
        }
    }

    async fn attend(self: Arc<Self>, stream: UnixStream) {
        let mut line = Line::over(stream);
        match line.next().await {
            Some(Ask::Notes { process }) => {
                while let Some(note) = line.next::<Note>().await {
                    self.book().take(process, note);
                }
            }
            Some(Ask::Load { process, key, asked }) => {
                let fact = self.fact(key);
                let place = self.book().begin_load(Load {
                    process,
                    key,
                    asked,
                    began: fact.born,
                    ended: None,
                    verdict: None,
                });
                self.book().source_gave(fact);
                line.send(&fact).await;
                // A load that is dropped, or whose process is killed, ends with its connection.
                let verdict = tokio::select! {
                    _ = line.next::<Verdict>() => None,
                    verdict = self.verdict() => Some(verdict),
                };
                let mut told = None;
                if let Some(verdict) = verdict {
                    line.send(&verdict).await;
                    told = line.next::<Verdict>().await;
                }
                self.book().end_load(place, now(), told);
                line.send(&told.unwrap_or(Verdict::Failure)).await;
            }
            Some(Ask::Commit { keys }) => {
                let facts: Vec<Fact> = keys.into_iter().map(|key| self.commit(key)).collect();
                line.send(&facts).await;
            }
            None => {}
        }
    }

    /// The value of a key as it is now.
    fn fact(&self, key: usize) -> Fact {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let versions = self.versions.lock().unwrap_or_else(PoisonError::into_inner);
        Fact { key, id, version: versions[key], born: now() }
    }

    fn commit(&self, key: usize) -> Fact {
        self.versions.lock().unwrap_or_else(PoisonError::into_inner)[key] += 1;
        let fact = self.fact(key);
        self.book().source_gave(fact);
        fact
    }

    async fn verdict(&self) -> Verdict {
        let mut mood = self.mood.subscribe();
        // The sender lives as long as this desk.
        let _ = mood.wait_for(|mood| *mood != Mood::Holding).await;
        if *mood.borrow() == Mood::Prompt {
            return Verdict::Value;
        }
        let (hold, verdict) = {
            let mut chance = self.chance.lock().unwrap_or_else(PoisonError::into_inner);
            let hold = match chance.below(20) {
                0 => 300 + chance.below(600),
                1..8 => chance.below(60),
                _ => chance.below(8),
            };
            (hold, if chance.below(25) == 0 { Verdict::Failure } else { Verdict::Value })
        };
        pause(Duration::from_millis(hold)).await;
        verdict
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Chance that a seed decides: Sebastiano Vigna's `SplitMix64`.
#[derive(Debug, Clone)]
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`.
    pub(crate) const fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// A place below `end`.
    pub(crate) fn place(&mut self, end: usize) -> usize {
        usize::try_from(self.below(end as u64)).unwrap()
    }
}
