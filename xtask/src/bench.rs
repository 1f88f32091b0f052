//! Measuring, and writing what was measured into `docs/benchmarks.md` with where and how.

pub(crate) mod machine;
pub(crate) mod section;

use std::fs;

use crate::command::Invocation;
use crate::failure::{Doing as _, Failure, Outcome};
use crate::tools::Tool;
use crate::{peers, workspace};

/// A bench target that prints its result, in Markdown, between `<!-- begin NAME -->` and
/// `<!-- end NAME -->`.
pub(crate) struct Suite {
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    /// Where the target of the same name is.
    package: Package,
    /// Packages measured beside ours: their versions are stated.
    beside: &'static [&'static str],
    /// Programs that the target starts: got first, and their versions are stated too.
    servers: &'static [&'static str],
}

enum Package {
    /// A member of the workspace.
    Member(&'static str),
    /// The crate of other caches, which is none.
    Peers,
}

impl Package {
    fn bench(&self, target: &str) -> Invocation {
        match self {
            Self::Member(name) => {
                Invocation::cargo("bench --all-features --package").args([*name, "--bench", target])
            }
            Self::Peers => peers::cargo(&format!("bench --bench {target}")),
        }
    }

    /// The lock file that states its versions.
    fn lock(&self) -> String {
        match self {
            Self::Member(_) => "Cargo.lock".to_owned(),
            Self::Peers => format!("{}/Cargo.lock", peers::FOLDER),
        }
    }
}

pub(crate) const SUITES: &[Suite] = &[
    Suite {
        name: "local",
        what: "a local hit beside plain moka and a hand-written moka cache",
        package: Package::Member("rucache"),
        beside: &["moka"],
        servers: &[],
    },
    Suite {
        name: "telemetry",
        what: "what metrics cost a local hit",
        package: Package::Member("rucache"),
        beside: &["metrics"],
        servers: &[],
    },
    Suite {
        name: "redis",
        what: "one read, 256 callers and 100 keys beside the raw redis client",
        package: Package::Member("rucache-redis"),
        beside: &["redis"],
        servers: &["redis-server"],
    },
    Suite {
        name: "memcached",
        what: "one read, 256 callers and 100 keys beside the raw memcache client",
        package: Package::Member("rucache-memcached"),
        beside: &["memcache"],
        servers: &["memcached"],
    },
    Suite {
        name: "http",
        what: "a look-up over HTTP beside a bare handler of the same framework",
        package: Package::Member("rucache-server"),
        beside: &["axum", "hyper"],
        servers: &[],
    },
    Suite {
        name: "peers",
        what: "a local hit beside other caches, which this downloads",
        package: Package::Peers,
        beside: peers::PACKAGES,
        servers: &[],
    },
];

const PAGE: &str = "docs/benchmarks.md";

/// Runs a suite and replaces its section of the page.
pub(crate) fn run(name: &str) -> Outcome {
    let suite = SUITES.iter().find(|suite| suite.name == name);
    let suite = suite
        .ok_or_else(|| Failure::new(format!("no suite `{name}`; `cargo xtask help` lists them")))?;
    let root = workspace::root();
    for server in suite.servers {
        Tool::named(server)?.obtain(&root)?;
    }
    let mut output = String::new();
    let bench = suite.package.bench(suite.name);
    bench.run_watched(&root, |line| {
        output.push_str(line);
        output.push('\n');
    })?;
    let result = section::extract(&output, name).ok_or_else(|| {
        Failure::new(format!("`{bench}` printed no section `{name}`: {}", section::markers(name)))
    })?;
    let machine = machine::describe(&root, &suite.package.lock(), suite.beside, suite.servers)?;
    let body = format!("{}\n\n{machine}\nRun by `cargo xtask bench {name}`.", result.trim());
    let path = root.join(PAGE);
    let page = if path.exists() {
        fs::read_to_string(&path).doing(|| format!("read {PAGE}"))?
    } else {
        String::new()
    };
    let page = section::replace(&page, name, &body)
        .map_err(|problem| Failure::new(format!("{PAGE} {problem}")))?;
    fs::write(&path, page).doing(|| format!("write {PAGE}"))?;
    println!("{PAGE}: section `{name}` written");
    Ok(())
}
