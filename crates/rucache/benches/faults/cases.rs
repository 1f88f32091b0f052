//! Faults that need a story of their own.

pub(crate) mod cancel;
pub(crate) mod clear;
pub(crate) mod flood;
pub(crate) mod foreign;
pub(crate) mod full;
pub(crate) mod lease;
pub(crate) mod limits;
pub(crate) mod login;
pub(crate) mod names;
pub(crate) mod processes;
pub(crate) mod push;
pub(crate) mod source;
pub(crate) mod start;
pub(crate) mod topology;
