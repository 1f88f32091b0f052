//! Whether the shared tier tells what changes, so that copies in this process need not be doubted.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rucache_core::Key;
use tokio::sync::oneshot;

/// How far a shared tier's word about changes can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PushState {
    /// There is no shared tier, or it does not tell of changes: copies are good for two seconds.
    None,
    /// It should tell, and does not: copies are good for two seconds.
    Lost,
    /// It says that it tells, and a change made to see whether it does has not come back yet.
    Unproven,
    /// It tells of every change.
    Trusted,
}

/// What is known of a shared tier's push.
#[derive(Debug)]
pub(crate) struct Push {
    /// Asked on every hit.
    trusted: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    is: PushState,
    /// Counts the times that push was restored.
    turn: u64,
    /// The entry whose change should come back.
    awaited: Option<(Key, oneshot::Sender<()>)>,
}

impl Push {
    /// Of a cache all of whose entries live in this process: there is nothing to be told.
    pub(crate) fn needless() -> Self {
        Self::new(PushState::None, true)
    }

    /// Of a cache over a shared tier that tells of changes, or does not.
    pub(crate) fn of(can_push: bool) -> Self {
        Self::new(if can_push { PushState::Lost } else { PushState::None }, false)
    }

    fn new(is: PushState, trusted: bool) -> Self {
        let state = Mutex::new(State { is, turn: 0, awaited: None });
        Self { trusted: AtomicBool::new(trusted), state }
    }

    /// Whether every change is told.
    #[inline]
    pub(crate) fn is_trusted(&self) -> bool {
        self.trusted.load(Ordering::Acquire)
    }

    pub(crate) fn state(&self) -> PushState {
        self.lock().is
    }

    /// Changes are no longer told.
    pub(crate) fn lost(&self) {
        let mut state = self.lock();
        state.is = PushState::Lost;
        state.turn += 1;
        state.awaited = None;
        if !cfg!(mutant = "suspect-mode") {
            self.trusted.store(false, Ordering::Release);
        }
    }

    /// Changes are told again, it is said; the turn in which that is to be proven.
    pub(crate) fn restored(&self) -> u64 {
        let mut state = self.lock();
        state.is = PushState::Unproven;
        state.turn += 1;
        if !cfg!(mutant = "suspect-mode") {
            self.trusted.store(false, Ordering::Release);
        }
        state.turn
    }

    /// Waits for the change of `key` to come back; none if the turn is over.
    pub(crate) fn await_echo(&self, turn: u64, key: Key) -> Option<oneshot::Receiver<()>> {
        let mut state = self.lock();
        let (sender, receiver) = oneshot::channel();
        if state.turn != turn {
            return None;
        }
        state.awaited = Some((key, sender));
        Some(receiver)
    }

    /// A change of `key` was told.
    pub(crate) fn heard(&self, key: &Key) {
        let mut state = self.lock();
        if state.awaited.as_ref().is_some_and(|(awaited, _)| awaited == key)
            && let Some((_, sender)) = state.awaited.take()
        {
            // Nobody waits any more if it took too long.
            let _ = sender.send(());
        }
    }

    /// Push has proven itself in this turn, unless the turn is over.
    pub(crate) fn proven(&self, turn: u64) {
        let mut state = self.lock();
        if state.turn == turn {
            state.is = PushState::Trusted;
            self.trusted.store(true, Ordering::Release);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Key {
        Key::parse("cache:push").unwrap()
    }

    #[test]
    fn proof_of_an_older_turn_proves_nothing() {
        let push = Push::of(true);
        let first = push.restored();
        push.lost();
        push.proven(first);
        assert_eq!((push.state(), push.is_trusted()), (PushState::Lost, false));
        let second = push.restored();
        push.proven(first);
        assert_eq!((push.state(), push.is_trusted()), (PushState::Unproven, false));
        push.proven(second);
        assert_eq!((push.state(), push.is_trusted()), (PushState::Trusted, true));
        push.restored();
        assert!(!push.is_trusted());
    }

    #[test]
    fn echo_is_that_of_the_awaited_key_in_the_current_turn() {
        let push = Push::of(true);
        let turn = push.restored();
        assert!(push.await_echo(turn + 1, key()).is_none());
        let mut echo = push.await_echo(turn, key()).unwrap();
        push.heard(&Key::parse("cache:other").unwrap());
        assert!(echo.try_recv().is_err());
        push.heard(&key());
        assert!(echo.try_recv().is_ok());
    }
}
