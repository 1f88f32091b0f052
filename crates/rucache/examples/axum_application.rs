//! Look-ups inside an axum application: who is the customer, and may we invoice them?
//!
//! `cargo run -p rucache --example axum_application`, then
//! `curl -i localhost:3000/customers/20131312955`.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use rucache::Cache;
use rucache::ruc::Outcome::{Found, Invalid, NotFound, Unavailable};
use serde_json::{Value, json};

/// `Cache` is cheap to clone, and every clone is the same cache.
async fn customer(State(cache): State<Cache>, Path(text): Path<String>) -> Response {
    // What is no RUC is told here, by arithmetic, and asks nobody.
    let ruc = match text.parse() {
        Ok(ruc) => ruc,
        Err(error) => return answer(StatusCode::UNPROCESSABLE_ENTITY, &refusal(error)),
    };
    match cache.ruc("migo").lookup(&ruc).await {
        Found(found) => {
            let body = json!({
                "name": found.record.nombre_o_razon_social(),
                "factura": found.record.fitness().is_fit(),
            });
            answer(StatusCode::OK, &body)
        }
        NotFound(verdict) => answer(StatusCode::NOT_FOUND, &refusal(verdict.reason)),
        Invalid(error) => answer(StatusCode::UNPROCESSABLE_ENTITY, &refusal(error)),
        // Nobody could tell: never to be shown as "no such taxpayer".
        Unavailable(_) => answer(StatusCode::SERVICE_UNAVAILABLE, &refusal("try again later")),
    }
}

fn refusal(why: impl ToString) -> Value {
    json!({ "why": why.to_string() })
}

fn answer(status: StatusCode, body: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // RUCACHE_BACKEND=redis://127.0.0.1:6379/1 shares the cache between processes.
    let mut layers = rucache::Config::layers();
    layers.environment(std::env::vars(), &[])?;
    let cache = rucache::open_with(layers.into_config()).await?;
    let application = Router::new().route("/customers/{ruc}", get(customer)).with_state(cache);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    println!("http://{}/customers/20131312955", listener.local_addr()?);
    Ok(axum::serve(listener, application).await?)
}
