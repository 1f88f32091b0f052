//! An exposition taken apart.

use std::collections::BTreeMap;

use rucache_telemetry::Exporter;

/// Samples by name and labels as they stand in the text, types and helps by name.
#[derive(Debug, Default)]
pub(crate) struct Scrape {
    pub(crate) samples: BTreeMap<String, f64>,
    pub(crate) types: BTreeMap<String, String>,
    pub(crate) helps: BTreeMap<String, String>,
}

impl Scrape {
    pub(crate) fn of(exporter: &Exporter) -> Self {
        let mut scrape = Self::default();
        for line in exporter.render().lines().filter(|line| !line.is_empty()) {
            let comment = |kind| line.strip_prefix(kind)?.split_once(' ');
            if let Some((name, help)) = comment("# HELP ") {
                scrape.helps.insert(name.to_owned(), help.to_owned());
            } else if let Some((name, kind)) = comment("# TYPE ") {
                scrape.types.insert(name.to_owned(), kind.to_owned());
            } else {
                let (series, value) = line.rsplit_once(' ').expect("a value");
                let value = value.parse().expect("a number");
                assert_eq!(scrape.samples.insert(series.to_owned(), value), None, "twice: {line}");
            }
        }
        scrape
    }

    /// The value of a series; the test fails when there is none.
    pub(crate) fn value(&self, series: &str) -> f64 {
        match self.samples.get(series) {
            Some(value) => *value,
            None => panic!("no {series} among {:#?}", self.samples.keys()),
        }
    }

    /// The series that begin so.
    pub(crate) fn beginning(&self, start: &str) -> Vec<&str> {
        self.samples.keys().map(String::as_str).filter(|series| series.starts_with(start)).collect()
    }
}

/// The name of a series, and the names of its labels without the bucket's limit.
pub(crate) fn labels(series: &str) -> (&str, Vec<&str>) {
    let Some((name, rest)) = series.split_once('{') else { return (series, Vec::new()) };
    let labels = rest.trim_end_matches('}').split("\",").filter_map(|label| label.split_once('='));
    (name, labels.map(|(label, _)| label).filter(|label| *label != "le").collect())
}
