//! What is done to a fleet while it works: its server killed, stopped, put back to an older state;
//! its connections reset, stalled, swallowed; its processes stopped and killed.

use std::time::Duration;

use rucache_testkit::{Connections, Fault, FaultProxy, Fleet, Member, wait_until};
use rustix::process::{Pid, Signal, kill_process};

use crate::book::{Trouble, TroubleKind};
use crate::note::{Moment, Process, now};
use crate::referee::{Chance, Referee};
use crate::server::{Kind, Server};

/// How long one may be waited for who is loading just now.
const PATIENCE: Duration = Duration::from_secs(3);

/// A process of the fleet, as its parent knows it.
pub(crate) struct Worker {
    pub(crate) process: Process,
    pub(crate) member: Member,
    pid: Pid,
}

/// A fleet at work, and everything that can be done to it.
pub(crate) struct Stage<'a> {
    pub(crate) server: Server,
    pub(crate) proxy: FaultProxy,
    pub(crate) referee: Referee,
    pub(crate) workers: Vec<Worker>,
    fleet: Fleet,
    variables: Vec<(&'a str, String)>,
    chance: Chance,
    next: Process,
    /// When the server last kept what it held.
    snapshot: Option<Moment>,
}

/// One thing that is done.
#[derive(Debug, Clone, Copy)]
enum Mischief {
    KillServer,
    PauseServer,
    KillHolder,
    PauseProcess,
    Reset,
    Stall,
    Swallow,
    Snapshot,
}

const ALL: [Mischief; 8] = [
    Mischief::KillHolder,
    Mischief::KillServer,
    Mischief::PauseProcess,
    Mischief::PauseServer,
    Mischief::Reset,
    Mischief::Snapshot,
    Mischief::Swallow,
    Mischief::Stall,
];

impl<'a> Stage<'a> {
    pub(crate) fn new(
        server: Server,
        referee: Referee,
        fleet: Fleet,
        variables: impl Fn(&str, &Referee) -> Vec<(&'a str, String)>,
        seed: u64,
    ) -> Self {
        let proxy = FaultProxy::start(server.port(), seed);
        let variables = variables(&server.url_at(proxy.port()), &referee);
        let chance = Chance::new(!seed);
        let (workers, next) = (Vec::new(), 1);
        Self { server, proxy, referee, workers, fleet, variables, chance, next, snapshot: None }
    }

    /// Starts one more process.
    pub(crate) fn hire(&mut self) {
        let process = self.next;
        self.next += 1;
        let variables = self.variables.iter().map(|(name, value)| (*name, value.as_str()));
        let member = self.fleet.spawn(&process.to_string(), variables);
        let pid = Pid::from_raw(member.receive().parse().unwrap()).unwrap();
        self.workers.push(Worker { process, member, pid });
    }

    /// Does one thing after the other for so long, each after a while of peace.
    pub(crate) fn trouble(&mut self, span: Duration) {
        let end = now() + u64::try_from(span.as_nanos()).unwrap();
        // Every run does some of all, each seed another one first.
        let mut turn = self.chance.place(ALL.len());
        while now() < end {
            self.one(ALL[turn % ALL.len()]);
            turn += 1;
            let peace = Duration::from_millis(500 + self.chance.below(3_500));
            wait_until(peace.min(Duration::from_nanos(end.saturating_sub(now()))), || false);
        }
    }

    fn one(&mut self, mischief: Mischief) {
        let from = now();
        let span = Duration::from_millis(300 + self.chance.below(2_500));
        let mut process = None;
        let kind = match mischief {
            Mischief::KillServer => {
                self.server.kill_9();
                stay(span);
                self.server.restart();
                self.forget(from);
                TroubleKind::Server
            }
            Mischief::PauseServer => {
                self.server.pause();
                stay(span);
                self.server.resume();
                TroubleKind::Server
            }
            Mischief::Snapshot if self.server.kind() == Kind::Redis => {
                self.server.snapshot();
                self.snapshot = Some(from);
                return;
            }
            Mischief::Snapshot | Mischief::Reset => {
                self.proxy.reset();
                TroubleKind::Server
            }
            Mischief::Stall => {
                self.proxy.set(Fault::stall(Duration::from_millis(200), 20));
                stay(span);
                self.proxy.set(Fault::Pass);
                TroubleKind::Server
            }
            Mischief::Swallow => {
                self.proxy.set(Fault::BlackHole(Connections::All));
                stay(span);
                self.proxy.set(Fault::Pass);
                TroubleKind::Server
            }
            Mischief::PauseProcess => {
                let worker = &self.workers[self.chance.place(self.workers.len())];
                process = Some(worker.process);
                kill_process(worker.pid, Signal::STOP).unwrap();
                // Longer than a copy may be used without hearing of changes.
                stay(2 * span);
                kill_process(worker.pid, Signal::CONT).unwrap();
                TroubleKind::Paused
            }
            Mischief::KillHolder => {
                process = self.kill_holder();
                TroubleKind::Killed
            }
        };
        self.referee.book().trouble(Trouble { from, to: now(), process, kind });
    }

    /// Takes note of what the server has forgotten when it died at `died`.
    fn forget(&self, died: Moment) {
        let kind = TroubleKind::Forgot { back_to: self.snapshot };
        self.referee.book().trouble(Trouble { from: died, to: now(), process: None, kind });
    }

    /// Kills a process that holds a lease, and starts another in its place.
    fn kill_holder(&mut self) -> Option<Process> {
        let mut holder = None;
        wait_until(PATIENCE, || {
            let loading = self.referee.book().somebody_loading();
            holder = self.workers.iter().position(|worker| Some(worker.process) == loading);
            holder.is_some()
        });
        let worker = self.workers.swap_remove(holder?);
        worker.member.kill_9();
        self.hire();
        Some(worker.process)
    }
}

/// Lets what was done last for a while.
fn stay(span: Duration) {
    wait_until(span, || false);
}
