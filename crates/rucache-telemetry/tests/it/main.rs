//! What Prometheus is shown.

mod scrape;

mod every_event;

mod exposition;
mod numbers;
mod recorders;
