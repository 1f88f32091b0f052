//! Long work as it proceeds: a bar on a terminal, now and then a line elsewhere.

use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::time::Duration;

use rucache::core::{Mono, Runtime};

/// How often a bar is drawn.
const REDRAW: Duration = Duration::from_millis(100);

/// How often a line is written where there is no terminal.
const LINE: Duration = Duration::from_secs(10);

/// Columns of the bar.
const WIDTH: usize = 24;

/// What is known of long work on its way, told on standard error.
pub(super) struct Progress {
    clock: Arc<dyn Runtime>,
    began: Mono,
    shown: Mono,
    total: Option<u64>,
    /// What was done before this run.
    before: u64,
    is_bar: bool,
}

impl Progress {
    /// Work of which `before` of `total` is done already.
    pub(super) fn begin(clock: Arc<dyn Runtime>, before: u64, total: Option<u64>) -> Self {
        let began = clock.now();
        let is_bar = std::io::stderr().is_terminal();
        Self { clock, began, shown: began, total, before, is_bar }
    }

    /// Shows that `done` is done by now, if it is time to; `facts` are told as well.
    pub(super) fn show(&mut self, done: u64, facts: &str) {
        let now = self.clock.now();
        if now.since(self.shown) < if self.is_bar { REDRAW } else { LINE } {
            return;
        }
        self.shown = now;
        let line = line(done, self.before, self.total, now.since(self.began), facts);
        // What cannot be shown is no reason to stop.
        let mut stderr = std::io::stderr().lock();
        drop(if self.is_bar {
            write!(stderr, "\r\u{1b}[2K{line}").and_then(|()| stderr.flush())
        } else {
            writeln!(stderr, "rucache: {line}")
        });
    }

    /// Clears the bar; how long it took.
    pub(super) fn end(self) -> Duration {
        if self.is_bar {
            eprint!("\r\u{1b}[2K");
        }
        self.clock.now().since(self.began)
    }
}

fn line(done: u64, before: u64, total: Option<u64>, took: Duration, facts: &str) -> String {
    let rate = rate(done.saturating_sub(before), took);
    let Some(total) = total.filter(|total| *total > 0) else {
        return format!("{done}  {rate:.0}/s  {facts}");
    };
    let part = fraction(done.min(total), total);
    let filled = (0..WIDTH).filter(|column| fraction(*column as u64, WIDTH as u64) < part).count();
    let bar = format!("{}{}", "█".repeat(filled), "░".repeat(WIDTH - filled));
    let left = match rate > 0.0 {
        true => {
            span(Duration::from_secs_f64((fraction(total.saturating_sub(done), 1) / rate).min(1e9)))
        }
        false => "-".to_owned(),
    };
    format!("{bar} {:3.0} %  {done}/{total}  {rate:.0}/s  ETA {left}  {facts}", part * 100.0)
}

/// How many a second.
pub(super) fn rate(done: u64, took: Duration) -> f64 {
    fraction(done, 1) / took.as_secs_f64().max(1e-3)
}

/// `of` by `whole`; counts beyond four thousand million are as good as that.
fn fraction(of: u64, whole: u64) -> f64 {
    let number = |count: u64| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    number(of) / number(whole.max(1))
}

/// A span as people read it.
pub(super) fn span(span: Duration) -> String {
    let tenths = span.as_millis() / 100;
    let secs = tenths / 10;
    match secs {
        0..60 => format!("{secs}.{} s", tenths % 10),
        60..3_600 => format!("{}:{:02} min", secs / 60, secs % 60),
        _ => format!("{}:{:02} h", secs / 3_600, secs / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_tells_part_rate_and_what_is_left() {
        let line = line(50, 0, Some(200), Duration::from_secs(10), "40 hits, 10 misses");
        let bar = format!("{}{}", "█".repeat(6), "░".repeat(18));
        assert_eq!(line, format!("{bar}  25 %  50/200  5/s  ETA 30.0 s  40 hits, 10 misses"));
    }

    #[test]
    fn what_was_done_before_does_not_count_for_the_rate() {
        let line = line(150, 100, Some(200), Duration::from_secs(10), "");
        assert!(line.contains(" 75 %  150/200  5/s  ETA 10.0 s"), "{line}");
        assert_eq!(super::line(7, 0, None, Duration::from_secs(1), "x"), "7  7/s  x");
    }

    #[test]
    fn spans_are_read_at_a_glance() {
        for (millis, shown) in
            [(0, "0.0 s"), (59_940, "59.9 s"), (61_000, "1:01 min"), (3_725_000, "1:02 h")]
        {
            assert_eq!(span(Duration::from_millis(millis)), shown);
        }
    }
}
