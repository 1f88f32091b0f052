//! Callers: who calls what, when, and where.

use std::sync::Arc;
use std::time::Duration;

use rucache_core::Key;
use rucache_engine::Accept;

use crate::caller::{self, Plan};
use crate::checker::What;
use crate::process::Process;
use crate::random::Random;
use crate::setup::{Setup, TAGS};

/// How often each kind of call comes, in parts of their sum.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mix {
    read: u64,
    load: u64,
    many: u64,
    set: u64,
    delete: u64,
    expire: u64,
    tag: u64,
    clear: u64,
    clear_all: u64,
}

impl Mix {
    pub(crate) fn draw(random: &mut Random) -> Self {
        let mut up_to = |most: u64| random.below(most + 1);
        Self {
            read: 5 + up_to(30),
            load: 20 + up_to(60),
            many: up_to(15),
            set: up_to(6),
            delete: 1 + up_to(10),
            expire: up_to(4),
            tag: up_to(8),
            clear: up_to(5),
            clear_all: up_to(2),
        }
    }

    fn what(&self, random: &mut Random, setup: &Setup) -> What {
        let Self { read, load, many, set, delete, expire, tag, clear, clear_all } = *self;
        let sum = read + load + many + set + delete + expire + tag + clear + clear_all;
        let mut left = random.below(sum);
        let mut falls = |part: u64| {
            let inside = left < part;
            left = left.wrapping_sub(part);
            inside
        };
        let key = random.pick(&setup.keys);
        if falls(read) {
            let accept = if random.chance(300) { Accept::Stale } else { Accept::Fresh };
            What::Read(key, accept)
        } else if falls(load) {
            What::Load(key)
        } else if falls(many) {
            What::LoadMany(setup.keys.iter().filter(|_| random.chance(700)).cloned().collect())
        } else if falls(set) {
            What::Set(key, 0)
        } else if falls(delete) {
            What::Delete(key)
        } else if falls(expire) {
            What::Expire(key)
        } else if falls(tag) {
            What::Tag(key.service_name(), random.pick(&TAGS))
        } else if falls(clear) {
            What::Clear(key.service_name())
        } else {
            What::ClearAll
        }
    }
}

/// Makes one call, or a few at nearly the same time, in processes at random.
pub(crate) fn call(processes: &[Arc<Process>], setup: &Setup, mix: &Mix, random: &mut Random) {
    let crowd = if random.chance(250) { 2 + random.index(4) } else { 1 };
    let meeting = random.chance(700).then(|| random.pick(&setup.keys));
    for _ in 0..crowd {
        let process = random.pick(processes);
        let mut what = mix.what(random, setup);
        if let (Some(key), true) = (&meeting, crowd > 1) {
            what = at(what, key);
        }
        let leaves_after = random.chance(80).then(|| random.millis(200));
        let delay = random.millis(10);
        let plan = Plan { what, leaves_after, healthy: false };
        process.clone().spawn(begin(process, plan, delay, random.millis(3)));
    }
}

/// Commits what a writer has to say before it tells the cache.
pub(crate) async fn begin(process: Arc<Process>, mut plan: Plan, delay: Duration, gap: Duration) {
    process.scheduler.sleep(delay).await;
    match &mut plan.what {
        What::Read(..) | What::Load(_) | What::LoadMany(_) => {}
        What::Set(key, version) => *version = process.history.commit(key),
        What::Delete(key) | What::Expire(key) => {
            process.history.commit(key);
        }
        What::Tag(..) | What::Clear(_) | What::ClearAll => {
            for key in process.keys.iter().filter(|key| plan.what.covers(key)) {
                process.history.commit(key);
            }
        }
    }
    if plan.what.is_change() {
        process.scheduler.sleep(gap).await;
    }
    caller::make(process, plan).await;
}

/// The same call of another key.
fn at(what: What, key: &Key) -> What {
    let key = key.clone();
    match what {
        What::Read(_, accept) => What::Read(key, accept),
        What::Load(_) => What::Load(key),
        What::Set(_, version) => What::Set(key, version),
        What::Delete(_) => What::Delete(key),
        What::Expire(_) => What::Expire(key),
        What::Tag(_, tag) => What::Tag(key.service_name(), tag),
        What::Clear(_) => What::Clear(key.service_name()),
        many @ (What::LoadMany(_) | What::ClearAll) => many,
    }
}
