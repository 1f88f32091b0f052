//! From the table of routes to a router, and from a request to its answer.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use futures_util::FutureExt;
use rucache::telemetry::RouteMetrics;

use super::access::Door;
use super::app::App;
use super::call::Call;
use super::problem::{Kind, Problem};
use super::route::{self, Route};

/// A route that is served, and what is counted of it.
pub(super) struct Served {
    pub(super) route: &'static Route,
    pub(super) metrics: RouteMetrics,
}

/// The router over all routes that are served at `door`.
pub(crate) fn router(app: &App, door: Door) -> Router {
    let mut places: BTreeMap<&'static str, Vec<Served>> = BTreeMap::new();
    for route in route::routes().filter(|route| door.serves(route.access)) {
        let metrics = app.metrics().of(route);
        places.entry(split(route.path).0).or_default().push(Served { route, metrics });
    }
    places
        .into_iter()
        .fold(Router::new(), |router, (place, served)| {
            let (app, served) = (app.clone(), Arc::new(served));
            router.route(place, any(move |request| dispatch(app.clone(), served.clone(), request)))
        })
        .fallback(async || no_such_route())
}

/// The part of a route's path that the router knows, and what may follow a parameter in it:
/// `/v1/cache/{service}` and `:batchGet`.
pub(super) fn split(path: &'static str) -> (&'static str, &'static str) {
    match path.find("}:") {
        Some(at) => path.split_at(at + 1),
        None => (path, ""),
    }
}

fn no_such_route() -> Problem {
    Problem::new(Kind::NoSuchRoute, "GET /openapi.json describes those that exist")
}

/// Answers a request for one place; the last on its connection once the service is to stop.
async fn dispatch(app: App, served: Arc<Vec<Served>>, request: Request) -> Response {
    let mut response = find(&app, &served, request).await;
    if app.is_stopping() {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// Finds the route among those of one place, and its answer.
async fn find(app: &App, served: &[Served], request: Request) -> Response {
    let path = request.uri().path();
    let last = path.rsplit('/').next().unwrap_or_default();
    let has_verbs = served.iter().any(|one| !split(one.route.path).1.is_empty());
    let verb = match last.find(':') {
        Some(at) if has_verbs => &last[at..],
        _ => "",
    };
    let here = || served.iter().filter(|one| split(one.route.path).1 == verb);
    if let Some(found) = here().find(|one| one.route.verb.is(request.method())) {
        return answer(app, found, request).await;
    }
    let allowed: Vec<_> = here().map(|one| one.route.verb.allows()).collect();
    if allowed.is_empty() {
        return no_such_route().into_response();
    }
    let detail = "the header Allow lists the methods it takes";
    let mut response = Problem::new(Kind::MethodNotAllowed, detail).into_response();
    if let Ok(allow) = HeaderValue::try_from(allowed.join(",")) {
        response.headers_mut().insert(header::ALLOW, allow);
    }
    response
}

/// Runs a handler. Whatever it does, there is an answer.
pub(super) async fn answer(app: &App, served: &Served, request: Request) -> Response {
    let Served { route, metrics } = served;
    let (runtime, live) = (app.runtime(), app.live());
    let began = runtime.now();
    let limit = live.limits.request;
    let handling = async {
        live.admit(route.access, request.headers())?;
        let call = Call::new(request, route, live.limits).await?;
        (route.handler)(app.clone(), call).await
    };
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
