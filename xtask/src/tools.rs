//! The programs that tasks need: how to see whether one is there, who needs it, how to get it.

use std::path::Path;

use crate::command::Invocation;
use crate::failure::{Failure, Outcome};

/// A program. A task that needs one more names it here, and nothing else has to change.
pub(crate) struct Tool {
    pub(crate) name: &'static str,
    /// A command that prints the version.
    probe: &'static str,
    /// The tasks that cannot do without it; empty for what only makes work easier.
    pub(crate) tasks: &'static [&'static str],
    get: Get,
}

/// Where a program comes from.
enum Get {
    /// A package of Debian and its relatives.
    Apt(&'static str),
    /// A component of the Rust toolchain.
    Component(&'static str),
    /// A crate, built into `target/tools`. Unoptimised: it runs for a second and builds for minutes.
    Crate { name: &'static str, version: &'static str },
    /// A page to read.
    Page(&'static str),
}

/// Where tools that we build ourselves go: away with `cargo clean`, in nobody's way.
const BUILT: &str = "target/tools";

const EVERY_TASK: &[&str] = &["every task"];
const ALL_CHECKS: &[&str] = &["test", "ci"];
const SERVERS: &[&str] = &["test", "ci", "integration", "bench", "faults", "fleet"];

pub(crate) const TOOLS: &[Tool] = &[
    Tool {
        name: "rustc",
        probe: "rustc --version",
        tasks: EVERY_TASK,
        get: Get::Page("https://rustup.rs"),
    },
    Tool {
        name: "cargo",
        probe: "cargo --version",
        tasks: EVERY_TASK,
        get: Get::Page("https://rustup.rs"),
    },
    Tool { name: "cc", probe: "cc --version", tasks: EVERY_TASK, get: Get::Apt("gcc") },
    Tool {
        name: "rustfmt",
        probe: "cargo fmt --version",
        tasks: ALL_CHECKS,
        get: Get::Component("rustfmt"),
    },
    Tool {
        name: "clippy",
        probe: "cargo clippy --version",
        tasks: ALL_CHECKS,
        get: Get::Component("clippy"),
    },
    Tool {
        name: DENY,
        probe: "cargo-deny --version",
        tasks: ALL_CHECKS,
        get: Get::Crate { name: DENY, version: "0.20.2" },
    },
    Tool {
        name: "redis-server",
        probe: "redis-server --version",
        tasks: SERVERS,
        get: Get::Apt("redis-server"),
    },
    Tool {
        name: "memcached",
        probe: "memcached --version",
        tasks: SERVERS,
        get: Get::Apt("memcached"),
    },
    Tool {
        name: "promtool",
        probe: "promtool --version",
        tasks: ALL_CHECKS,
        get: Get::Apt("prometheus"),
    },
    // Comes in the same package as promtool.
    Tool {
        name: "prometheus",
        probe: "prometheus --version",
        tasks: ALL_CHECKS,
        get: Get::Apt("prometheus"),
    },
    Tool {
        name: "chromium",
        probe: "chromium --version",
        tasks: &["test", "ci", "screenshots"],
        get: Get::Apt("chromium"),
    },
    Tool {
        name: "amtool",
        probe: "amtool --version",
        tasks: ALL_CHECKS,
        get: Get::Apt("prometheus-alertmanager"),
    },
    // Comes with redis-server wherever it is packaged.
    Tool {
        name: "redis-cli",
        probe: "redis-cli --version",
        tasks: &["integration"],
        get: Get::Apt("redis-tools"),
    },
];

/// The tool behind the step `deny`.
pub(crate) const DENY: &str = "cargo-deny";

impl Tool {
    /// The row of `name`.
    pub(crate) fn named(name: &str) -> Outcome<&'static Self> {
        let tool = TOOLS.iter().find(|tool| tool.name == name);
        tool.ok_or_else(|| Failure::new(format!("xtask/src/tools.rs has no row for `{name}`")))
    }

    /// The program as it is called on this machine, and its version; nothing when it is missing.
    pub(crate) fn find(&self, root: &Path) -> Option<(Invocation, String)> {
        let (program, rest) = self.probe.split_once(' ').unwrap_or((self.probe, ""));
        let here = [program.to_owned(), format!("{BUILT}/bin/{program}")];
        here.into_iter().find_map(|path| {
            // A relative program is looked up from where xtask runs, not from the root.
            let path =
                if path.contains('/') { root.join(path).display().to_string() } else { path };
            let version = Invocation::new(path.as_str()).words(rest).first_line(root)?;
            Some((Invocation::new(path), version))
        })
    }

    /// Its version alone, `7.0.15`; nothing when it is missing.
    pub(crate) fn version(&self, root: &Path) -> Option<String> {
        self.find(root).map(|(_, line)| number(&line).unwrap_or(&line).to_owned())
    }

    /// The program, got first when it is missing and this machine lets us.
    pub(crate) fn obtain(&self, root: &Path) -> Outcome<Invocation> {
        if let Some((program, _)) = self.find(root) {
            return Ok(program);
        }
        println!("{} is missing", self.name);
        let by_hand =
            || Failure::new(format!("{} is missing; get it with: {}", self.name, self.how()));
        if matches!(self.get, Get::Page(_))
            || (matches!(self.get, Get::Apt(_)) && !may_install(root))
        {
            return Err(by_hand());
        }
        for command in self.commands() {
            command.run(root)?;
        }
        self.find(root).map(|(program, _)| program).ok_or_else(by_hand)
    }

    /// What a person types, or reads, to get it.
    pub(crate) fn how(&self) -> String {
        match self.get {
            Get::Page(address) => format!("see {address}"),
            Get::Apt(package) => format!("sudo apt-get install {package}"),
            Get::Component(_) | Get::Crate { .. } => {
                self.commands().iter().map(Invocation::to_string).collect::<Vec<_>>().join(" && ")
            }
        }
    }

    fn commands(&self) -> Vec<Invocation> {
        match self.get {
            Get::Page(_) => Vec::new(),
            Get::Apt(package) => {
                let apt = || Invocation::new("apt-get").env("DEBIAN_FRONTEND", "noninteractive");
                let install = apt().words("install --yes --no-install-recommends").args([package]);
                vec![apt().words("update"), install]
            }
            Get::Component(name) => {
                vec![Invocation::new("rustup").words("component add").args([name])]
            }
            Get::Crate { name, version } => {
                let install = Invocation::cargo("install --locked --debug --root").args([BUILT]);
                vec![install.words("--version").args([version, name])]
            }
        }
    }
}

/// `7.0.15` of `Redis server v=7.0.15 bits=64`: the first word with a dot between its digits.
fn number(line: &str) -> Option<&str> {
    let words =
        line.split_whitespace().map(|word| word.trim_matches(|c: char| !c.is_ascii_digit()));
    words.into_iter().find(|word| word.contains('.'))
}

/// Whether packages of the system can be installed without asking anybody.
fn may_install(root: &Path) -> bool {
    let is_root = Invocation::new("id").words("-u").first_line(root).as_deref() == Some("0");
    is_root && Invocation::new("apt-get").words("--version").first_line(root).is_some()
}

/// Gets what `task` needs; says what it found.
pub(crate) fn prepare(root: &Path, task: &str) -> Outcome {
    for tool in TOOLS.iter().filter(|tool| tool.tasks.contains(&task) && tool.name != DENY) {
        tool.obtain(root)?;
        if let Some((_, version)) = tool.find(root) {
            println!("{}: {version}", tool.name);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const GET_A: Get = Get::Crate { name: "a", version: "1.2.3" };

    fn tool(probe: &'static str, get: Get) -> Tool {
        Tool { name: "sample", probe, tasks: &[], get }
    }

    #[test]
    fn a_program_of_the_machine_is_found_with_its_version() {
        let (program, version) = tool("echo 1.2", GET_A).find(Path::new(".")).unwrap();
        assert_eq!((program.to_string().as_str(), version.as_str()), ("echo", "1.2"));
    }

    #[test]
    fn the_number_of_a_version_is_found_in_its_line() {
        for (line, expected) in [
            ("Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0", Some("7.0.15")),
            ("redis-cli 7.0.15", Some("7.0.15")),
            ("memcached 1.6.18", Some("1.6.18")),
            ("a tool.", None),
        ] {
            assert_eq!(number(line), expected, "{line}");
        }
    }

    #[test]
    fn a_missing_or_failing_program_is_not_found() {
        assert!(tool("no-such-program-here --version", GET_A).find(Path::new(".")).is_none());
        assert!(tool("false", GET_A).find(Path::new(".")).is_none());
    }

    #[test]
    fn how_to_get_a_program_can_be_typed() {
        for (get, how) in [
            (Get::Apt("gcc"), "sudo apt-get install gcc"),
            (Get::Component("clippy"), "rustup component add clippy"),
            (GET_A, "cargo install --locked --debug --root target/tools --version 1.2.3 a"),
            (Get::Page("https://rustup.rs"), "see https://rustup.rs"),
        ] {
            assert_eq!(tool("sample", get).how(), how);
        }
    }

    #[test]
    fn what_nobody_can_install_for_you_is_named_with_the_way_to_get_it() {
        let missing = tool("no-such-program-here", Get::Page("https://rustup.rs"));
        let message = missing.obtain(Path::new(".")).unwrap_err().to_string();
        assert_eq!(message, "sample is missing; get it with: see https://rustup.rs");
    }

    #[test]
    fn names_are_unique() {
        for tool in TOOLS {
            assert_eq!(TOOLS.iter().filter(|other| other.name == tool.name).count(), 1);
            assert_eq!(Tool::named(tool.name).unwrap().probe, tool.probe);
        }
    }
}
