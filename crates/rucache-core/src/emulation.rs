//! A whole backend from a simple store.
//!
//! An author of an adapter whose store can read, write conditionally and delete by version
//! implements [`Store`] and has a [`Backend`](crate::Backend) in [`Emulated`]. Whoever can do more
//! in one round trip implements `Backend` and may still use [`Slot`], the state of one entry and of
//! its lease as a pure state machine.

mod bucket;
mod emulated;
mod number;
mod slot;
mod store;

pub use emulated::Emulated;
pub use slot::Slot;
pub use store::{Item, PutIf, Store};

use crate::Timestamp;

/// Whether something whose last millisecond is `until` is still alive.
///
/// A life ends after the tick it was counted to: what happens within a tick reads as its beginning.
const fn lives(until: Timestamp, now: Timestamp) -> bool {
    now.as_millis() <= until.as_millis()
}
