//! What a seed decides before anything runs: the fleet, its cache's policy, and its troubles.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use rucache_core::{Key, Ttl};
use rucache_engine::{Policy, Timing};

use crate::random::Random;

/// The tags that values carry.
pub(crate) const TAGS: [&str; 2] = ["red", "blue"];

/// How long a call to the shared tier may take before its caller gives up.
pub(crate) const CALL_TIMEOUT: Duration = Duration::from_millis(50);

/// The longest that a push message is on its way.
pub(crate) const PUSH_DELAY: Duration = Duration::from_millis(30);

/// The longest that the loss of a push connection goes unnoticed: a heartbeat and its timeout.
pub(crate) const PUSH_HEARTBEAT: Duration = Duration::from_secs(1);

/// Where entries live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tiers {
    /// In one process's memory.
    Local,
    /// At a store that a fleet shares.
    Shared,
    /// At a shared store that pushes changes, with copies in every process.
    Push,
    /// At a shared store that pushes nothing, with copies in every process.
    Pull,
}

impl Tiers {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Local, Self::Shared, Self::Push, Self::Pull];

    /// The name on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Shared => "shared",
            Self::Push => "push",
            Self::Pull => "pull",
        }
    }

    /// Whether processes keep entries of their own.
    pub(crate) const fn has_local(self) -> bool {
        !matches!(self, Self::Shared)
    }

    /// Whether there is a shared tier.
    pub(crate) const fn has_shared(self) -> bool {
        !matches!(self, Self::Local)
    }
}

impl fmt::Display for Tiers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Tiers {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|tiers| tiers.as_str() == name).ok_or_else(|| {
            format!("no configuration `{name}`; there are local, shared, push and pull")
        })
    }
}

/// Which troubles come over the fleet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Troubles {
    /// Single calls fail, before or after their effect, or come too late.
    pub(crate) faults: bool,
    /// A process and the store do not reach each other.
    pub(crate) partitions: bool,
    /// A push connection breaks, noticed late.
    pub(crate) push_loss: bool,
    /// The store starts anew with nothing.
    pub(crate) restarts: bool,
    /// The store starts anew as it was some seconds ago.
    pub(crate) restores: bool,
    /// The store drops entries, leases and markers.
    pub(crate) evictions: bool,
    /// A process is killed and started again.
    pub(crate) crashes: bool,
}

impl Troubles {
    fn draw(random: &mut Random, tiers: Tiers, pushes: bool) -> Self {
        // A quarter of all fleets is left in peace: some promises hold in peace only.
        let troubled = tiers.has_shared() && !random.chance(250);
        let mut some = |per_mille| troubled && random.chance(per_mille);
        Self {
            faults: some(400),
            partitions: some(400),
            push_loss: some(500) && pushes,
            restarts: some(200),
            // A store that keeps snapshots says when it was put back; others keep none.
            restores: some(300) && pushes,
            evictions: some(400),
            crashes: some(250),
        }
    }
}

impl fmt::Display for Troubles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = [
            (self.faults, "faults"),
            (self.partitions, "partitions"),
            (self.push_loss, "push losses"),
            (self.restarts, "restarts"),
            (self.restores, "restores"),
            (self.evictions, "evictions"),
            (self.crashes, "crashes"),
        ];
        let present: Vec<_> = all.iter().filter(|(on, _)| *on).map(|(_, name)| *name).collect();
        f.write_str(if present.is_empty() { "none" } else { "" })?;
        f.write_str(&present.join(", "))
    }
}

/// A world before it begins.
#[derive(Debug)]
pub(crate) struct Setup {
    pub(crate) tiers: Tiers,
    pub(crate) processes: usize,
    /// Whether the store tells of changes.
    pub(crate) pushes: bool,
    /// Most loads of a process at once.
    pub(crate) max_loads: usize,
    pub(crate) keys: Vec<Key>,
    pub(crate) policy: Policy,
    pub(crate) timing: Timing,
    pub(crate) troubles: Troubles,
    /// For how long calls and troubles come.
    pub(crate) work: Duration,
    /// Mean time between calls.
    pub(crate) pace: Duration,
    /// The longest that half a round trip takes while nothing is wrong.
    pub(crate) transit: Duration,
}

impl Setup {
    pub(crate) fn draw(random: &mut Random, tiers: Tiers) -> Self {
        let processes = if tiers.has_shared() { 1 + random.index(3) } else { 1 };
        let pushes = tiers == Tiers::Push || (tiers == Tiers::Shared && random.chance(500));
        let max_loads = if random.chance(150) { 1 + random.index(4) } else { 1_000 };
        Self {
            tiers,
            processes,
            pushes,
            max_loads,
            keys: keys(random),
            policy: policy(random),
            timing: timing(random),
            troubles: Troubles::draw(random, tiers, pushes),
            work: random.between(Duration::from_secs(10), Duration::from_secs(25)),
            pace: random.between(Duration::from_millis(5), Duration::from_millis(60)),
            transit: random.between(Duration::from_micros(50), Duration::from_millis(8)),
        }
    }
}

/// Few keys, so that what happens to them meets; in one service, or in two of which one's name
/// begins with the other's.
fn keys(random: &mut Random) -> Vec<Key> {
    let all = ["ruc:k1", "ruc:k2", "ruc:k3", "ruc2:k1"];
    let count = 1 + random.index(all.len());
    all.into_iter().take(count).filter_map(|text| Key::parse(text).ok()).collect()
}

fn policy(random: &mut Random) -> Policy {
    let fresh = random.pick(&[300, 1_000, 5_000, 60_000, 60_000, 60_000]);
    let mut policy = Policy::exact(Ttl::millis(fresh));
    if random.chance(500) {
        policy = policy.with_stale(Ttl::millis(random.pick(&[500, 5_000, 60_000])));
    }
    if random.chance(300) {
        policy = policy.with_early_refresh(80);
    }
    policy
}

fn timing(random: &mut Random) -> Timing {
    let mut span =
        |from, to| random.between(Duration::from_millis(from), Duration::from_millis(to));
    Timing::default()
        .with_soft_timeout(span(30, 500))
        .with_load_deadline(span(800, 4_000))
        .with_hard_timeout(span(1_000, 6_000))
        .with_back_off(span(200, 1_000))
        .with_max_back_off(span(1_000, 3_000))
}

impl fmt::Display for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Timing { soft_timeout, hard_timeout, load_deadline, back_off, .. } = self.timing;
        let keys: Vec<_> = self.keys.iter().map(Key::as_str).collect();
        let push = if self.pushes { ", push" } else { "" };
        writeln!(
            f,
            "tiers: {}{push}, processes: {}, keys: {}, loads at once: {}",
            self.tiers,
            self.processes,
            keys.join(" "),
            self.max_loads
        )?;
        writeln!(
            f,
            "fresh: {}, stale: {}, early: {}",
            self.policy.fresh,
            self.policy.stale.map_or("none".to_owned(), |stale| stale.to_string()),
            self.policy.early_percent.map_or("none".to_owned(), |percent| format!("{percent} %")),
        )?;
        writeln!(
            f,
            "soft timeout: {soft_timeout:?}, hard: {hard_timeout:?}, deadline of loads: {load_deadline:?}, back-off: {back_off:?}"
        )?;
        writeln!(f, "a call about every {:?} for {:?}", self.pace, self.work)?;
        write!(f, "half a round trip: up to {:?}, troubles: {}", self.transit, self.troubles)
    }
}
