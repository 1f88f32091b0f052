//! Races between loads and what may happen meanwhile, run on rucache and on other caches alike.
//!
//! Every cache is used as its own documentation recommends for the job, behind one trait, [`Peer`].
//! A race is provoked with channels: a load is held where the race wants it, never by waiting for
//! some time. What a run shows is what the page says, see [`page`].

pub mod entrants;
mod load;
pub mod page;
mod peer;
pub mod races;
mod run;
mod stage;

pub use load::{Answer, Load, LoadFailed, Source};
pub use peer::{Entrant, Limits, NoSuchOperation, Peer, TAG};
pub use run::{Judged, PATIENCE, run};
pub use stage::{Caller, Ended, Stage};
