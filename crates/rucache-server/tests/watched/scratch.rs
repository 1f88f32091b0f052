//! scratch
use rucache_testkit::{Chromium, RedisOptions, RedisServer, Scheme, Viewport};
use serde_json::json;
use crate::page::DESK;
use crate::service::{KNOWN, Service};
use std::time::Duration;

#[test]
#[ignore]
fn pictures() {
    let redis = RedisServer::start(RedisOptions::default());
    let service = Service::start(&redis.url(), &[]);
    let chromium = Chromium::start();
    let tab = chromium.open(&service.url, DESK);
    std::thread::sleep(Duration::from_secs(3));
    let save = |tab: &rucache_testkit::Tab, name: &str| std::fs::write(format!("/tmp/six/{name}.png"), tab.picture()).unwrap();
    save(&tab, "empty");
    service.put("/v1/invalid-rucs/20999999990", &json!({"reason": "NO_EXISTE_SUNAT"}));
    for number in ["20131312956", "20999999990", "20999999982", "abc"] {
        drop(tab.eval("(box => { box.value = ''; box.focus(); })(document.getElementById('ruc'))"));
        tab.type_text(number);
        tab.press("Enter");
        std::thread::sleep(Duration::from_millis(700));
        save(&tab, &format!("box-{number}"));
    }
    let load = service.load(&["/v1/ruc/20131312955", "/v1/cache/shop/x"]);
    let phone = Viewport { width: 390, height: 844, scale: 1, scheme: Scheme::Dark };
    let small = chromium.open(&service.url, phone);
    std::thread::sleep(Duration::from_secs(5));
    redis.kill_9();
    std::thread::sleep(Duration::from_secs(4));
    service.delete(&format!("/v1/ruc/{}", KNOWN[0]));
    std::thread::sleep(Duration::from_secs(2));
    save(&tab, "down");
    save(&small, "down-phone");
    drop(load);
    drop(service);
    std::thread::sleep(Duration::from_secs(3));
    save(&tab, "ended");
    let service = Service::start("memory://", &[("RUCACHE_TOKEN", "0123456789abcdef0123456789abcdef")]);
    let tab = chromium.open(&service.url, DESK);
    std::thread::sleep(Duration::from_secs(2));
    drop(tab.eval("document.getElementById('token').focus()"));
    save(&tab, "token");
}
