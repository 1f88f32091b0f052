//! What everybody in a world reports, and whether it keeps the promises.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rucache_core::{Change, Key};

use crate::checker::{Answer, Book, CallId, ChangeEnd, LoadEnd, LoadId, What};
use crate::scheduler::Scheduler;
use crate::server::Loss;
use crate::setup::Setup;
use crate::source::Fact;

/// A promise that was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which promise: `I1` to `I9`, or `P1` and `P4` of the fault model.
    pub promise: &'static str,
    /// How it was broken.
    pub how: String,
}

/// A handle on the book of a world.
pub(crate) struct History {
    scheduler: Scheduler,
    book: Mutex<Book>,
}

impl History {
    pub(crate) fn new(scheduler: Scheduler, setup: Arc<Setup>, traced: bool) -> Self {
        let book = Mutex::new(Book::new(setup, traced));
        Self { scheduler, book }
    }

    /// Adds a line to the trace, if one is kept.
    pub(crate) fn note(&self, line: impl FnOnce() -> String) {
        self.book().note(line);
    }

    /// Something is wrong between `process` and the store.
    pub(crate) fn unrest(&self, process: u64) {
        self.book().unrest(process);
    }

    /// The reads of `process` are open again.
    pub(crate) fn recovered(&self, process: u64) {
        self.book().recovered(process);
    }

    /// Whether `process` is told of everything from now on.
    pub(crate) fn push(&self, process: u64, whole: bool) {
        self.book().push(process, whole);
    }

    /// `process` was told of a change.
    pub(crate) fn told(&self, process: u64, change: &Change) {
        self.book().told(process, change);
    }

    /// `process` knows that it has made a change.
    pub(crate) fn knows(&self, process: u64, change: &Change) {
        self.book().knows(process, change);
    }

    /// `process` has read an entry of `key` with the markers above it.
    pub(crate) fn read_markers(&self, process: u64, key: &Key) {
        self.book().read_markers(process, key);
    }

    /// The store has carried out a change, whoever was told so.
    pub(crate) fn took_effect(&self, change: &Change) {
        self.book().took_effect(change);
    }

    /// The store has dropped something.
    pub(crate) fn lost(&self, loss: &Loss) {
        self.book().lost(loss);
    }

    /// The store began a new life; with what it had once, or with nothing.
    pub(crate) fn reborn(&self, with_old_data: bool) {
        self.book().reborn(with_old_data);
    }

    pub(crate) fn process_began(&self, process: u64, place: usize) {
        self.book().process_began(process, place);
    }

    pub(crate) fn process_ended(&self, process: u64) {
        self.book().process_ended(process);
    }

    /// The source has a newer version of `key`.
    pub(crate) fn commit(&self, key: &Key) -> u64 {
        self.book().commit(key)
    }

    /// The source's version of `key`.
    pub(crate) fn version(&self, key: &Key) -> u64 {
        self.book().version(key)
    }

    pub(crate) fn called(&self, process: u64, what: What) -> CallId {
        self.book().called(process, what)
    }

    /// What a `set` is about to store.
    pub(crate) fn written(
        &self,
        call: CallId,
        key: &Key,
        version: u64,
        tags: Vec<&'static str>,
    ) -> Fact {
        self.book().written(call, key, version, tags)
    }

    pub(crate) fn answered(&self, call: CallId, answers: Vec<(Key, Answer)>) {
        self.book().answered(call, answers);
    }

    pub(crate) fn changed(&self, call: CallId, end: ChangeEnd) {
        self.book().changed(call, end);
    }

    /// The caller has left.
    pub(crate) fn dropped(&self, call: CallId) {
        self.book().dropped(call);
    }

    pub(crate) fn load_began(
        &self,
        call: CallId,
        key: &Key,
        tags: Vec<&'static str>,
    ) -> (LoadId, Fact) {
        self.book().load_began(call, key, tags)
    }

    /// A load of `call` has asked for its own key, and was told so, or not.
    pub(crate) fn recursed(&self, call: CallId, key: &Key, noticed: bool) {
        self.book().recursed(call, key, noticed);
    }

    pub(crate) fn load_ended(&self, load: LoadId, end: LoadEnd) {
        self.book().load_ended(load, end);
    }

    /// Looks whether anything takes longer than it may.
    pub(crate) fn watch(&self) {
        self.book().watch();
    }

    /// Breaks a promise that only the world itself can see broken.
    pub(crate) fn violate(&self, promise: &'static str, how: impl FnOnce() -> String) {
        self.book().violate(promise, how);
    }

    /// With how many loads of `key` the fleet has kept the source busy since the moment `since` ago.
    pub(crate) fn loads_within(&self, key: &Key, since: Duration) -> usize {
        self.book().loads_within(key, since)
    }

    /// Looks at the book.
    pub(crate) fn book(&self) -> MutexGuard<'_, Book> {
        let mut book = self.book.lock().unwrap_or_else(PoisonError::into_inner);
        book.now = self.scheduler.now();
        book
    }
}
