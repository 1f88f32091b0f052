//! What keyboards, screen readers and small screens need, checked in the browser.

use rucache_testkit::{Chromium, Scheme, Tab, Viewport};
use serde_json::json;

use super::{DESK, text};
use crate::service::{KNOWN, PATIENCE, Service};

/// Everything that is wrong with names, landmarks, headings and references, as JavaScript.
const STRUCTURE: &str = include_str!("structure.js");

/// Every text whose colour is too near that of its background (WCAG 2.2, 1.4.3), as JavaScript.
const CONTRAST: &str = include_str!("contrast.js");

/// The page with something in every part of it.
fn filled(service: &Service, chromium: &Chromium, viewport: Viewport) -> Tab {
    service.put("/v1/cache/shop/item", &json!({"price": 1}));
    service.put("/v1/invalid-rucs/20999999990", &json!({"reason": "NO_EXISTE_SUNAT"}));
    service.delete("/v1/cache/other");
    for number in KNOWN.iter().cycle().take(20) {
        service.get(&format!("/v1/ruc/{number}"));
    }
    let tab = chromium.open(&service.url, viewport);
    drop(tab.eval("document.getElementById('ruc').focus()"));
    tab.type_text(KNOWN[0]);
    tab.press("Enter");
    assert!(tab.comes_to(&format!("{}.includes('Found')", text("answer")), PATIENCE));
    assert!(tab.comes_to("document.querySelectorAll('#plot-ratio text').length > 0", PATIENCE));
    tab
}

#[test]
fn every_part_has_a_name_a_place_and_enough_contrast() {
    let service = Service::start("memory://", &[]);
    let chromium = Chromium::start();
    for scheme in [Scheme::Light, Scheme::Dark] {
        let tab = filled(&service, &chromium, Viewport { scheme, ..DESK });
        assert_eq!(tab.eval(STRUCTURE), json!([]), "{scheme:?}");
        assert_eq!(tab.eval(CONTRAST), json!([]), "{scheme:?}");
        // The check sees what it should: grey on grey is found.
        drop(tab.eval("document.querySelector('h1').style.color = getComputedStyle(document.body).backgroundColor"));
        let found = tab.eval(CONTRAST);
        assert_eq!(found.as_array().map(Vec::len), Some(1), "{found}");
    }
}

#[test]
fn everything_is_reached_by_keyboard_in_the_order_of_the_page() {
    let service = Service::start("memory://", &[]);
    let chromium = Chromium::start();
    let tab = chromium.open(&service.url, DESK);
    let mut reached = Vec::new();
    for _ in 0..6 {
        tab.press("Tab");
        let focused = tab.eval(
            "(at => [at.textContent.trim() || at.id, getComputedStyle(at).outlineStyle !== 'none'])(document.activeElement)",
        );
        assert_eq!(focused[1], true, "{} shows no focus", focused[0]);
        reached.push(focused[0].as_str().unwrap_or_default().to_owned());
    }
    let expected = ["Skip to the content", "ruc", "Look up", "HTTP interface", "Metrics", "Health"];
    assert_eq!(reached, expected);
}

#[test]
fn narrow_screen_shows_everything_without_sideways_scrolling() {
    let service = Service::start("memory://", &[]);
    let chromium = Chromium::start();
    for width in [320, 390, 768] {
        let tab = filled(&service, &chromium, Viewport { width, height: 800, ..DESK });
        let wide = tab.eval("document.documentElement.scrollWidth - innerWidth");
        assert!(wide.as_i64().is_some_and(|wide| wide <= 0), "{width}: {wide} too wide");
    }
}
