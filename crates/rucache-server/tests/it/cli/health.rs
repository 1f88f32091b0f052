//! `rucache health`.

use super::fake;
use super::program::{Service, rucache};

#[test]
fn healthy_service_is_reported_and_ends_with_zero() {
    let service = Service::start();
    let run = rucache(&["health", "--server", &service.url]).run();
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    let lines: Vec<_> = run.stdout.lines().collect();
    assert_eq!(lines[0], format!("{}: healthy", service.url));
    assert_eq!(lines[1], "  backend           local_memory");
    assert!(lines.contains(&"  basic operations  ✅ OK"), "{lines:?}");
}

#[test]
fn service_is_asked_where_the_configuration_says_that_it_listens() {
    let service = Service::start();
    let run = rucache(&["health", "--json"]).env("RUCACHE_LISTEN", service.address()).run();
    assert_eq!(run.code, Some(0));
    assert_eq!(run.json()["status"], "healthy");
}

#[test]
fn warning_and_unhealthy_end_with_one() {
    for (answer, first) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{\"status\":\"warning\"}", "warning"),
        (
            "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 22\r\n\r\n{\"status\":\"unhealthy\"}",
            "unhealthy",
        ),
    ] {
        let url = fake::answering(answer);
        let run = rucache(&["health", "--server", &url]).run();
        assert_eq!(run.stdout, format!("{url}: {first}\n"));
        assert_eq!((run.code, run.stderr.as_str()), (Some(1), ""));
    }
}

#[test]
fn no_answer_is_one_line_and_three() {
    let url = fake::nobody();
    rucache(&["health", "--server", &url]).run().finds_nobody_at(&url);
}

#[test]
fn problem_of_another_service_is_told_without_control_characters() {
    let url = fake::answering(concat!(
        "HTTP/1.1 404 Not Found\r\nContent-Length: 40\r\n\r\n",
        r#"{"title":"no such page","detail":"\u001b"}"#
    ));
    let run = rucache(&["health", "--server", &url]).run();
    // The length is a lie by two bytes: what was cut is no JSON.
    run.fails(
        1,
        &format!("{url} answered with status 404: this is no answer of rucache; check the URL"),
    );
    let url = fake::answering(concat!(
        "HTTP/1.1 404 Not Found\r\nContent-Length: 42\r\n\r\n",
        r#"{"title":"no such page","detail":"\u001b"}"#
    ));
    let run = rucache(&["health", "--server", &url]).run();
    run.fails(1, &format!("{url} answered with status 404: no such page: \u{fffd}"));
}
