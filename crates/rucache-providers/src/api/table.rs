//! Tables that say what an answer means: the first row that fits decides.

use std::ops::RangeInclusive;

use serde_json::Value;

use crate::fault::{Fault, Trouble, Verdict};
use crate::http::Response;

/// One row: an answer with such a status and such a body means this.
pub(crate) struct Row {
    pub(crate) status: RangeInclusive<u16>,
    pub(crate) body: Body,
    pub(crate) means: Means,
}

pub(crate) const fn row(status: RangeInclusive<u16>, body: Body, means: Means) -> Row {
    Row { status, body, means }
}

/// What a body must be for a row to fit.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Body {
    /// Anything.
    Any,
    /// A page for people.
    Html,
    /// What the question's answer must be: an object with the field that marks it, or a list.
    Expected,
    /// An object with `success` false.
    Unsuccessful,
    /// An object whose message holds one of these, in lower case.
    Saying(&'static [&'static str]),
    /// An object whose message says that the register has no such number.
    Absent,
}

/// What a row says.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Means {
    /// Here is what was asked for.
    Answer,
    /// There is none.
    NotFound,
    /// The call failed.
    Fault(Fault),
}

/// What marks the answer that a question expects.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Expected {
    /// An object that holds this field.
    Field(&'static str),
    /// An object with `success` true.
    Success,
    /// A list.
    List,
}

/// How sources say that the plan is used up.
pub(crate) const SPENT: Body = Body::Saying(&[
    "agotad",
    "cuota",
    "quota",
    "saldo",
    "crédito",
    "credito",
    "límite mensual",
    "limite mensual",
    "límite de consultas",
    "limite de consultas",
    "monthly limit",
]);

/// How sources say that the token is wrong.
pub(crate) const UNKNOWN_TOKEN: Body =
    Body::Saying(&["token", "no autorizado", "unauthorized", "unauthenticated", "api key"]);

/// Rows that hold for every API, after its own.
pub(crate) const COMMON: &[Row] = &[
    row(200..=299, Body::Html, Means::Fault(Fault::Denied)),
    row(402..=402, Body::Any, Means::Fault(Fault::QuotaGone)),
    row(401..=403, SPENT, Means::Fault(Fault::QuotaGone)),
    row(429..=429, SPENT, Means::Fault(Fault::QuotaGone)),
    row(401..=401, Body::Any, Means::Fault(Fault::Denied)),
    row(403..=403, Body::Any, Means::Fault(Fault::Denied)),
    row(429..=429, Body::Any, Means::Fault(Fault::RateLimited)),
    row(400..=400, Body::Any, Means::Fault(Fault::Refused)),
    row(413..=413, Body::Any, Means::Fault(Fault::Refused)),
    row(422..=422, Body::Any, Means::Fault(Fault::Refused)),
    row(502..=504, Body::Any, Means::Fault(Fault::Unready)),
    row(500..=599, Body::Any, Means::Fault(Fault::Server)),
];

/// Reads `response` by the rows of `own`, then the common ones: the JSON of the answer, that there
/// is none, or trouble. What no row fits is [`Fault::Shape`].
pub(crate) fn judge(own: &[Row], expected: Expected, response: &Response) -> Verdict<Value> {
    let json = response.json();
    let fits = |row: &&Row| {
        row.status.contains(&response.status) && row.body.fits(expected, response, json.as_ref())
    };
    match own.iter().chain(COMMON).find(fits).map(|row| row.means) {
        Some(Means::Answer) => Ok(json),
        Some(Means::NotFound) => Ok(None),
        Some(Means::Fault(fault)) => Err(Trouble::new(fault, response.retry_after)),
        None => Err(Fault::Shape.into()),
    }
}

impl Body {
    fn fits(self, expected: Expected, response: &Response, json: Option<&Value>) -> bool {
        let success = || json.and_then(|json| json.get("success")).and_then(Value::as_bool);
        match (self, expected) {
            (Self::Any, _) => true,
            (Self::Html, _) => response.is_html(),
            (Self::Expected, Expected::Field(name)) => {
                json.and_then(|json| json.get(name)).is_some_and(|value| !value.is_null())
            }
            (Self::Expected, Expected::Success) => success() == Some(true),
            (Self::Expected, Expected::List) => json.is_some_and(Value::is_array),
            (Self::Unsuccessful, _) => success() == Some(false),
            (Self::Saying(words), _) => {
                let message = json.and_then(message).unwrap_or_default().to_lowercase();
                words.iter().any(|word| message.contains(word))
            }
            (Self::Absent, _) => json.and_then(message).is_some_and(says_absent),
        }
    }
}

/// Whether a message says that there is no such number. A bare "not found" does not: so speaks a
/// server whose path is wrong, and every number would seem not to exist.
fn says_absent(message: &str) -> bool {
    const ABSENT: [&str; 6] =
        ["no se encontr", "no se hall", "no encontr", "no existe", "not found", "sin resultados"];
    const WHAT: [&str; 8] = [
        "ruc",
        "registro",
        "registros",
        "contribuyente",
        "resultados",
        "datos",
        "número",
        "numero",
    ];
    let message = message.to_lowercase();
    let mut words = message.split(|c: char| !c.is_alphanumeric());
    ABSENT.iter().any(|phrase| message.contains(phrase)) && words.any(|word| WHAT.contains(&word))
}

/// The text with which an object explains itself.
fn message(json: &Value) -> Option<&str> {
    let text = |name| json.get(name).and_then(Value::as_str);
    text("message").or_else(|| text("error"))
}
