//! Handles for metrics of the table, from whatever recorder there is.

use std::fmt;
use std::sync::Arc;

use metrics::{
    Counter, Gauge, Histogram, Key, KeyName, Label, Level, Metadata, Recorder, SharedString, Unit,
};

use crate::table::Metric;

/// Where handles come from: [`Exporter::recorder`](crate::Exporter::recorder), [`installed`], or a
/// program's own.
pub type SharedRecorder = Arc<dyn Recorder + Send + Sync>;

/// The recorder that the program has installed for the whole process.
///
/// Handles taken before it is installed count nothing for ever: install first.
#[must_use]
pub fn installed() -> SharedRecorder {
    Arc::new(Installed)
}

/// Resolves and describes handles.
#[derive(Clone)]
pub(crate) struct Handles(pub(crate) SharedRecorder);

const METADATA: Metadata<'static> =
    Metadata::new(env!("CARGO_PKG_NAME"), Level::INFO, Some(module_path!()));

impl Handles {
    /// The counter of `metric` under the values of its labels.
    pub(crate) fn counter(&self, metric: &Metric, values: &[&str]) -> Counter {
        self.0.describe_counter(name(metric), None, help(metric));
        self.0.register_counter(&key(metric, values), &METADATA)
    }

    /// The gauge of `metric` under the values of its labels, at zero.
    pub(crate) fn gauge(&self, metric: &Metric, values: &[&str]) -> Gauge {
        self.0.describe_gauge(name(metric), None, help(metric));
        self.0.register_gauge(&key(metric, values), &METADATA)
    }

    /// The histogram of `metric` under the values of its labels.
    pub(crate) fn histogram(&self, metric: &Metric, values: &[&str]) -> Histogram {
        self.0.describe_histogram(name(metric), None, help(metric));
        self.0.register_histogram(&key(metric, values), &METADATA)
    }
}

impl fmt::Debug for Handles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handles").finish_non_exhaustive()
    }
}

fn name(metric: &Metric) -> KeyName {
    KeyName::from_const_str(metric.name)
}

fn help(metric: &Metric) -> SharedString {
    SharedString::const_str(metric.help)
}

fn key(metric: &Metric, values: &[&str]) -> Key {
    debug_assert_eq!(metric.labels.len(), values.len(), "{}", metric.name);
    let label = |(name, value): (&&'static str, &&str)| Label::new(*name, (*value).to_owned());
    let labels: Vec<Label> = metric.labels.iter().zip(values).map(label).collect();
    Key::from_parts(name(metric), labels)
}

/// Passes everything on to the recorder that is installed.
struct Installed;

impl Recorder for Installed {
    fn describe_counter(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        metrics::with_recorder(|recorder| recorder.describe_counter(key, unit, description));
    }

    fn describe_gauge(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        metrics::with_recorder(|recorder| recorder.describe_gauge(key, unit, description));
    }

    fn describe_histogram(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        metrics::with_recorder(|recorder| recorder.describe_histogram(key, unit, description));
    }

    fn register_counter(&self, key: &Key, metadata: &Metadata<'_>) -> Counter {
        metrics::with_recorder(|recorder| recorder.register_counter(key, metadata))
    }

    fn register_gauge(&self, key: &Key, metadata: &Metadata<'_>) -> Gauge {
        metrics::with_recorder(|recorder| recorder.register_gauge(key, metadata))
    }

    fn register_histogram(&self, key: &Key, metadata: &Metadata<'_>) -> Histogram {
        metrics::with_recorder(|recorder| recorder.register_histogram(key, metadata))
    }
}
