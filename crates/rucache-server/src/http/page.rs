//! `/`: the page for people. One document, nothing from outside, drawn from `/v1/overview`.

use axum::http::{HeaderName, HeaderValue, header};
use axum::response::Response;
use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::access::Access;
use super::problem::{Kind, Problem};
use super::reply;
use super::route::{Answer, Answered, Route, Verb};

const HTML: &str = "text/html; charset=utf-8";

const DOCUMENT: &str = include_str!("../../assets/page/page.html");
const STYLE: &str = include_str!("../../assets/page/page.css");
const SCRIPTS: [&str; 4] = [
    include_str!("../../assets/page/words.js"),
    include_str!("../../assets/page/plot.js"),
    include_str!("../../assets/page/look_up.js"),
    include_str!("../../assets/page/page.js"),
];

/// For everybody: it holds no data, and asks for the token that its data takes.
pub(super) static ROUTES: [Route; 1] = [Route {
    verb: Verb::Get,
    path: "/",
    access: Access::Everybody,
    about: "The page for people: how the cache does, and a look-up box.",
    query: &[],
    body: None,
    answers: &[Answer { status: 200, about: "HTML.", content: &[(HTML, "Text")] }],
    problems: &[],
    handler: |app, _| Box::pin(async move { app.page().response() }),
}];

/// The document with the policy that lets nothing but its own style and script run.
#[derive(Debug)]
pub(super) struct Page {
    document: Bytes,
    policy: String,
}

impl Default for Page {
    fn default() -> Self {
        let script = format!("\"use strict\";\n{}", SCRIPTS.concat());
        let document = DOCUMENT.replace("/*style*/", STYLE).replace("/*script*/", &script);
        let policy = format!(
            "default-src 'none'; style-src '{}'; script-src '{}'; connect-src 'self'; \
             img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            source(STYLE),
            source(&script),
        );
        Self { document: document.into(), policy }
    }
}

impl Page {
    fn response(&self) -> Answered {
        let mut response: Response = reply::ok(HTML, self.document.clone());
        let policy = HeaderValue::try_from(&self.policy)
            .map_err(|_| Problem::new(Kind::Internal, "the page's policy cannot be written"))?;
        let fixed = |text| HeaderValue::from_static(text);
        let headers: [(HeaderName, HeaderValue); 4] = [
            (header::CONTENT_SECURITY_POLICY, policy),
            (header::X_CONTENT_TYPE_OPTIONS, fixed("nosniff")),
            (header::REFERRER_POLICY, fixed("no-referrer")),
            // A new version's page at once.
            (header::CACHE_CONTROL, fixed("no-cache")),
        ];
        response.headers_mut().extend(headers);
        Ok(response)
    }
}

/// `text` as a source in a Content-Security-Policy (CSP 3, section 2.3.1): its hash in Base64.
fn source(text: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut encoded = String::from("sha256-");
    for three in Sha256::digest(text).chunks(3) {
        let byte = |at| u32::from(three.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for digit in 0..4 {
            let value = usize::try_from(bits >> (18 - 6 * digit) & 63).unwrap_or(0);
            let is_there = digit <= three.len();
            encoded.push(if is_there { char::from(DIGITS[value]) } else { '=' });
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn source_is_the_hash_in_base64() {
        // The example of the specification.
        assert_eq!(
            source("alert('Hello, world.');"),
            "sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng="
        );
    }

    #[test]
    fn document_names_nothing_outside_itself() {
        let page = Page::default();
        let text = std::str::from_utf8(&page.document).expect("text");
        let foreign = text.replace("http://www.w3.org/2000/svg", "");
        for outside in ["http:", "https:", "//cdn", "@import", "url(", "src=", "/*style*/"] {
            assert!(!foreign.contains(outside), "{outside}");
        }
    }
}
