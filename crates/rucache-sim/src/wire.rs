//! The network between one process and the store: delays, losses, and what the weather makes of them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rucache_core::{Answers, Error, ErrorKind, Operation, Timestamp};
use tokio::sync::oneshot;

use crate::history::History;
use crate::random::Random;
use crate::scheduler::{Owner, Scheduler};
use crate::server::{Data, Server};
use crate::setup::CALL_TIMEOUT;
use crate::shown::{Item, Shown};

/// The backend's name in errors.
pub(crate) const STORE: &str = "simulated";

/// The longest that something is carried out after its caller was told that it took too long.
const LATENESS: Duration = Duration::from_millis(200);

/// What gets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Everything.
    Open,
    /// Nothing.
    Cut,
    /// Requests; answers are lost.
    Mute,
}

/// How things are between a process and the store.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Weather {
    pub(crate) reach: Reach,
    /// So many items in a thousand are spoiled.
    pub(crate) spoilt: u64,
    /// So many calls in a thousand are slow, and may be too slow.
    pub(crate) slow: u64,
    /// Whether a push connection can be made, and lasts.
    pub(crate) pushes: bool,
}

impl Weather {
    /// Whether a push connection can be made, and lasts.
    pub(crate) fn lets_push(self) -> bool {
        self.pushes && self.reach == Reach::Open
    }

    /// Nothing goes wrong.
    pub(crate) const FAIR: Self = Self { reach: Reach::Open, spoilt: 0, slow: 0, pushes: true };
}

/// A network of one process.
pub(crate) struct Wire {
    pub(crate) server: Arc<Server>,
    pub(crate) scheduler: Scheduler,
    pub(crate) history: Arc<History>,
    /// The longest half of a round trip in fair weather.
    transit: Duration,
    state: Mutex<State>,
}

struct State {
    weather: Weather,
    random: Random,
}

/// What happens to one item of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Pass,
    /// Not carried out.
    Refused,
    /// Carried out, its answer lost.
    Lost,
    /// Told to be too late, carried out after that.
    Late(Duration),
}

impl Fate {
    const fn error(self) -> ErrorKind {
        match self {
            Self::Refused => ErrorKind::Unreachable,
            Self::Late(_) => ErrorKind::Timeout,
            Self::Lost | Self::Pass => ErrorKind::Interrupted,
        }
    }
}

/// What happens to a call.
struct Plan {
    reach: Reach,
    request: Duration,
    answer: Duration,
    /// Whether other commands come in between its items.
    piecewise: bool,
    fates: Vec<Fate>,
}

impl Wire {
    pub(crate) fn new(
        server: Arc<Server>,
        scheduler: Scheduler,
        history: Arc<History>,
        transit: Duration,
        random: Random,
    ) -> Self {
        let state = Mutex::new(State { weather: Weather::FAIR, random });
        Self { server, scheduler, history, transit, state }
    }

    pub(crate) fn weather(&self) -> Weather {
        self.lock().weather
    }

    pub(crate) fn set_weather(&self, weather: Weather) {
        self.lock().weather = weather;
    }

    /// A span of at most so many milliseconds.
    pub(crate) fn millis(&self, most: u64) -> Duration {
        self.lock().random.millis(most)
    }

    /// Carries `items` to the server, has each carried out by `command`, and brings the answers back,
    /// within the time that a call may take.
    ///
    /// What is under way goes on when the caller leaves, or its process ends.
    pub(crate) async fn exchange<I, T>(
        self: &Arc<Self>,
        process: u64,
        operation: Operation,
        items: Vec<I>,
        command: fn(&mut Data, Timestamp, &mut Random, &I) -> T,
    ) -> Answers<T>
    where
        I: Item + Clone + Send + 'static,
        T: Shown + Send + 'static,
    {
        let count = items.len();
        let plan = self.plan(&items);
        if plan.fates.iter().any(|fate| *fate != Fate::Pass) || plan.reach != Reach::Open {
            self.history.unrest(process);
        }
        let (reply, answers) = oneshot::channel();
        let carried = Carried { wire: self.clone(), process, operation, command };
        self.scheduler.spawn(Owner::World, Box::pin(carried.run(items, plan, reply)));
        let timeout = self.scheduler.sleep(CALL_TIMEOUT);
        let kind = match futures_util::future::select(answers, timeout).await {
            futures_util::future::Either::Left((Ok(answers), _)) => return answers,
            futures_util::future::Either::Left((Err(_), _)) => ErrorKind::Interrupted,
            futures_util::future::Either::Right(_) => ErrorKind::Timeout,
        };
        self.history.unrest(process);
        self.history.note(|| format!("p{process} {}: {kind}", operation.as_str()));
        (0..count).map(|_| Err(Error::new(kind, STORE, operation))).collect()
    }

    fn plan<I: Item>(&self, items: &[I]) -> Plan {
        let mut state = self.lock();
        let State { weather, random } = &mut *state;
        let slow = if random.chance(weather.slow) { CALL_TIMEOUT } else { Duration::ZERO };
        let mut half = || random.between(Duration::ZERO, self.transit + slow);
        let (mut request, answer) = (half(), half());
        // A write without condition that lands after its caller was told that it failed can be
        // fenced by no store: not simulated.
        let in_time = items.iter().any(Item::is_unconditional_write);
        if in_time {
            request = request.min(CALL_TIMEOUT / 2);
        }
        let mut fate = || match random.chance(weather.spoilt).then(|| random.below(3)) {
            None => Fate::Pass,
            Some(0) => Fate::Refused,
            Some(1) if !in_time => Fate::Late(random.between(Duration::ZERO, LATENESS)),
            Some(_) => Fate::Lost,
        };
        let fates = items.iter().map(|_| fate()).collect();
        Plan { reach: weather.reach, request, answer, piecewise: random.chance(200), fates }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call on its way.
struct Carried<I, T> {
    wire: Arc<Wire>,
    process: u64,
    operation: Operation,
    command: fn(&mut Data, Timestamp, &mut Random, &I) -> T,
}

impl<I: Item + Clone + Send + 'static, T: Shown + Send + 'static> Carried<I, T> {
    async fn run(self, items: Vec<I>, plan: Plan, reply: oneshot::Sender<Answers<T>>) {
        let wire = self.wire.clone();
        let life = wire.server.life();
        if plan.reach == Reach::Cut {
            // Its caller waits in vain.
            wire.scheduler.sleep(2 * CALL_TIMEOUT).await;
            return;
        }
        wire.scheduler.sleep(plan.request).await;
        let mut answers = Vec::with_capacity(items.len());
        for (item, fate) in items.into_iter().zip(&plan.fates) {
            // A connection of the server's last life ends with it.
            if wire.server.life() != life {
                return;
            }
            answers.push(self.meet(item, *fate, life));
            if plan.piecewise {
                wire.scheduler.sleep(wire.millis(1)).await;
            }
        }
        wire.scheduler.sleep(plan.answer).await;
        if plan.reach == Reach::Mute {
            wire.scheduler.sleep(2 * CALL_TIMEOUT).await;
            return;
        }
        if wire.server.life() == life {
            drop(reply.send(answers));
        }
    }

    fn meet(&self, item: I, fate: Fate, life: u64) -> Result<T, Error> {
        let error = || Err(Error::new(fate.error(), STORE, self.operation));
        match fate {
            Fate::Pass => return Ok(self.carry_out(&item)),
            Fate::Lost => drop(self.carry_out(&item)),
            Fate::Refused => {}
            Fate::Late(span) => {
                let (wire, process, operation) = (self.wire.clone(), self.process, self.operation);
                let late = Self { wire, process, operation, command: self.command };
                let sleep = self.wire.scheduler.sleep(CALL_TIMEOUT + span);
                let task = async move {
                    sleep.await;
                    if late.wire.server.life() == life {
                        late.carry_out(&item);
                    }
                };
                self.wire.scheduler.spawn(Owner::World, Box::pin(task));
            }
        }
        error()
    }

    fn carry_out(&self, item: &I) -> T {
        let command = self.command;
        let answer =
            self.wire.server.carry_out(|data, now, random| command(data, now, random, item));
        if let Some(change) = item.ends() {
            self.wire.history.took_effect(&change);
        }
        self.wire.history.note(|| {
            let Self { process, operation, .. } = self;
            format!("p{process} {} {}: {}", operation.as_str(), item.text(), answer.text())
        });
        answer
    }
}
