//! After the work: everything heals, and the tiers agree with the source (I6).

use std::sync::Arc;
use std::time::Duration;

use rucache_core::Key;
use rucache_engine::PushState;

use crate::caller;
use crate::checker::What;
use crate::process::Process;
use crate::random::Random;
use crate::setup::Tiers;
use crate::world::World;

/// How long a lease may be left behind by a process that was killed, with its rounding.
const LEASE: Duration = Duration::from_secs(6);

/// How long the outbox, circuits and push may take to be whole again.
const RECOVERY: Duration = Duration::from_secs(4);

/// More than the bound on the age of copies.
const BOUND: Duration = Duration::from_millis(2_200);

/// Lets everything come to rest, then reads everything everywhere: what was not changed since, and
/// what is changed once more.
pub(crate) async fn look_at_everything(world: &Arc<World>, random: &mut Random) {
    let timing = world.setup.timing;
    let rest =
        2 * timing.load_deadline + timing.max_back_off + timing.hard_timeout + LEASE + RECOVERY;
    world.scheduler.sleep(rest).await;
    let processes = world.processes();
    if processes.len() < world.setup.processes {
        return world.history.violate("I6", || "a process was not started again".to_owned());
    }
    for key in &world.setup.keys {
        for process in &processes {
            caller::make(process.clone(), caller::plain(caller::look(key.clone()))).await;
        }
    }
    processes.iter().for_each(|process| is_well(world, process));
    // What the store has lost is made anew by a first load, which that may cost its place.
    for key in &world.setup.keys {
        let load = caller::plain(What::Load(key.clone()));
        caller::make(random.pick(&processes), load).await;
    }
    for key in &world.setup.keys {
        let writer = random.pick(&processes);
        world.history.commit(key);
        caller::make(writer, caller::plain(What::Delete(key.clone()))).await;
    }
    world.scheduler.sleep(BOUND).await;
    for key in &world.setup.keys {
        // All at once: one of them loads.
        for process in &processes {
            let made = caller::make(process.clone(), caller::plain(What::Load(key.clone())));
            process.spawn(async move {
                made.await;
            });
        }
        world.scheduler.sleep(timing.hard_timeout + Duration::from_millis(200)).await;
        let loads = world.history.loads_within(key, BOUND + timing.hard_timeout);
        if loads != 1 && fresh_enough(world) {
            world
                .history
                .violate("I3", || format!("at rest, {loads} loads of {key} instead of one"));
        }
        for process in &processes {
            agree(world, process, key).await;
        }
    }
}

/// What `process` says of itself, once everything has healed.
fn is_well(world: &World, process: &Process) {
    let health = process.cache.health();
    let number = process.number;
    let told = !world.setup.pushes || health.push == PushState::Trusted;
    if health.stuck_keys > 0 || health.loads > 0 {
        world.history.violate("I5", || format!("at rest, p{number} still loads: {health:?}"));
    }
    if health.undelivered > 0 || !health.nodes_down.is_empty() || !told {
        world.history.violate("P3", || format!("at rest, p{number} has not recovered: {health:?}"));
    }
}

/// Whether values live through the look at them.
fn fresh_enough(world: &World) -> bool {
    world.setup.policy.fresh.as_duration() > world.setup.timing.hard_timeout + BOUND
        && world.setup.policy.early_percent.is_none()
}

/// What `process` gets is the source's version.
async fn agree(world: &World, process: &Arc<Process>, key: &Key) {
    let call = caller::plain(What::Load(key.clone()));
    let answer = caller::make(process.clone(), call).await;
    let version = world.history.version(key);
    if answer != Some(version) {
        let number = process.number;
        world.history.violate("I6", || {
            format!("at rest, p{number} gets {answer:?} for {key}, the source is at v{version}")
        });
    }
    if world.setup.tiers == Tiers::Local {
        return;
    }
    let stored = world.server.stored(key);
    if stored != Some(version) && fresh_enough(world) {
        world.history.violate("I6", || {
            format!("at rest, the store has {stored:?} for {key}, the source is at v{version}")
        });
    }
}
