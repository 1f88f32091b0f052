//! One request as its handler sees it: checked parameters, and a body that is read on demand.

use std::fmt::Display;
use std::str::FromStr;

use axum::body::{Body, HttpBody};
use axum::extract::Request;
use axum::http::{HeaderMap, Uri, header};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use percent_encoding::percent_decode_str;
use rucache::Ttl;
use rucache::core::ServiceName;
use serde::de::DeserializeOwned;

use super::limits;
use super::problem::{Kind, Problem};
use super::route::{Parameter, Route};
use crate::config::Limits;

/// A request whose path and query are well formed, and whose query holds known parameters only.
pub(super) struct Call {
    path: Path,
    /// What follows the last parameter of the path.
    verb: &'static str,
    limits: Limits,
    query: Vec<(&'static str, String)>,
    headers: HeaderMap,
    body: Body,
}

/// The parameters in a path, decoded.
#[derive(Debug, Default)]
pub(super) struct Path(Vec<(&'static str, String)>);

impl Path {
    /// The parameters called `names` of the encoded `values`.
    pub(super) fn decoded<'a>(
        names: &[&'static str],
        values: impl Iterator<Item = &'a str>,
    ) -> Result<Self, Problem> {
        let mut decoded = Vec::with_capacity(names.len());
        for (name, value) in names.iter().zip(values) {
            let value = match value.contains('%') {
                false => Ok(value.into()),
                true => percent_decode_str(value).decode_utf8(),
            };
            let value = value.map_err(|_| Problem::parameter(name, "it is not UTF-8"))?;
            decoded.push((*name, value.into_owned()));
        }
        Ok(Self(decoded))
    }
}

impl Call {
    /// Reads the parameters of `request`, which `route` answers under `limits`; those of its path
    /// are `path`, and `verb` follows the last of them.
    pub(super) fn new(
        request: Request,
        path: Path,
        route: &Route,
        verb: &'static str,
        limits: Limits,
    ) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        check_uri(&parts.uri)?;
        let query =
            parts.uri.query().map_or_else(|| Ok(Vec::new()), |text| query(text, route.query))?;
        Ok(Self { path, verb, limits, query, headers: parts.headers, body })
    }

    /// The part of the path that the route calls `name`, decoded.
    pub(super) fn path(&self, name: &str) -> &str {
        // A route is only called with all its parameters in place.
        let found = self.path.0.iter().find(|(known, _)| *known == name);
        let value = found.map_or("", |(_, value)| &**value);
        value.strip_suffix(self.verb).unwrap_or(value)
    }

    /// The query parameter `name`, decoded.
    pub(super) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| *known == name).map(|(_, value)| &**value)
    }

    /// Whether the query has the parameter `name`, which takes one word only.
    pub(super) fn flag(&self, name: &str, word: &str) -> Result<bool, Problem> {
        match self.query(name) {
            None => Ok(false),
            Some(value) if value == word => Ok(true),
            Some(_) => Err(Problem::parameter(name, format_args!("only {word:?} is possible"))),
        }
    }

    /// The query parameter `name`, which must be there.
    pub(super) fn required(&self, name: &str) -> Result<&str, Problem> {
        self.query(name).ok_or_else(|| Problem::parameter(name, "it is missing"))
    }

    /// The query parameter `name`, read as a `T`.
    pub(super) fn parsed<T: FromStr<Err: Display>>(
        &self,
        name: &str,
    ) -> Result<Option<T>, Problem> {
        let parse = |text: &str| text.parse().map_err(|error| Problem::parameter(name, error));
        self.query(name).map(parse).transpose()
    }

    /// The query parameter `ttl`.
    pub(super) fn ttl(&self) -> Result<Option<Ttl>, Problem> {
        self.parsed("ttl")
    }

    /// The query parameter `limit`: how much is on a page.
    pub(super) fn page_limit(&self) -> Result<usize, Problem> {
        match self.parsed("limit")? {
            None => Ok(limits::PAGE_DEFAULT),
            Some(limit) if (1..=limits::PAGE).contains(&limit) => Ok(limit),
            Some(_) => Err(Problem::parameter("limit", format_args!("from 1 to {}", limits::PAGE))),
        }
    }

    /// The service in the path.
    pub(super) fn path_service(&self) -> Result<ServiceName, Problem> {
        Ok(ServiceName::new(self.path("service"))?)
    }

    /// Most numbers, keys or events that a request may hold.
    pub(super) const fn batch_limit(&self) -> usize {
        self.limits.batch
    }

    /// The query parameter `service`.
    pub(super) fn service(&self) -> Result<Option<ServiceName>, Problem> {
        Ok(self.query("service").map(ServiceName::new).transpose()?)
    }

    /// Whether the client asks for `media_type` by name.
    pub(super) fn accepts(&self, media_type: &str) -> bool {
        let values = self.headers.get_all(header::ACCEPT).iter();
        values
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .any(|range| essence(range).eq_ignore_ascii_case(media_type))
    }

    /// The body, which must be the JSON of a `T`; `form` says how that looks.
    pub(super) async fn members<T: DeserializeOwned>(self, form: &str) -> Result<T, Problem> {
        serde_json::from_slice(&self.json().await?).map_err(|error| {
            if error.is_data() {
                let wrong = plainly(&error.to_string());
                Problem::new(Kind::InvalidRequest, format!("{wrong}; send {form}"))
            } else {
                Problem::new(Kind::InvalidBody, error.to_string())
            }
        })
    }

    /// The body, which must be declared as JSON.
    pub(super) async fn json(self) -> Result<Bytes, Problem> {
        self.check_content_type()?;
        let most = self.limits.body;
        if self.body.size_hint().lower() > u64::try_from(most).unwrap_or(u64::MAX) {
            return Err(too_large(most));
        }
        let read = tokio::time::timeout(limits::BODY_READ, read(self.body, most)).await;
        let bytes = read.map_err(|_| {
            let secs = limits::BODY_READ.as_secs_f32();
            Problem::new(Kind::BodyTimeout, format!("the body was not there after {secs} s"))
        })??;
        if bytes.is_empty() {
            return Err(Problem::new(Kind::InvalidBody, "the body is empty; send JSON"));
        }
        Ok(bytes)
    }

    /// A body of another type is refused even where it happens to be JSON: a page in a browser may
    /// send those types to any address without asking it first.
    fn check_content_type(&self) -> Result<(), Problem> {
        let refused = |found: &str| {
            let detail = format!("send the body with Content-Type: application/json{found}");
            Err(Problem::new(Kind::UnsupportedMediaType, detail))
        };
        match self.headers.get(header::CONTENT_TYPE).map(|value| value.to_str()) {
            Some(Ok(text)) if essence(text).eq_ignore_ascii_case("application/json") => Ok(()),
            Some(_) => refused(", not with another type"),
            None => refused(""),
        }
    }
}

/// What is wrong with a body, in words of JSON and not of the program that reads it.
pub(super) fn plainly(wrong: &str) -> String {
    const WORDS: [(&str, &str); 5] = [
        ("a nonzero u32", "a whole number from 1 on"),
        ("usize", "a whole number"),
        ("u64", "a whole number"),
        ("u32", "a whole number"),
        ("unknown variant", "unknown value"),
    ];
    let mut plain = WORDS.iter().fold(wrong.to_owned(), |text, (from, to)| text.replace(from, to));
    while let Some(at) = plain.find("struct ") {
        let name = plain[at + "struct ".len()..].find(|c: char| !c.is_ascii_alphanumeric());
        let end = name.map_or(plain.len(), |len| at + "struct ".len() + len);
        plain.replace_range(at..end, "an object");
    }
    plain
}

/// A media type or range without its parameters.
fn essence(text: &str) -> &str {
    text.split(';').next().unwrap_or_default().trim()
}

fn too_large(most: usize) -> Problem {
    Problem::new(Kind::BodyTooLarge, format!("a body has at most {most} bytes"))
}

async fn read(body: Body, most: usize) -> Result<Bytes, Problem> {
    let mut chunks = body.into_data_stream();
    let mut bytes = BytesMut::new();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk
            .map_err(|_| Problem::new(Kind::InvalidBody, "the body broke off or is garbled"))?;
        if bytes.len().saturating_add(chunk.len()) > most {
            return Err(too_large(most));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.freeze())
}

fn check_uri(uri: &Uri) -> Result<(), Problem> {
    let text = uri.path_and_query().map_or("", |text| text.as_str());
    if text.len() > limits::URI {
        let detail = format!("path and query have at most {} bytes together", limits::URI);
        return Err(Problem::new(Kind::UriTooLong, detail));
    }
    // Decoders leave these as they are, which would give one name two spellings.
    let stray = text.split('%').skip(1).any(|rest| {
        let escape = rest.as_bytes().get(..2);
        !escape.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    });
    if stray {
        let detail = "a % in path or query is not followed by two hexadecimal digits; write %25";
        return Err(Problem::new(Kind::InvalidParameter, detail));
    }
    Ok(())
}

fn query(text: &str, known: &[Parameter]) -> Result<Vec<(&'static str, String)>, Problem> {
    let mut query = Vec::new();
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = decode(name).unwrap_or_else(|| name.to_owned());
        let Some(parameter) = known.iter().find(|parameter| parameter.name == name) else {
            let names: Vec<_> = known.iter().map(|parameter| parameter.name).collect();
            let reason = match &names[..] {
                [] => "the route takes none".to_owned(),
                names => format!("the route knows {}", names.join(", ")),
            };
            return Err(Problem::parameter(&name, reason));
        };
        if query.iter().any(|(before, _)| *before == parameter.name) {
            return Err(Problem::parameter(&name, "it stands twice"));
        }
        let value = decode(value).ok_or_else(|| Problem::parameter(&name, "it is not UTF-8"))?;
        query.push((parameter.name, value));
    }
    Ok(query)
}

/// Text of a query, where `+` is a space; `None` for what is not UTF-8.
fn decode(text: &str) -> Option<String> {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8().ok().map(Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_told_without_names_of_types() {
        for (wrong, plain) in [
            ("expected struct Keys with 1 element", "expected an object with 1 element"),
            ("invalid type: null, expected struct Mark", "invalid type: null, expected an object"),
            ("expected a nonzero u32 at line 1", "expected a whole number from 1 on at line 1"),
            ("missing field `keys`", "missing field `keys`"),
        ] {
            assert_eq!(plainly(wrong), plain);
        }
    }
}
