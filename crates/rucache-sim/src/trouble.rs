//! What comes over a fleet: faults, partitions, losses, restarts.

use std::sync::Arc;
use std::time::Duration;

use crate::caller;
use crate::checker::What;
use crate::crowd;
use crate::random::Random;
use crate::wire::{Reach, Weather};
use crate::world::World;

/// One kind of trouble.
#[derive(Debug, Clone, Copy)]
enum Trouble {
    Faults,
    Partition,
    PushLoss,
    Restart,
    Restore,
    Eviction,
    Crash,
}

/// Brings troubles over `world` until its work is done.
pub(crate) async fn brew(world: Arc<World>, mut random: Random) {
    let kinds = kinds(&world);
    if kinds.is_empty() {
        return;
    }
    loop {
        // Peace now and then: some promises hold in peace only.
        let calm = if random.chance(150) { 5_000 } else { 800 };
        world.scheduler.sleep(random.millis(calm)).await;
        if world.is_over() {
            return;
        }
        let trouble = random.pick(&kinds);
        world.history.book().tally.troubles += 1;
        bring(&world, trouble, &mut random).await;
    }
}

fn kinds(world: &World) -> Vec<Trouble> {
    let troubles = &world.setup.troubles;
    let all = [
        (troubles.faults, Trouble::Faults),
        (troubles.partitions, Trouble::Partition),
        (troubles.push_loss, Trouble::PushLoss),
        (troubles.restarts, Trouble::Restart),
        (troubles.restores, Trouble::Restore),
        (troubles.evictions, Trouble::Eviction),
        (troubles.crashes, Trouble::Crash),
    ];
    all.into_iter().filter(|(on, _)| *on).map(|(_, trouble)| trouble).collect()
}

async fn bring(world: &Arc<World>, trouble: Trouble, random: &mut Random) {
    let place = random.index(world.setup.processes);
    let wire = &world.wires[place];
    match trouble {
        Trouble::Faults => {
            let (spoilt, slow) = (random.below(300), random.below(300));
            wire.set_weather(Weather { spoilt, slow, ..Weather::FAIR });
            world.history.note(|| format!("place {place}: {spoilt} ‰ spoilt, {slow} ‰ slow"));
            world.scheduler.sleep(random.millis(3_000)).await;
            wire.set_weather(Weather::FAIR);
            world.history.note(|| format!("place {place}: fair"));
        }
        Trouble::Partition => {
            let reach = if random.chance(700) { Reach::Cut } else { Reach::Mute };
            wire.set_weather(Weather { reach, ..Weather::FAIR });
            world.history.note(|| format!("place {place}: {reach:?}"));
            world.cut_push(place);
            let span = Duration::from_millis(300 + random.below(5_000));
            world.scheduler.sleep(span).await;
            wire.set_weather(Weather::FAIR);
            world.history.note(|| format!("place {place}: fair"));
        }
        Trouble::PushLoss => {
            // Half of them for longer than a copy is good without push.
            let least = if random.chance(500) { 3_500 } else { 0 };
            wire.set_weather(Weather { pushes: false, ..Weather::FAIR });
            world.cut_push(place);
            world.scheduler.sleep(Duration::from_millis(least + random.below(4_000))).await;
            wire.set_weather(Weather::FAIR);
        }
        Trouble::Restart => {
            world.server.restart();
            world.history.reborn(false);
        }
        Trouble::Restore if random.chance(600) => forget(world, place, random).await,
        Trouble::Restore => {
            keep(world);
            world.scheduler.sleep(random.millis(3_000)).await;
            restore(world);
        }
        Trouble::Eviction => {
            for _ in 0..1 + random.below(6) {
                if let Some(loss) = world.server.evict(random) {
                    world.history.lost(&loss);
                }
                world.scheduler.sleep(random.millis(30)).await;
            }
        }
        Trouble::Crash => {
            world.kill(place);
            world.scheduler.sleep(random.millis(1_000)).await;
            world.start(place);
        }
    }
}

fn keep(world: &World) {
    world.server.take_snapshot();
    world.history.note(|| "store keeps a snapshot".to_owned());
}

fn restore(world: &World) {
    if world.server.restore() {
        world.history.reborn(true);
    }
}

/// The store forgets that a service was cleared, and the process at `place`, which alone had that
/// confirmed, is gone by then; another one has seen it only.
async fn forget(world: &Arc<World>, place: usize, random: &mut Random) {
    let key = random.pick(&world.setup.keys);
    let witness = (place + 1) % world.wires.len();
    call(world, witness, What::Load(key.clone())).await;
    world.scheduler.sleep(random.millis(100)).await;
    keep(world);
    call(world, place, What::Clear(key.service_name())).await;
    world.scheduler.sleep(random.millis(100)).await;
    call(world, witness, caller::look(key.clone())).await;
    world.kill(place);
    restore(world);
    world.scheduler.sleep(random.millis(500)).await;
    call(world, witness, caller::look(key)).await;
    world.start(place);
}

/// Makes a call in the process at `place`, if one runs there, and waits for its end.
async fn call(world: &World, place: usize, what: What) {
    if let Some(process) = world.process(place) {
        crowd::begin(process, caller::plain(what), Duration::ZERO, Duration::ZERO).await;
    }
}
