//! The table of routes: what each takes, answers and is described as, in one place.
//!
//! The router and the OpenAPI document are both made from it.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;

use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, on};
use futures_util::FutureExt;

use super::app::App;
use super::call::Call;
use super::limits;
use super::problem::{Kind, Problem};
use super::{batch, entry, health, openapi, ruc};

/// What a handler ends in.
pub(super) type Answered = Result<Response, Problem>;

/// A handler.
pub(super) type Handler = fn(App, Call) -> Pin<Box<dyn Future<Output = Answered> + Send>>;

/// The methods that routes use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Get,
    Put,
    Post,
    Delete,
}

impl Verb {
    /// Its name in an OpenAPI document.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Put => "put",
            Self::Post => "post",
            Self::Delete => "delete",
        }
    }

    const fn filter(self) -> MethodFilter {
        match self {
            Self::Get => MethodFilter::GET,
            Self::Put => MethodFilter::PUT,
            Self::Post => MethodFilter::POST,
            Self::Delete => MethodFilter::DELETE,
        }
    }
}

/// A query parameter.
pub(super) struct Parameter {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) required: Required,
}

/// Whether a parameter must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Required {
    Yes,
    No,
}

impl Parameter {
    /// A parameter that may be left out.
    pub(super) const fn optional(name: &'static str, about: &'static str) -> Self {
        Self { name, about, required: Required::No }
    }

    /// A parameter that must be there.
    pub(super) const fn required(name: &'static str, about: &'static str) -> Self {
        Self { name, about, required: Required::Yes }
    }
}

/// A successful answer, or one that is no problem document.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) about: &'static str,
    /// Media types and the names of their schemas.
    pub(super) content: &'static [(&'static str, &'static str)],
}

/// A route.
pub(super) struct Route {
    pub(super) verb: Verb,
    pub(super) path: &'static str,
    pub(super) about: &'static str,
    pub(super) query: &'static [Parameter],
    /// Name of the schema of the body.
    pub(super) body: Option<&'static str>,
    pub(super) answers: &'static [Answer],
    /// Problems of its own, beside those that any route may end in.
    pub(super) problems: &'static [Kind],
    pub(super) handler: Handler,
}

/// Problems that any route may end in.
pub(super) const COMMON: [Kind; 4] =
    [Kind::InvalidParameter, Kind::UriTooLong, Kind::TimedOut, Kind::Internal];

/// Problems that any route with a body may end in.
pub(super) const BODY: [Kind; 4] =
    [Kind::InvalidBody, Kind::UnsupportedMediaType, Kind::BodyTooLarge, Kind::BodyTimeout];

/// Every route.
pub(super) fn routes() -> impl Iterator<Item = &'static Route> {
    let groups: [&'static [Route]; 5] =
        [&ruc::ROUTES, &batch::ROUTES, &entry::ROUTES, &health::ROUTES, &openapi::ROUTES];
    groups.into_iter().flatten()
}

/// The router over all routes.
pub(super) fn router(app: &App) -> Router {
    routes()
        .fold(Router::new(), |router, route| {
            let app = app.clone();
            let handler = move |request| answer(app.clone(), route, request);
            router.route(route.path, on(route.verb.filter(), handler))
        })
        .fallback(async || {
            Problem::new(Kind::NoSuchRoute, "GET /openapi.json describes those that exist")
        })
        .method_not_allowed_fallback(async || {
            Problem::new(Kind::MethodNotAllowed, "the header Allow lists the methods it takes")
        })
}

/// Runs a handler. Whatever it does, there is an answer.
pub(super) async fn answer(app: App, route: &'static Route, request: Request) -> Response {
    let handling = async {
        let call = Call::new(request, route.query).await?;
        (route.handler)(app, call).await
    };
    let caught = AssertUnwindSafe(handling).catch_unwind();
    let answered = match tokio::time::timeout(limits::REQUEST, caught).await {
        Ok(Ok(answered)) => answered,
        Ok(Err(_panic)) => Err(Problem::new(Kind::Internal, "the handler of the request panicked")),
        Err(_) => {
            let secs = limits::REQUEST.as_secs_f32();
            Err(Problem::new(Kind::TimedOut, format!("no answer after {secs} s")).retry_after(1))
        }
    };
    answered.unwrap_or_else(IntoResponse::into_response)
}
