//! Noticing that the store is away, and letting it serve again after it was told what it missed.

use std::sync::Arc;
use std::time::Duration;

use rucache_core::{Change, Operation};

use super::{Circuit, Link, MAX_FAILURES, NODE};

/// How often the state of the connection is looked at.
const TICK: Duration = Duration::from_millis(50);

/// Time between two attempts to reach a store that is away; a fifth more or less.
const PROBE: u64 = 1_000;

/// Watches over the connection for as long as the process lives.
pub(super) async fn supervise(link: Arc<Link>) {
    loop {
        link.wire.scheduler.sleep(TICK).await;
        match link.tick() {
            Tick::Rest => {}
            Tick::Down => link.listeners().iter().for_each(|listener| listener.node_down(NODE)),
            Tick::Probe => link.recover().await,
        }
    }
}

enum Tick {
    Rest,
    Down,
    Probe,
}

impl Link {
    fn tick(&self) -> Tick {
        let now = self.wire.scheduler.now();
        let mut state = self.lock();
        let broken = state.life != self.wire.server.life();
        match state.circuit {
            // A connection that was closed is made anew soon, one that is silent is left alone.
            Circuit::Up if broken => self.open_circuit(&mut state.circuit, self.wire.millis(100)),
            Circuit::Up if state.failures >= MAX_FAILURES => {
                self.open_circuit(&mut state.circuit, self.rest())
            }
            Circuit::Up => Tick::Rest,
            Circuit::Down(until) if now >= until => Tick::Probe,
            Circuit::Down(_) | Circuit::Recovering => {
                self.wire.history.unrest(self.process);
                Tick::Rest
            }
        }
    }

    fn open_circuit(&self, circuit: &mut Circuit, rest: Duration) -> Tick {
        *circuit = Circuit::Down(self.wire.scheduler.now().after(rest));
        let process = self.process;
        self.wire.history.unrest(process);
        self.wire.history.note(|| format!("p{process} store down"));
        Tick::Down
    }

    fn rest(&self) -> Duration {
        Duration::from_millis(PROBE * 4 / 5) + self.wire.millis(PROBE * 2 / 5)
    }

    async fn recover(&self) {
        let process = self.process;
        self.wire.history.unrest(process);
        let life = self.wire.server.life();
        let ping = self.wire.exchange(process, Operation::Ping, vec![()], |_, _, _, ()| ()).await;
        if ping.iter().any(Result::is_err) {
            self.lock().circuit = Circuit::Down(self.wire.scheduler.now().after(self.rest()));
            return;
        }
        let reborn = {
            let mut state = self.lock();
            let reborn = std::mem::replace(&mut state.life, life) != life;
            state.circuit = Circuit::Recovering;
            state.failures = 0;
            reborn
        };
        self.wire.history.note(|| format!("p{process} store recovering"));
        if reborn && self.pushes {
            self.tell(&Change::Rewound);
        }
        let mut told = Ok(());
        for listener in self.listeners() {
            told = told.and(listener.node_recovering(NODE).await);
        }
        self.wire.history.unrest(process);
        let whole = told.is_ok() && self.wire.server.life() == life;
        if !whole {
            self.wire.history.note(|| format!("p{process} store stays closed: {told:?}"));
            self.lock().circuit = Circuit::Down(self.wire.scheduler.now().after(self.rest()));
            return;
        }
        self.lock().circuit = Circuit::Up;
        self.wire.history.recovered(process);
        self.listeners().iter().for_each(|listener| listener.node_up(NODE));
    }
}
