//! The matrix as data: each fault with the sites it is provoked on.

use std::time::Duration;

use rucache::core::BoxFuture;
use rucache_testkit::{Connections, Ending, Fault};

use crate::arena::{Arena, Context, Site};
use crate::cases;
use crate::outage::{Kind, Outage};
use crate::report::Report;

/// A fault.
pub(crate) struct Row {
    pub(crate) id: &'static str,
    pub(crate) what: &'static str,
    pub(crate) on: &'static [Site],
    pub(crate) run: Run,
}

/// How it is provoked and judged.
pub(crate) enum Run {
    Outage(Outage),
    Case(fn(Context) -> BoxFuture<Report>),
}

/// Whole caches as people open them, and Redis where nothing covers for it.
const SERVERS: &[Site] = &[Site::Redis, Site::RedisAlone, Site::Memcached];
const REDIS: &[Site] = &[Site::Redis];
const REDIS_ALONE: &[Site] = &[Site::RedisAlone];
const MEMCACHED: &[Site] = &[Site::Memcached];
const POOL: &[Site] = &[Site::Pool];
const SENTINEL: &[Site] = &[Site::Sentinel];
const CLUSTER: &[Site] = &[Site::Cluster];
const ALL: &[Site] = &[Site::Memory, Site::Redis, Site::RedisAlone, Site::Memcached];

const fn down(begin: fn(&Arena), end: fn(&Arena)) -> Run {
    Run::Outage(Outage { begin, end, kind: Kind::Down })
}

const fn flaky(begin: fn(&Arena)) -> Run {
    Run::Outage(Outage { begin, end: Arena::heal, kind: Kind::Flaky })
}

const fn blip(begin: fn(&Arena)) -> Run {
    Run::Outage(Outage { begin, end: Arena::heal, kind: Kind::Blip })
}

const fn row(id: &'static str, what: &'static str, on: &'static [Site], run: Run) -> Row {
    Row { id, what, on, run }
}

macro_rules! case {
    ($case:path) => {
        Run::Case(|context| Box::pin($case(context)))
    };
}

pub(crate) const ROWS: &[Row] = &[
    row("F01", "down at start", SERVERS, case!(cases::start::down_at_start)),
    row(
        "F02",
        "kill -9 under load, restart",
        SERVERS,
        down(|arena| arena.server.kill_9(), |arena| arena.server.restart()),
    ),
    row("F04", "idle over a restart", SERVERS, case!(cases::start::idle_over_a_restart)),
    row(
        "F05",
        "SIGSTOP, SIGCONT",
        SERVERS,
        down(|arena| arena.server.pause(), |arena| arena.server.resume()),
    ),
    row(
        "F06",
        "every tenth answer just over the time limit",
        SERVERS,
        flaky(|arena| arena.proxy.set(Fault::stall(Duration::from_millis(60), 10))),
    ),
    row(
        "F07",
        "answers trickle",
        SERVERS,
        down(
            |arena| {
                let every = Duration::from_millis(20);
                arena.proxy.set(Fault::Trickle { bytes: 1, every });
            },
            Arena::heal,
        ),
    ),
    row("F08", "late answers, 20,000 calls cancelled", SERVERS, case!(cases::cancel::cancelled)),
    row("F09", "connections reset", SERVERS, blip(|arena| arena.proxy.reset())),
    row(
        "F09",
        "connections end within an answer",
        SERVERS,
        flaky(|arena| arena.proxy.set(Fault::Cut { after: 300, how: Ending::Eof })),
    ),
    row("F10", "half-open connections", SERVERS, blip(|arena| arena.proxy.half_open())),
    row(
        "F11",
        "nothing moves",
        SERVERS,
        down(|arena| arena.proxy.set(Fault::BlackHole(Connections::All)), Arena::heal),
    ),
    row(
        "F11",
        "connecting hangs",
        SERVERS,
        down(
            |arena| {
                arena.proxy.set(Fault::Unanswered);
                arena.proxy.reset();
            },
            Arena::heal,
        ),
    ),
    row(
        "F12",
        "answers with flipped bits",
        SERVERS,
        flaky(|arena| arena.proxy.set(Fault::Corrupt { one_in: 2_000 })),
    ),
    row(
        "F12",
        "answers that nobody gave",
        SERVERS,
        flaky(|arena| {
            let bytes = b"$-1\r\n*3\r\n:99999999999\r\nVA 99999999 k O1\r\n".to_vec();
            arena.proxy.set(Fault::Inject { bytes, one_in: 50 });
        }),
    ),
    row(
        "F12",
        "answers that come twice",
        SERVERS,
        flaky(|arena| arena.proxy.set(Fault::Duplicate { one_in: 50 })),
    ),
    row("F13", "wrong type under a key", REDIS_ALONE, case!(cases::foreign::wrong_type)),
    row("F14", "no room, nothing evicted", REDIS, case!(cases::full::out_of_memory)),
    row("F15", "lease evicted during the load", REDIS, case!(cases::lease::lease_evicted)),
    row("F15", "answer lost on its way", SERVERS, case!(cases::lease::answer_lost)),
    row("F16", "server becomes a replica", REDIS, case!(cases::full::read_only)),
    row("F17", "planned fail-over, then kill -9", SENTINEL, case!(cases::topology::fail_over)),
    row("F18", "slots move", CLUSTER, case!(cases::topology::reshard)),
    row("F19", "primary killed", CLUSTER, case!(cases::topology::primary_killed)),
    row("F21", "password changed and put back", REDIS, case!(cases::login::password)),
    row("F22", "no more clients taken", REDIS, case!(cases::login::max_clients)),
    row("F23", "one of three nodes dies", POOL, case!(cases::topology::node_dies)),
    row("F24", "value over the limit", ALL, case!(cases::limits::oversize)),
    row("F25", "every bit of an entry flipped", REDIS_ALONE, case!(cases::foreign::flipped_bits)),
    row("F28", "extreme lives", ALL, case!(cases::limits::lives)),
    row("F29", "loader panics, hangs, is left", ALL, case!(cases::source::bad_loaders)),
    row("F30", "source down, with and without a fallback", ALL, case!(cases::source::source_down)),
    row("F31", "10,000 callers of a cold key, of 1,000", ALL, case!(cases::source::crowd)),
    row("F32", "four processes, one cold key", REDIS, case!(cases::processes::one_cold_key)),
    row("F32", "four processes, one cold key", MEMCACHED, case!(cases::processes::one_cold_key)),
    row("F33", "changes during a load", ALL, case!(cases::source::changed_meanwhile)),
    row("F34", "five million unknown names", ALL, case!(cases::flood::unknown_names)),
    row("F34", "five million names read once", ALL, case!(cases::flood::names_read_once)),
    row("F35", "poisonous names", ALL, case!(cases::names::poisonous)),
    row("F36", "10,000 operations at once", SERVERS, case!(cases::limits::at_once)),
    row("F40", "clear of a million entries", ALL, case!(cases::clear::a_million)),
    row("F40", "clear of a million entries", POOL, case!(cases::clear::a_million)),
    row("F41", "push lost", REDIS, case!(cases::push::lost)),
];
