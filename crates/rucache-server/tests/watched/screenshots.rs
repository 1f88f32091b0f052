//! The pictures of the page in the README.

use std::path::Path;
use std::thread;
use std::time::Duration;

use rucache_testkit::{Chromium, RedisOptions, RedisServer, Scheme, Viewport};
use serde_json::json;

use crate::page::DESK;
use crate::service::{KNOWN, Load, Service};

/// Where they are, from this crate.
const FOLDER: &str = "../../docs/images";

/// How long the page is watched, so that its plots have something to show.
const WATCHED: Duration = Duration::from_secs(100);

fn filled(service: &Service) -> Vec<Load> {
    for (number, reason) in ["20999999990", "20999999982", "20999999974"].iter().zip([
        "NO_EXISTE_SUNAT",
        "NO_EXISTE_SUNAT",
        "FORMATO_INVALIDO",
    ]) {
        let marked =
            service.put(&format!("/v1/invalid-rucs/{number}"), &json!({ "reason": reason }));
        assert_eq!(marked / 100, 2, "{number}");
    }
    for item in 0..8 {
        service.put(&format!("/v1/cache/electro/product_{item}"), &json!({ "stock": item }));
    }
    let products: Vec<_> =
        (0..11).map(|item| format!("/v1/cache/electro/product_{item}")).collect();
    let numbers: Vec<_> = KNOWN.iter().map(|number| format!("/v1/ruc/{number}")).collect();
    let targets =
        |list: &[String]| service.load(&list.iter().map(|target| &**target).collect::<Vec<_>>());
    vec![targets(&products), targets(&numbers)]
}

#[test]
#[ignore = "writes docs/images, run by `cargo xtask screenshots`"]
fn pictures_of_the_page_are_taken() {
    let redis = RedisServer::start(RedisOptions::default());
    let service = Service::start(&format!("{}?timeout=2s", redis.url()), &[]);
    let chromium = Chromium::start();
    let load = filled(&service);
    let phone = Viewport { width: 390, height: 844, scale: 2, scheme: Scheme::Light };
    let views = [
        ("page-light", DESK),
        ("page-dark", Viewport { scheme: Scheme::Dark, ..DESK }),
        ("page-phone", phone),
    ];
    let tabs = views.map(|(name, viewport)| (name, chromium.open(&service.url, viewport)));
    let part = WATCHED / 10;
    for step in 0..10 {
        thread::sleep(part);
        match step {
            3 => drop(service.delete("/v1/cache/electro/product_1")),
            5 => drop(service.post("/v1/invalidate", &json!({ "tags": ["electro:sale"] }))),
            6 => drop(service.delete("/v1/cache/electro")),
            _ => {}
        }
        for item in 0..8 {
            if step > 6 {
                service
                    .put(&format!("/v1/cache/electro/product_{item}"), &json!({ "stock": item }));
            }
        }
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(FOLDER);
    std::fs::create_dir_all(&folder).expect("the folder of the pictures");
    for (name, tab) in &tabs {
        drop(tab.eval("document.getElementById('ruc').focus()"));
        tab.type_text(KNOWN[0]);
        tab.press("Enter");
        let found = "document.getElementById('answer').innerText.includes('Found')";
        assert!(tab.comes_to(found, Duration::from_secs(10)));
        drop(tab.eval("document.activeElement.blur()"));
        std::fs::write(folder.join(format!("{name}.png")), tab.picture()).expect("a picture");
    }
    drop(load);
}
