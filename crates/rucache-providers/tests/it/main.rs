//! The crate over loopback HTTP.
