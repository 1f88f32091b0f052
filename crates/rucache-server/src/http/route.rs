//! The table of routes: what each takes, answers and is described as, in one place.
//!
//! The router and the OpenAPI document are both made from it.

use std::future::Future;
use std::pin::Pin;

use axum::http::Method;
use axum::response::Response;

use super::access::Access;
use super::app::App;
use super::call::Call;
use super::problem::{Kind, Problem};
use super::{
    batch, entry, events, health, invalid, invalidate, maintenance, many, metrics, names, openapi,
    overview, page, rate, ruc, stats, warm,
};

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

    /// Whether a request with `method` is for a route with this verb.
    pub(super) fn is(self, method: &Method) -> bool {
        match self {
            Self::Get => method == Method::GET || method == Method::HEAD,
            Self::Put => method == Method::PUT,
            Self::Post => method == Method::POST,
            Self::Delete => method == Method::DELETE,
        }
    }

    /// What `Allow` says of it.
    pub(super) const fn allows(self) -> &'static str {
        match self {
            Self::Get => "GET,HEAD",
            Self::Put => "PUT",
            Self::Post => "POST",
            Self::Delete => "DELETE",
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
    pub(super) access: Access,
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
    let groups: [&'static [Route]; 17] = [
        &ruc::ROUTES,
        &batch::ROUTES,
        &invalid::ROUTES,
        &rate::ROUTES,
        &warm::ROUTES,
        &stats::ROUTES,
        &entry::ROUTES,
        &many::ROUTES,
        &names::ROUTES,
        &maintenance::ROUTES,
        &invalidate::ROUTES,
        &events::ROUTES,
        &health::ROUTES,
        &metrics::ROUTES,
        &overview::ROUTES,
        &page::ROUTES,
        &openapi::ROUTES,
    ];
    groups.into_iter().flatten()
}
