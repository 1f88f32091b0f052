//! The process as `proc(5)` shows it.

use std::fmt::Write as _;
use std::fs;

/// A sample with what the exposition says before it.
struct Sample {
    name: &'static str,
    kind: &'static str,
    help: &'static str,
    value: String,
}

/// Appends the process's own samples to an exposition; what cannot be read is left out.
pub(crate) fn write(text: &mut String) {
    for Sample { name, kind, help, value } in samples() {
        // Writing to a string does not fail.
        let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n\n");
    }
}

fn samples() -> Vec<Sample> {
    let mut samples = Vec::new();
    let mut add = |name, kind, help, value: Option<String>| {
        samples.extend(value.map(|value| Sample { name, kind, help, value }));
    };
    let stat = fs::read_to_string("/proc/self/stat").ok().and_then(|stat| Stat::parse(&stat));
    let ticks = rustix::param::clock_ticks_per_second().max(1);
    let cpu = stat.as_ref().map(|stat| seconds(stat.cpu_ticks, ticks));
    add("process_cpu_seconds_total", "counter", "Processor time spent in seconds", cpu);
    let boot = fs::read_to_string("/proc/stat").ok().and_then(|stat| boot_time(&stat));
    let start = stat.as_ref().zip(boot);
    let start = start.map(|(stat, boot)| seconds(boot * ticks + stat.start_ticks, ticks));
    add("process_start_time_seconds", "gauge", "Start of the process since 1970 in seconds", start);
    let page = rustix::param::page_size() as u64;
    let resident = stat.as_ref().map(|stat| (stat.resident_pages * page).to_string());
    add("process_resident_memory_bytes", "gauge", "Resident memory in bytes", resident);
    let virtual_bytes = stat.as_ref().map(|stat| stat.virtual_bytes.to_string());
    add("process_virtual_memory_bytes", "gauge", "Virtual memory in bytes", virtual_bytes);
    let threads = stat.as_ref().map(|stat| stat.threads.to_string());
    add("process_threads", "gauge", "Threads of the process", threads);
    // Listing the folder opens one itself.
    let open = fs::read_dir("/proc/self/fd").ok().map(|files| files.count().saturating_sub(1));
    add("process_open_fds", "gauge", "Open file descriptors", open.map(|open| open.to_string()));
    let limits = fs::read_to_string("/proc/self/limits").ok();
    let most = limits.as_deref().and_then(max_open_files).map(str::to_owned);
    add("process_max_fds", "gauge", "Most file descriptors that may be open", most);
    samples
}

/// What is used of `/proc/self/stat`.
#[derive(Debug, PartialEq)]
struct Stat {
    cpu_ticks: u64,
    threads: u64,
    start_ticks: u64,
    virtual_bytes: u64,
    resident_pages: u64,
}

impl Stat {
    /// The fields of `proc_pid_stat(5)`. The second one is the program's name in parentheses, with
    /// whatever characters it has.
    fn parse(text: &str) -> Option<Self> {
        let (_, after_name) = text.rsplit_once(')')?;
        let fields: Vec<&str> = after_name.split_whitespace().collect();
        // The third field of the page is the first after the name.
        let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
        Some(Self {
            cpu_ticks: field(14)? + field(15)?,
            threads: field(20)?,
            start_ticks: field(22)?,
            virtual_bytes: field(23)?,
            resident_pages: field(24)?,
        })
    }
}

/// Seconds since 1970 at which the machine started.
fn boot_time(stat: &str) -> Option<u64> {
    stat.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()
}

fn max_open_files(limits: &str) -> Option<&str> {
    let soft = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    soft.split_whitespace().next().filter(|soft| soft.parse::<u64>().is_ok())
}

/// `ticks` in seconds with two decimals.
fn seconds(ticks: u64, per_second: u64) -> String {
    let hundredths = (ticks % per_second) * 100 / per_second;
    format!("{}.{hundredths:02}", ticks / per_second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_and_spaces_does_not_shift_the_fields() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194304 5 0 0 0 250 50 0 0 20 0 9 0 4711 1048576 33 1";
        let expected = Stat {
            cpu_ticks: 300,
            threads: 9,
            start_ticks: 4711,
            virtual_bytes: 1_048_576,
            resident_pages: 33,
        };
        assert_eq!(Stat::parse(stat), Some(expected));
        assert_eq!(Stat::parse("7 (cut) S 1"), None);
        assert_eq!(Stat::parse(""), None);
    }

    #[test]
    fn limits_and_boot_time_are_found_in_their_lines() {
        let limits = "Limit  Soft  Hard  Units\nMax open files            1024   4096    files\n";
        assert_eq!(max_open_files(limits), Some("1024"));
        assert_eq!(max_open_files("Max open files   unlimited unlimited files\n"), None);
        assert_eq!(boot_time("cpu 1 2\nbtime 1700000000\n"), Some(1_700_000_000));
    }

    #[test]
    fn ticks_become_seconds() {
        assert_eq!(seconds(1234, 100), "12.34");
        assert_eq!(seconds(5, 100), "0.05");
    }

    #[test]
    fn this_process_tells_all_seven() {
        let mut text = String::new();
        write(&mut text);
        assert_eq!(text.matches("# TYPE process_").count(), 7, "{text}");
    }
}
