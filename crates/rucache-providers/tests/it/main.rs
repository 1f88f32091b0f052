//! The crate over loopback HTTP, against fakes of the real APIs.

#![expect(clippy::unwrap_used, reason = "a failed step fails the test that took it")]

mod bulk;
mod faults;
mod quiet;
mod rates;
mod setting;
mod tables;
mod tls;
