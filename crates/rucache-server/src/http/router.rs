//! From the table of routes to a router, and from a request to its answer.
//!
//! The paths are matched here and not by axum's own router, whose layers cost a look-up of a hit as
//! much again as the look-up itself.

use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;

use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use rucache::telemetry::RouteMetrics;

use super::access::Door;
use super::app::App;
use super::call::{Call, Path};
use super::openapi::path_parameters;
use super::problem::{Kind, Problem};
use super::route::{self, Route};

/// A route that is served, and what is counted of it.
pub(super) struct Served {
    pub(super) route: &'static Route,
    /// What follows the last parameter of its path.
    pub(super) verb: &'static str,
    pub(super) metrics: RouteMetrics,
}

/// The routes that are served at a door. Clones share everything.
#[derive(Clone)]
pub(super) struct Router(Arc<Places>);

struct Places {
    app: App,
    places: matchit::Router<Place>,
}

/// The routes of one path.
struct Place {
    /// What the path calls its parameters.
    parameters: Vec<&'static str>,
    /// Whether something may follow the last parameter.
    has_verbs: bool,
    served: Vec<Served>,
}

impl Router {
    /// The routes of `app` that are served at `door`.
    pub(super) fn new(app: &App, door: Door) -> Self {
        let mut places: Vec<(&'static str, Place)> = Vec::new();
        for route in route::routes().filter(|route| door.serves(route.access)) {
            let (path, verb) = split(route.path);
            let served = Served { route, verb, metrics: app.metrics().of(route) };
            match places.iter_mut().find(|(known, _)| *known == path) {
                Some((_, place)) => {
                    place.has_verbs |= !verb.is_empty();
                    place.served.push(served);
                }
                None => {
                    let parameters = path_parameters(path).collect();
                    let has_verbs = !verb.is_empty();
                    places.push((path, Place { parameters, has_verbs, served: vec![served] }));
                }
            }
        }
        let mut router = matchit::Router::new();
        for (path, place) in places {
            let inserted = router.insert(path, place);
            debug_assert!(inserted.is_ok(), "{path} is in the way of another path");
        }
        Self(Arc::new(Places { app: app.clone(), places: router }))
    }

    /// Answers a request; the last on its connection once the service is to stop.
    pub(super) async fn answer(&self, request: Request) -> Response {
        let app = &self.0.app;
        let mut response = match self.0.find(&request) {
            Ok((served, path)) => answer(app, served, path, request).await,
            Err(refusal) => refusal.into_response(),
        };
        if app.is_stopping() {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

impl Places {
    /// The route that `request` is for, and the parameters in its path.
    fn find(&self, request: &Request) -> Result<(&Served, Result<Path, Problem>), Refusal> {
        let path = request.uri().path();
        let found = self.places.at(path).map_err(|_| Refusal::Path)?;
        let Place { parameters, has_verbs, served } = found.value;
        let last = path.rsplit('/').next().unwrap_or_default();
        let verb = match last.find(':') {
            Some(at) if *has_verbs => &last[at..],
            _ => "",
        };
        let here = || served.iter().filter(|one| one.verb == verb);
        match here().find(|one| one.route.verb.is(request.method())) {
            Some(served) => {
                let values = found.params.iter().map(|(_, value)| value);
                Ok((served, Path::decoded(parameters, values)))
            }
            None if here().next().is_none() => Err(Refusal::Path),
            None => Err(Refusal::Method(here().map(|one| one.route.verb.allows()).collect())),
        }
    }
}

/// Why a request is for no route.
enum Refusal {
    /// There is none with its path.
    Path,
    /// Those with its path take these methods.
    Method(Vec<&'static str>),
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self::Method(allowed) = self else {
            let detail = "GET /openapi.json describes those that exist";
            return Problem::new(Kind::NoSuchRoute, detail).into_response();
        };
        let detail = "the header Allow lists the methods it takes";
        let mut response = Problem::new(Kind::MethodNotAllowed, detail).into_response();
        if let Ok(allow) = HeaderValue::try_from(allowed.join(",")) {
            response.headers_mut().insert(header::ALLOW, allow);
        }
        response
    }
}

/// The part of a route's path that the router knows, and what may follow a parameter in it:
/// `/v1/cache/{service}` and `:batchGet`.
pub(super) fn split(path: &'static str) -> (&'static str, &'static str) {
    match path.find("}:") {
        Some(at) => path.split_at(at + 1),
        None => (path, ""),
    }
}

/// Runs a handler. Whatever it does, there is an answer.
pub(super) async fn answer(
    app: &App,
    served: &Served,
    path: Result<Path, Problem>,
    request: Request,
) -> Response {
    let Served { route, verb, metrics } = served;
    let (runtime, live) = (app.runtime(), app.live());
    let began = runtime.now();
    let limit = live.limits.request;
    // Pinned here: wrapped as it is, it would be moved each time.
    let handling = pin!(async {
        live.admit(route.access, request.headers())?;
        let call = Call::new(request, path?, route, verb, live.limits)?;
        (route.handler)(app.clone(), call).await
    });
    let caught = AssertUnwindSafe(handling).catch_unwind();
    let answered = match tokio::time::timeout(limit, caught).await {
        Ok(Ok(answered)) => answered,
        Ok(Err(_panic)) => Err(Problem::new(Kind::Internal, "the handler of the request panicked")),
        Err(_) => {
            let detail = format!("no answer after {} s", limit.as_secs_f32());
            Err(Problem::new(Kind::TimedOut, detail).retry_after(1))
        }
    };
    let response = answered.unwrap_or_else(IntoResponse::into_response);
    metrics.record(response.status().as_u16(), runtime.now().since(began));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_a_parameter_is_apart_from_its_place() {
        let split_as = |path, place, verb| assert_eq!(split(path), (place, verb));
        split_as("/v1/cache/{service}:batchGet", "/v1/cache/{service}", ":batchGet");
        split_as("/v1/cache/{service}/{key}", "/v1/cache/{service}/{key}", "");
        split_as("/v1/ruc:batch", "/v1/ruc:batch", "");
    }
}
