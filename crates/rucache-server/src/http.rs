//! The HTTP service: routes, their handlers, and the server that runs them.

mod limits;
mod problem;
mod call;
mod route;
mod app;
mod reply;
mod verdict;
mod ruc;
mod batch;
mod entry;
mod health;
mod openapi;
mod schema;
mod patience;
mod server;

pub(crate) use app::App;
pub(crate) use server::{bind, run};

#[cfg(test)]
mod tests;
