//! `/openapi.json`: the table of routes as an OpenAPI 3.1 document.

use serde_json::{Map, Value, json};

use super::access::Access;
use super::problem::{self, Kind};
use super::reply;
use super::route::{self, Answer, Parameter, Required, Route, Verb};
use super::schema;
use crate::config::Limits;

pub(super) static ROUTES: [Route; 1] = [Route {
    verb: Verb::Get,
    path: "/openapi.json",
    access: Access::Users,
    about: "This document.",
    query: &[],
    body: None,
    answers: &[Answer {
        status: 200,
        about: "An OpenAPI 3.1 document.",
        content: &[(reply::JSON, "Value")],
    }],
    problems: &[],
    handler: |app, _| Box::pin(async move { Ok(reply::ok(reply::JSON, app.openapi())) }),
}];

/// The document.
pub(super) fn document(limits: &Limits) -> Value {
    let mut paths = Map::new();
    for route in route::routes() {
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[route.verb.as_str()] = operation(route);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "rucache",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "A cache for look-ups of Peruvian taxpayers, and for any other JSON.\n\n\
                Path parameters and keys are percent-encoded. Every error is a problem document \
                (RFC 9457) of one of the types listed under the schema `Problem`.",
            "license": { "name": env!("CARGO_PKG_LICENSE") },
        },
        "paths": paths,
        "security": [{}, { "token": [] }],
        "components": { "securitySchemes": {
            "token": { "type": "http", "scheme": "bearer",
                       "description": "Needed where the service is configured with a token." },
        }, "schemas": schema::schemas(limits) },
    })
}

fn operation(route: &Route) -> Value {
    let in_path = path_parameters(route.path).map(|name| {
        let about = schema::path_parameter(name);
        json!({ "name": name, "in": "path", "required": true, "description": about,
                "schema": schema::parameter(name) })
    });
    let in_query = route.query.iter().map(|Parameter { name, about, required }| {
        json!({ "name": name, "in": "query", "required": *required == Required::Yes,
                "description": about, "schema": schema::parameter(name) })
    });
    let mut operation = json!({
        "summary": route.about,
        "parameters": in_path.chain(in_query).collect::<Vec<_>>(),
        "responses": responses(route),
    });
    if route.access == Access::Everybody {
        operation["security"] = json!([]);
    }
    if let Some(schema) = route.body {
        let content = content(&[(reply::JSON, schema)]);
        operation["requestBody"] = json!({ "required": true, "content": content });
    }
    operation
}

/// The names between braces.
pub(super) fn path_parameters(path: &str) -> impl Iterator<Item = &str> {
    path.split('{').skip(1).filter_map(|rest| rest.split_once('}').map(|(name, _)| name))
}

/// Answers and problems by status; a status may mean several things.
fn responses(route: &Route) -> Value {
    let mut responses = Map::new();
    for Answer { status, about, content: types } in route.answers {
        let mut response = json!({ "description": about });
        if !types.is_empty() {
            response["content"] = content(types);
        }
        responses.insert(status.to_string(), response);
    }
    for kind in problems(route) {
        let problem::Spec { status, title, .. } = kind.spec();
        let response = responses
            .entry(status.as_str())
            .or_insert_with(|| json!({ "description": "", "content": {} }));
        let before = response["description"].as_str().unwrap_or_default();
        let separator = if before.is_empty() { "" } else { "\n\n" };
        response["description"] = format!("{before}{separator}`{}`: {title}.", kind.uri()).into();
        response["content"][problem::MEDIA_TYPE] = schema::reference("Problem");
    }
    responses.into()
}

/// All problems that `route` may end in.
fn problems(route: &Route) -> impl Iterator<Item = Kind> {
    let body = route.body.map_or(&[][..], |_| &route::BODY);
    let token: &[_] = match route.access {
        Access::Everybody => &[],
        _ => &[Kind::Unauthorized],
    };
    route.problems.iter().chain(body).chain(token).chain(&route::COMMON).copied()
}

fn content(types: &[(&str, &str)]) -> Value {
    let types =
        types.iter().map(|(media_type, name)| ((*media_type).to_owned(), schema::reference(name)));
    types.collect::<Map<_, _>>().into()
}
