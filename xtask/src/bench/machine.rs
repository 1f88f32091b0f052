//! On what something was measured.

use std::fs;
use std::path::Path;
use std::thread;

use toml::{Table, Value};

use crate::command::Invocation;
use crate::failure::{Doing as _, Failure, Outcome};
use crate::tools::Tool;

/// Processor, memory, compiler and the versions of `packages`, as in the file `lock`, and of
/// `servers`, one sentence per line.
pub(crate) fn describe(
    root: &Path,
    lock: &str,
    packages: &[&str],
    servers: &[&str],
) -> Outcome<String> {
    let system = |path| fs::read_to_string(path).unwrap_or_default();
    let processor = field(&system("/proc/cpuinfo"), "model name")
        .unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let memory = field(&system("/proc/meminfo"), "MemTotal").and_then(|text| gibibytes(&text));
    let memory = memory.map(|size| format!(", {size} of memory")).unwrap_or_default();
    let rustc = Invocation::new("rustc").words("--version").output(root)?;
    let mut versions = vec![rustc.split_whitespace().take(2).collect::<Vec<_>>().join(" ")];
    let lock = fs::read_to_string(root.join(lock)).doing(|| format!("read {lock}"))?;
    for package in packages {
        versions.push(format!("{package} {}", locked(&lock, package)?));
    }
    for server in servers {
        let version = Tool::named(server)?.version(root);
        versions.push(format!("{server} {}", version.unwrap_or_else(|| "unknown".to_owned())));
    }
    let system = std::env::consts::OS;
    Ok(format!(
        "Machine: {processor}, {threads} threads{memory}, {system}.\nVersions: {}.",
        versions.join(", ")
    ))
}

/// The value of the first line `name : value`.
fn field(text: &str, name: &str) -> Option<String> {
    let pairs = text.lines().filter_map(|line| line.split_once(':'));
    pairs
        .map(|(key, value)| (key.trim(), value.trim()))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value.to_owned())
}

/// `8 GiB` of `8039412 kB`, rounded to the nearest.
fn gibibytes(text: &str) -> Option<String> {
    const KIB_PER_GIB: u64 = 1 << 20;
    let kibibytes: u64 = text.strip_suffix(" kB")?.trim().parse().ok()?;
    Some(format!("{} GiB", kibibytes.saturating_add(KIB_PER_GIB / 2) / KIB_PER_GIB))
}

/// The versions of a package in `Cargo.lock`, usually one.
fn locked(lock: &str, package: &str) -> Outcome<String> {
    let lock: Table = lock.parse().doing(|| "read Cargo.lock".to_owned())?;
    let packages = lock.get("package").and_then(Value::as_array).into_iter().flatten();
    let text = |entry: &Value, key: &str| entry.get(key).and_then(Value::as_str).map(str::to_owned);
    let named = packages.filter(|entry| text(entry, "name").as_deref() == Some(package));
    let versions: Vec<_> = named.filter_map(|entry| text(entry, "version")).collect();
    if versions.is_empty() {
        return Err(Failure::new(format!("Cargo.lock has no package `{package}`")));
    }
    Ok(versions.join(" and "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_read_from_lines_of_the_kernel() {
        let text = "processor\t: 0\nmodel name\t: Some CPU @ 3.0GHz\nmodel name\t: Other\n";
        assert_eq!(field(text, "model name").as_deref(), Some("Some CPU @ 3.0GHz"));
        assert_eq!(field(text, "MemTotal"), None);
    }

    #[test]
    fn memory_is_rounded_to_the_nearest_gibibyte() {
        assert_eq!(gibibytes("8039412 kB").as_deref(), Some("8 GiB"));
        assert_eq!(gibibytes("plenty"), None);
    }

    #[test]
    fn versions_come_from_the_lock_file() {
        let lock = "[[package]]\nname = \"moka\"\nversion = \"0.12.16\"\n[[package]]\nname = \"moka-x\"\nversion = \"1.0.0\"\n";
        assert_eq!(locked(lock, "moka").unwrap(), "0.12.16");
        assert!(locked(lock, "redis").is_err());
    }
}
