//! Requests that are wrong in every way: each is refused, none brings the service down.

use rucache::core::TestRuntime;
use rucache::core::runtime::Runtime;

use super::service::{SUNAT, Service};

const JSON: &str = "Content-Type: application/json\r\n";

/// Requests of one line, with the status and the type of what they are answered.
const TARGETS: &[(&str, u16, &str)] = &[
    ("GET /nowhere", 404, "no-such-route"),
    ("GET //", 404, "no-such-route"),
    ("GET /v1", 404, "no-such-route"),
    ("GET /v1/ruc", 404, "no-such-route"),
    ("GET /v1/ruc/", 404, "no-such-route"),
    ("GET /v1/ruc/20131312955/", 404, "no-such-route"),
    ("GET /V1/ruc/20131312955", 404, "no-such-route"),
    ("GET /v1/cache/migo/", 404, "no-such-route"),
    ("GET /v1/cache/migo/", 404, "no-such-route"),
    ("GET /v1/cache//a", 400, "invalid-key"),
    ("GET /v1/cache/migo/a/b", 404, "no-such-route"),
    ("GET /v1/../v1/ruc/20131312955", 404, "no-such-route"),
    ("GET /health/", 404, "no-such-route"),
    ("GET /openapi.json%20", 404, "no-such-route"),
    ("GET /problems/not-a-ruc", 404, "no-such-route"),
    ("POST /v1/ruc/20131312955", 405, "method-not-allowed"),
    ("PATCH /v1/ruc/20131312955", 405, "method-not-allowed"),
    ("GET /v1/ruc:batch", 405, "method-not-allowed"),
    ("DELETE /health", 405, "method-not-allowed"),
    ("BREW /livez", 405, "method-not-allowed"),
    ("OPTIONS /v1/entry", 405, "method-not-allowed"),
    ("TRACE /readyz", 405, "method-not-allowed"),
    ("GET /v1/ruc/abc", 422, "not-a-ruc"),
    ("GET /v1/ruc/20131312956", 422, "not-a-ruc"),
    ("GET /v1/ruc/%20131312955", 422, "not-a-ruc"),
    ("GET /v1/ruc/2013131295%35%35", 422, "not-a-ruc"),
    ("GET /v1/ruc/%F0%9D%9F%AE0131312955", 422, "not-a-ruc"),
    ("GET /v1/ruc/-20131312955", 422, "not-a-ruc"),
    ("GET /v1/ruc/0020131312955", 422, "not-a-ruc"),
    ("GET /v1/ruc/%FF", 400, "invalid-parameter"),
    ("GET /v1/ruc/%", 400, "invalid-parameter"),
    ("GET /v1/ruc/%2", 400, "invalid-parameter"),
    ("GET /v1/ruc/%zz", 400, "invalid-parameter"),
    ("GET /v1/ruc/20131312955?x=1", 400, "invalid-parameter"),
    ("GET /v1/ruc/20131312955?cached", 400, "invalid-parameter"),
    ("GET /v1/ruc/20131312955?cached=never", 400, "invalid-parameter"),
    ("GET /v1/ruc/20131312955?cached=only&cached=only", 400, "invalid-parameter"),
    ("GET /v1/ruc/20131312955?Cached=only", 400, "invalid-parameter"),
    ("GET /v1/ruc/20131312955?ttl=1", 400, "invalid-parameter"),
    ("GET /v1/ruc/20131312955?=", 400, "invalid-parameter"),
    ("GET /v1/ruc/20131312955?%FF=1", 400, "invalid-parameter"),
    ("GET /v1/ruc/20131312955?service=%FF", 400, "invalid-parameter"),
    ("GET /v1/ruc/20131312955?service=", 400, "invalid-key"),
    ("GET /v1/ruc/20131312955?service=a%20b", 400, "invalid-key"),
    ("GET /v1/cache/%FF/a", 400, "invalid-parameter"),
    ("GET /v1/cache/migo/%C3", 400, "invalid-parameter"),
    ("GET /v1/cache/%2e%2e/a", 400, "invalid-key"),
    ("GET /v1/cache/MIGO/a", 400, "invalid-key"),
    ("GET /v1/entry", 400, "invalid-parameter"),
    ("GET /v1/entry?service=migo&key=%80", 400, "invalid-parameter"),
    ("GET /livez?verbose", 400, "invalid-parameter"),
    ("PUT /v1/cache/migo/a", 415, "unsupported-media-type"),
    ("PUT /v1/ruc/20131312955", 415, "unsupported-media-type"),
    ("POST /v1/ruc:batch", 415, "unsupported-media-type"),
    ("PUT /v1/entry?service=migo&key=a&ttl=0", 400, "invalid-parameter"),
];

/// Bodies of `PUT /v1/cache/migo/a` with the head that declares them.
const BODIES: &[(&str, &str, u16, &str)] = &[
    (JSON, "", 400, "invalid-body"),
    (JSON, "{", 400, "invalid-body"),
    (JSON, "{}{}", 400, "invalid-body"),
    (JSON, "nul", 400, "invalid-body"),
    (JSON, "{'a':1}", 400, "invalid-body"),
    (JSON, "[1,]", 400, "invalid-body"),
    (JSON, "NaN", 400, "invalid-body"),
    (JSON, "\u{feff}1", 400, "invalid-body"),
    (JSON, "\"\n\"", 400, "invalid-body"),
    ("Content-Type: text/plain\r\n", "1", 415, "unsupported-media-type"),
    ("Content-Type: application/x-www-form-urlencoded\r\n", "1", 415, "unsupported-media-type"),
    ("Content-Type: application/jsonp\r\n", "1", 415, "unsupported-media-type"),
    ("Content-Type: \r\n", "1", 415, "unsupported-media-type"),
    ("", "1", 415, "unsupported-media-type"),
];

#[tokio::test]
async fn request_that_fits_no_route_is_a_problem() {
    let service = Service::start().await;
    for (line, status, kind) in TARGETS {
        println!("{line}");
        let (method, target) = line.split_once(' ').expect("a method");
        service.ask(method, target).await.problem(*status, kind);
    }
}

#[tokio::test]
async fn body_that_is_no_json_is_a_problem() {
    let service = Service::start().await;
    for (head, body, status, kind) in BODIES {
        println!("{head:?} {body:?}");
        let request = format!(
            "PUT /v1/cache/migo/a HTTP/1.1\r\nHost: a\r\n{head}Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        service.raw(&request).await.problem(*status, kind);
    }
    service.get("/v1/cache/migo/a").await.problem(404, "not-cached");
}

#[tokio::test]
async fn body_that_is_too_large_is_refused_before_and_while_it_comes() {
    let service = Service::start().await;
    let head = format!("PUT /v1/cache/migo/a HTTP/1.1\r\nHost: a\r\n{JSON}");
    let declared = format!("{head}Content-Length: 1048577\r\n\r\n");
    service.raw(&declared).await.problem(413, "body-too-large");
    let chunk = format!("100001\r\n{}\r\n0\r\n\r\n", " ".repeat(0x10_0001));
    let chunked = format!("{head}Transfer-Encoding: chunked\r\n\r\n{chunk}");
    let mut client = service.connect().await;
    client.send(chunked).await;
    // The answer may be lost where the service hangs up on what is still being sent.
    if let Some(answer) = client.response().await {
        answer.problem(413, "body-too-large");
    }
}

#[tokio::test]
async fn chunked_body_is_read_whole() {
    let service = Service::start().await;
    let head = format!("PUT /v1/cache/migo/a HTTP/1.1\r\nHost: a\r\n{JSON}");
    let body = "1\r\n[\r\n2\r\n1]\r\n0\r\n\r\n";
    let stored = service.raw(&format!("{head}Transfer-Encoding: chunked\r\n\r\n{body}")).await;
    assert_eq!(stored.status, 204);
    assert_eq!(service.get("/v1/cache/migo/a").await.body, "[1]");
}

#[tokio::test]
async fn body_that_is_not_utf_8_is_refused() {
    let service = Service::start().await;
    let mut client = service.connect().await;
    let mut request =
        format!("PUT /v1/cache/migo/a HTTP/1.1\r\nHost: a\r\n{JSON}Content-Length: 3\r\n\r\n")
            .into_bytes();
    request.extend(b"\"\xff\"");
    client.send(request).await;
    client.response().await.expect("an answer").problem(400, "invalid-body");
}

#[tokio::test]
async fn address_that_is_too_long_is_a_problem() {
    let service = Service::start().await;
    let long = format!("/v1/cache/migo/{}", "k".repeat(9_000));
    service.get(&long).await.problem(414, "uri-too-long");
}

/// What is no HTTP is refused by the protocol itself, without a document.
#[tokio::test]
async fn bytes_that_are_no_request_are_refused() {
    let service = Service::start().await;
    let long_header =
        format!("GET /livez HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "x".repeat(20_000));
    let many_headers = format!("GET /livez HTTP/1.1\r\n{}\r\n", "X: y\r\n".repeat(200));
    let requests: &[&[u8]] = &[
        b"\0\0\0\0",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"hello\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET /livez\r\n\r\n",
        b"GET /livez HTTP/9.9\r\n\r\n",
        b"GET /v1/ruc/\xff HTTP/1.1\r\nHost: a\r\n\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost a\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"GET / livez HTTP/1.1\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        long_header.as_bytes(),
        many_headers.as_bytes(),
    ];
    for request in requests {
        let mut client = service.connect().await;
        client.send(request).await;
        client.finish().await;
        if let Some(answer) = client.response().await {
            assert!(
                (400..500).contains(&answer.status),
                "{:?}: {answer:?}",
                request.escape_ascii()
            );
        }
        assert_eq!(service.get("/livez").await.status, 200);
    }
}

/// Requests with bytes changed, lost and doubled at random: never an internal error, never the end.
#[tokio::test]
async fn mangled_requests_never_fail_the_service() {
    let service = Service::start().await;
    let chance = TestRuntime::new(20_131_312_955);
    let requests = [
        format!("GET /v1/ruc/{SUNAT}?cached=only&service=migo HTTP/1.1\r\nHost: a\r\n\r\n"),
        format!(
            "PUT /v1/cache/migo/a%2Fb?ttl=15min HTTP/1.1\r\n{JSON}Content-Length: 2\r\n\r\n{{}}"
        ),
        format!(
            "POST /v1/ruc:batch HTTP/1.1\r\n{JSON}Content-Length: 24\r\n\r\n{{\"rucs\":[\"20131312955\"]}}"
        ),
        "DELETE /v1/entry?service=migo&key=%C3%B1 HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(),
    ];
    for round in 0..400 {
        let mut bytes = requests[round % requests.len()].clone().into_bytes();
        let below = |limit: usize| usize::try_from(chance.random() >> 33).unwrap_or(0) % limit;
        for _ in 0..=below(4) {
            let at = below(bytes.len());
            match below(3) {
                0 => bytes[at] = u8::try_from(below(256)).unwrap_or(0),
                1 => drop(bytes.remove(at)),
                _ => bytes.insert(at, bytes[at]),
            }
        }
        let mut client = service.connect().await;
        client.send(&bytes).await;
        client.finish().await;
        if let Some(answer) = client.response().await {
            assert!(answer.status < 500, "{:?}: {answer:?}", bytes.escape_ascii().to_string());
        }
    }
    assert_eq!(service.get(&format!("/v1/ruc/{SUNAT}")).await.status, 200);
}
