//! The service as its clients see it: real connections, raw requests.

mod client;
mod contract;
mod service;

mod look_ups;
mod records;
mod batches;
mod entries;
mod health;
mod document;
mod malformed;
mod many;
mod leases;
mod invalidation;
mod security;
mod metrics;
mod overview;
mod series;
mod registry;
mod figures;
mod rates;
mod warming;
mod fuzz;
mod server;
mod slow;
