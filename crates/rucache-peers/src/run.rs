//! Running a race on a cache: a runtime and a thread of its own for each.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use tokio::runtime::Builder;

use crate::races::{Race, Threads, Time, Verdict};
use crate::{Ended, Entrant, Limits, NoSuchOperation, Stage};

/// After this long without an answer a caller is said to wait for ever; a limit, which no race that
/// is passed reaches.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// How long a load may take in the races about loads that do not end, where a cache can be told.
const SHORT: Duration = Duration::from_millis(500);

/// What a run of a race on a cache showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judged {
    /// It passes.
    Passes,
    /// It does not; this was seen.
    Fails(String),
    /// It offers nothing of the kind.
    NoSuchOperation,
}

/// Runs `race` on a new `entrant`.
#[must_use]
pub fn run(race: &'static Race, entrant: Entrant) -> Judged {
    if race.time == Time::Short && !entrant.has_limits {
        return Judged::NoSuchOperation;
    }
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let runtime = match race.threads {
            Threads::One => Builder::new_current_thread().enable_all().build(),
            Threads::Two => Builder::new_multi_thread().worker_threads(2).enable_all().build(),
        };
        let runtime = runtime.expect("a tokio runtime");
        let judged = runtime.block_on(judge(race, entrant));
        let _ = sender.send(judged);
        // Loads that never end stay behind.
        runtime.shutdown_background();
    });
    // A race waits three times at most; one that takes longer has had its thread blocked.
    receiver.recv_timeout(PATIENCE * 6).unwrap_or_else(|error| match error {
        mpsc::RecvTimeoutError::Timeout => Judged::Fails("blocks its thread for ever".to_owned()),
        mpsc::RecvTimeoutError::Disconnected => {
            panic!("the race `{}` cannot be run on {}", race.name, entrant.name)
        }
    })
}

async fn judge(race: &Race, entrant: Entrant) -> Judged {
    let limits = match race.time {
        Time::Usual => Limits::Usual,
        Time::ShortWhereTold | Time::Short => Limits::Short(SHORT),
    };
    let peer = (entrant.make)(limits).await;
    let warm_up = Stage::new(peer.clone(), format!("migo:warm_{}", race.name.len()));
    works(&warm_up).await;
    let stage = Stage::new(peer, "migo:ruc_20131312955".to_owned());
    match (race.run)(stage).await {
        Ok(Verdict::Passes) => Judged::Passes,
        Ok(Verdict::Fails(seen)) => Judged::Fails(seen),
        Err(NoSuchOperation) => Judged::NoSuchOperation,
    }
}

/// Nothing a race says counts before the operations it uses are known to do what they should.
async fn works(stage: &Stage) {
    stage.source.open();
    let (peer, key) = (&stage.peer, stage.key.as_str());
    for (turn, operation) in ["invalidate", "tag", "clear"].into_iter().enumerate() {
        let value = format!("value {turn}");
        let ended = stage.call(stage.source.gives(turn, &value)).ended().await;
        assert!(ended.is(&value), "a load brings {ended}");
        let again = stage.call(stage.source.gives(turn, "other")).ended().await;
        assert!(again.is(&value), "a second call brings {again}");
        assert_eq!(peer.get(key).await.as_ref(), Some(&value), "what was loaded is stored");
        let done = match operation {
            "invalidate" => {
                peer.invalidate(key).await;
                Ok(())
            }
            "tag" => peer.invalidate_tag().await,
            _ => peer.clear().await,
        };
        if done.is_err() {
            peer.invalidate(key).await;
        }
        assert_eq!(peer.get(key).await, None, "{operation} removes");
    }
    let failing = stage.source.then(0, || std::future::ready(Err(crate::LoadFailed("no".into()))));
    let ended = stage.call(failing).ended().await;
    assert!(matches!(ended, Ended::Failed(_)), "a load that fails brings {ended}");
    peer.invalidate(key).await;
}
