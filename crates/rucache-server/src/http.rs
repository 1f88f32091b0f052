//! The HTTP service: routes, their handlers, and the server that runs them.

mod access;
mod limits;
mod problem;
mod call;
mod route;
mod router;
mod live;
mod app;
mod reply;
mod trail;
mod verdict;
mod ruc;
mod batch;
mod invalid;
mod rate;
mod warm;
mod entry;
mod lease;
mod many;
mod names;
mod invalidate;
mod events;
mod maintenance;
mod stats;
mod sources;
mod health;
mod watch;
mod metrics;
mod overview;
mod page;
mod openapi;
mod schema;
mod inside;
mod alarm;
mod patience;
mod server;

#[cfg(test)]
use access::Door;
pub(crate) use app::App;
pub(crate) use server::{bind, run};
pub(crate) use trail::TARGET;

#[cfg(test)]
mod tests;
