//! The built service as those see it who watch it: Prometheus, a browser, a reader of its log.

mod service;

mod backend_down;
mod page;
mod privacy;
mod scrape;
mod screenshots;
