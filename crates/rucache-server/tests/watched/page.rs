//! The page in a real browser.

mod accessibility;

use std::time::Duration;

use rucache_testkit::{Chromium, RedisOptions, RedisServer, Scheme, Tab, Viewport};
use serde_json::json;

use crate::service::{KNOWN, PATIENCE, Service};

pub(crate) const DESK: Viewport =
    Viewport { width: 1280, height: 900, scale: 1, scheme: Scheme::Light };

/// How soon the page shows what happened.
const SOON: Duration = Duration::from_secs(2);

/// The text of the element `id`, as JavaScript.
fn text(id: &str) -> String {
    format!("document.getElementById({id:?}).innerText")
}

/// Asserts that a developer would see nothing in red, and that nothing was asked of anybody else.
#[track_caller]
fn assert_quiet(tab: &Tab, service: &Service) {
    assert_eq!(tab.complaints(), [""; 0]);
    let requests = tab.requests();
    let own = format!("{}/", service.url);
    let foreign = |url: &&String| !url.starts_with(&own) && !url.starts_with("data:");
    assert!(requests.iter().any(|url| url.ends_with("/v1/overview")), "{requests:?}");
    assert_eq!(requests.iter().filter(foreign).collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn number_is_looked_up_by_keyboard_and_refusals_are_explained() {
    let service = Service::start("memory://", &[]);
    let chromium = Chromium::start();
    let tab = chromium.open(&service.url, DESK);
    let look_up = |number: &str| {
        let empty = "(box => { box.value = ''; box.focus(); })(document.getElementById('ruc'))";
        drop(tab.eval(empty));
        tab.type_text(number);
        tab.press("Enter");
    };
    let answers = |expected: &str| {
        let expression = format!("{}.includes({expected:?})", text("answer"));
        let came = tab.comes_to(&expression, PATIENCE);
        assert!(came, "{expected:?} is not in {}", tab.eval(&text("answer")));
    };
    look_up(KNOWN[0]);
    answers("SUPERINTENDENCIA NACIONAL DE ADUANAS");
    answers("from the source");
    // As people copy it.
    look_up("20-13131295-5");
    answers("from the cache, fresh for");
    look_up("20131312956");
    answers("Expected check digit");
    look_up("20999999990");
    answers("The configured source cannot know this number");
    let verdict = json!({"reason": "NO_EXISTE_SUNAT"});
    assert_eq!(service.put("/v1/invalid-rucs/20999999990", &verdict), 200);
    look_up("20999999990");
    answers("The register has no such taxpayer");
    answers("Not in SUNAT's register");
    look_up("");
    answers("Type a RUC: eleven digits.");
    look_up("<img src=x onerror=alert(1)>");
    assert!(tab.comes_to("document.querySelectorAll('#answer img').length === 0", PATIENCE));
    // Refused look-ups are answers of the service, which a browser tells in its log of requests.
    let complaints = tab.complaints();
    assert!(complaints.iter().all(|line| line.contains("/v1/ruc/")), "{complaints:?}");
}

#[test]
fn numbers_and_plots_move_while_the_service_is_read() {
    let service = Service::start("memory://", &[]);
    let chromium = Chromium::start();
    let tab = chromium.open(&service.url, DESK);
    assert!(tab.comes_to(&format!("{} === 'Healthy'", text("state-text")), PATIENCE));
    let targets: Vec<_> = KNOWN.iter().map(|number| format!("/v1/ruc/{number}")).collect();
    let targets: Vec<_> =
        targets.iter().map(|target| &**target).chain(["/v1/cache/shop/x"]).collect();
    let load = service.load(&targets);
    let rate = format!("parseFloat({}) > 0", text("now-rate"));
    assert!(tab.comes_to(&rate, PATIENCE), "the rate stays at {}", tab.eval(&text("now-rate")));
    // Two of three reads are hits.
    let ratio = format!("Math.abs(parseFloat({}) - 66.6) < 4", text("now-ratio"));
    assert!(tab.comes_to(&ratio, PATIENCE), "the ratio is {}", tab.eval(&text("now-ratio")));
    for plot in ["ratio", "rate", "latency"] {
        let line = format!(
            "(document.querySelector('#plot-{plot} path.first:not(.point)')?.getAttribute('d').split('L').length ?? 0) > 2"
        );
        assert!(tab.comes_to(&line, PATIENCE), "{plot} has no line");
    }
    let services = format!("{}.includes('shop')", text("services"));
    assert!(tab.comes_to(&services, PATIENCE));
    assert_eq!(service.delete("/v1/cache/shop"), 200);
    let cleared = format!("{}.includes('shop: the whole service')", text("invalidations"));
    assert!(tab.comes_to(&cleared, SOON + SOON), "{}", tab.eval(&text("invalidations")));
    assert_eq!(
        service.put("/v1/invalid-rucs/20999999990", &json!({"reason": "NO_EXISTE_SUNAT"})) / 100,
        2
    );
    let registry = format!("{}.includes('Not in SUNAT')", text("registry"));
    assert!(tab.comes_to(&registry, PATIENCE), "{}", tab.eval(&text("registry")));
    assert!(load.answers() > 0);
    drop(load);
    assert_quiet(&tab, &service);
}

#[test]
fn killed_backend_and_its_return_show_within_two_seconds() {
    let redis = RedisServer::start(RedisOptions::default());
    let service = Service::start(&redis.url(), &[]);
    let chromium = Chromium::start();
    let tab = chromium.open(&service.url, DESK);
    let state_is = |state: &str| format!("{} === {state:?}", text("state-text"));
    let up = format!("{}.includes('up for')", text("backends"));
    assert!(tab.comes_to(&state_is("Healthy"), PATIENCE));
    assert!(tab.comes_to(&up, PATIENCE), "{}", tab.eval(&text("backends")));
    let load = service.load(&["/v1/ruc/20131312955", "/v1/cache/shop/x"]);
    redis.kill_9();
    let down = format!("{}.includes('down for')", text("backends"));
    assert!(tab.comes_to(&down, SOON), "{}", tab.eval(&text("backends")));
    assert!(tab.comes_to(&state_is("Shared tier down, still answering"), SOON));
    redis.restart();
    let well = || service.get("/health").1.contains("\"healthy\"");
    assert!(rucache_testkit::wait_until(PATIENCE, well));
    assert!(tab.comes_to(&state_is("Healthy"), SOON), "{}", tab.eval(&text("state-text")));
    assert!(tab.comes_to(&up, SOON), "{}", tab.eval(&text("backends")));
    drop(load);
    assert_quiet(&tab, &service);
}

#[test]
fn numbers_of_a_service_that_has_ended_say_so() {
    let service = Service::start("memory://", &[]);
    let chromium = Chromium::start();
    let tab = chromium.open(&service.url, DESK);
    assert!(tab.comes_to(&format!("{} === 'Healthy'", text("state-text")), PATIENCE));
    assert_eq!(tab.eval("document.getElementById('old').hidden"), true);
    drop(service);
    let ended = format!("{} === 'The service does not answer'", text("state-text"));
    assert!(tab.comes_to(&ended, SOON), "{}", tab.eval(&text("state-text")));
    let old = format!("{}.startsWith('The numbers below are those of')", text("old"));
    assert!(tab.comes_to(&old, SOON), "{}", tab.eval(&text("old")));
    drop(tab.eval("document.getElementById('ruc').focus()"));
    tab.type_text(KNOWN[0]);
    tab.press("Enter");
    let unanswered = format!("{}.includes('The service does not answer')", text("answer"));
    assert!(tab.comes_to(&unanswered, SOON), "{}", tab.eval(&text("answer")));
}

#[test]
fn token_is_asked_for_where_the_service_has_one() {
    const TOKEN: &str = "0123456789abcdef0123456789abcdef";
    let service = Service::start("memory://", &[("RUCACHE_TOKEN", TOKEN)]);
    let chromium = Chromium::start();
    let tab = chromium.open(&service.url, DESK);
    assert!(tab.comes_to(&format!("{} === 'Token needed'", text("state-text")), PATIENCE));
    assert_eq!(tab.eval("document.getElementById('token-form').hidden"), false);
    drop(tab.eval("document.getElementById('token').focus()"));
    tab.type_text(TOKEN);
    tab.press("Enter");
    assert!(tab.comes_to(&format!("{} === 'Healthy'", text("state-text")), PATIENCE));
    assert_eq!(tab.eval("document.getElementById('token-form').hidden"), true);
    assert_eq!(tab.eval("document.documentElement.outerHTML.includes('0123456789abcdef')"), false);
}
