//! The metrics of a service's routes.

use std::time::Duration;

use metrics::{Counter, Histogram};

use crate::recorder::{Handles, SharedRecorder};
use crate::table::{HTTP_DURATION, HTTP_REQUESTS};

/// The metrics of one route. A service makes one for each of its routes at its start.
#[derive(Debug)]
pub struct RouteMetrics {
    /// By class of status, from `1xx` to `5xx`.
    requests: [Counter; 5],
    duration: Histogram,
}

impl RouteMetrics {
    /// The metrics of `method` (`GET`) on `route`: its template (`/v1/ruc/{ruc}`), never the path
    /// of a request.
    #[must_use]
    pub fn new(recorder: SharedRecorder, method: &str, route: &str) -> Self {
        let handles = Handles(recorder);
        let requests = ["1xx", "2xx", "3xx", "4xx", "5xx"]
            .map(|class| handles.counter(&HTTP_REQUESTS, &[route, method, class]));
        Self { requests, duration: handles.histogram(&HTTP_DURATION, &[route, method]) }
    }

    /// A request was answered with `status` after `took`.
    pub fn record(&self, status: u16, took: Duration) {
        let class = usize::from(status / 100).clamp(1, 5) - 1;
        self.requests[class].increment(1);
        self.duration.record(took);
    }
}
