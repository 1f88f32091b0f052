//! The text of `/metrics`.

use std::fmt;
use std::sync::Arc;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use crate::process;
use crate::recorder::{Handles, SharedRecorder};
use crate::table::{BUILD, Kind, METRICS};

/// A recorder and its exposition in Prometheus' text format.
///
/// Whoever serves it calls [`upkeep`](Self::upkeep) every five seconds: observed durations wait in
/// memory until then or until the next [`render`](Self::render).
pub struct Exporter {
    recorder: SharedRecorder,
    exposition: PrometheusHandle,
}

impl Exporter {
    /// The media type of what [`render`](Self::render) returns.
    pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

    /// An exporter of its own, installed nowhere.
    #[must_use]
    pub fn new() -> Self {
        let with_buckets = |builder: PrometheusBuilder, name: &str, buckets: &[f64]| {
            // Refused is an empty list only, and the table has none.
            let name = Matcher::Full(name.to_owned());
            builder.set_buckets_for_metric(name, buckets).unwrap_or_default()
        };
        // No idle time-out: it would forget series whose handles live on, for good.
        let recorder = METRICS
            .iter()
            .fold(PrometheusBuilder::new(), |builder, metric| match metric.kind {
                Kind::Histogram(buckets) => with_buckets(builder, metric.name, buckets),
                Kind::Counter | Kind::Gauge => builder,
            })
            .build_recorder();
        let exposition = recorder.handle();
        Self { recorder: Arc::new(recorder), exposition }
    }

    /// Where handles come from. A program may install it for the whole process, too.
    #[must_use]
    pub fn recorder(&self) -> SharedRecorder {
        self.recorder.clone()
    }

    /// Shows which version and which revision of the source is running.
    pub fn show_build(&self, version: &str, revision: &str) {
        Handles(self.recorder()).gauge(&BUILD, &[version, revision]).set(1.0);
    }

    /// Everything recorded so far, and the process's own metrics where the system tells them
    /// (Linux). To be sent as [`CONTENT_TYPE`](Self::CONTENT_TYPE).
    #[must_use]
    pub fn render(&self) -> String {
        let mut text = self.exposition.render();
        process::write(&mut text);
        text
    }

    /// Sorts observed durations into their buckets.
    pub fn upkeep(&self) {
        self.exposition.run_upkeep();
    }
}

impl Default for Exporter {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Exporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exporter").finish_non_exhaustive()
    }
}
