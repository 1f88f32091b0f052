//! The crate over loopback HTTP, against fakes of the real APIs.

mod bulk;
mod faults;
mod quiet;
mod rates;
mod setting;
mod tables;
mod tls;
