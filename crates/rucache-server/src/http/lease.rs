//! Leases over HTTP: of many clients that miss a value one loads it, under the fences of a load
//! within.

use std::time::Duration;

use axum::response::Response;
use rucache::Ttl;
use rucache::core::Key;
use rucache::engine::{Filled, Leased, Loaded, Permit, Written};

use super::app::App;
use super::call::Call;
use super::entry::{self, Json};
use super::problem::{Kind, Problem};
use super::reply;
use super::route::Answered;
use super::trail::Event;

/// The longest lease: a client that is gone holds the name for as long.
const LONGEST: Ttl = Ttl::secs(300);

/// How long others wait, unless they say, in milliseconds.
const WAIT: u64 = 5_000;

/// How long they wait at most, in milliseconds: less than a request may take by default.
const WAIT_AT_MOST: u64 = 25_000;

/// What a client who asks for a lease wishes.
pub(super) struct Wish {
    ttl: Ttl,
    wait: Duration,
}

impl Wish {
    /// The wish in the query of `call`, if there is one.
    pub(super) fn of(call: &Call) -> Result<Option<Self>, Problem> {
        let wait = call.parsed("wait")?;
        let Some(ttl) = call.parsed("lease")? else {
            return match wait {
                None => Ok(None),
                Some(_) => Err(Problem::parameter("wait", "it is for a lease; add lease")),
            };
        };
        if ttl > LONGEST {
            return Err(Problem::parameter("lease", "a lease lasts 300 seconds at most"));
        }
        let wait = wait.unwrap_or(WAIT);
        if wait > WAIT_AT_MOST {
            let reason = format_args!("{WAIT_AT_MOST} milliseconds at most");
            return Err(Problem::parameter("wait", reason));
        }
        Ok(Some(Self { ttl, wait: Duration::from_millis(wait) }))
    }
}

/// The value of `key`, or a problem with the lease for it; without one for those who waited in
/// vain.
pub(super) async fn get(app: &App, key: &Key, Wish { ttl, wait }: Wish) -> Answered {
    // There has to be an answer before the request is given up.
    let wait = wait.min(app.live().limits.request * 9 / 10);
    let detail = match app.cache().lease::<Json>(key, ttl, wait).await? {
        Leased::Value(hit) => {
            let body = hit.value.get().as_bytes();
            app.log(key, Event::Hit(body));
            return reply::cached(body.to_vec(), &hit.outcome);
        }
        Leased::Granted(permit) => {
            app.log(key, Event::Miss);
            let detail = "load the value and store it with PUT and this lease";
            return Err(Problem::new(Kind::NotCached, detail).with("lease", permit.to_string()));
        }
        Leased::Negative(_) => return Err(entry::missing(app, key)),
        Leased::Held => "another client is loading the value, and has not stored it yet",
        _ => "the backend does not answer; load the value, and do not store it",
    };
    app.log(key, Event::Miss);
    Err(Problem::new(Kind::NotCached, detail))
}

/// Stores what was loaded under `permit`.
pub(super) async fn put(
    app: &App,
    key: &Key,
    permit: Permit,
    loaded: Loaded<Json>,
    ttl: Ttl,
) -> Result<Response, Problem> {
    match app.cache().fill(key, permit, loaded, ttl).await? {
        Filled::Done => reply::written(Written::Done),
        Filled::Deferred => reply::written(Written::Deferred),
        Filled::Superseded => {
            let detail = "the name was changed, or the lease ran out; read again";
            Err(Problem::new(Kind::Superseded, detail))
        }
    }
}
