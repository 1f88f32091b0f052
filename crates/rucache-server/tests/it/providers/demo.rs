//! `serve --demo-provider`: a source at work without a token.

use super::stand::{Asker, ruc};
use crate::cli::program::{Service, rucache};

const SERVE: [&str; 4] = ["serve", "--demo-provider", "--listen", "127.0.0.1:0"];

#[test]
fn invented_records_say_so_wherever_they_are_seen() {
    let service = Service::of(rucache(&SERVE));
    let line =
        "  source        DEMO: every record is invented here, nobody is asked; not for real use";
    assert!(service.greeting.lines().any(|told| told == line), "{}", service.greeting);
    let asker = Asker::of(&service);
    let told = asker.get("/v1/ruc/20131312955");
    assert_eq!((told.status, told.source.as_str()), (200, "demo"));
    let name = &told.json()["nombre_o_razon_social"];
    assert!(name.as_str().is_some_and(|name| name.starts_with("DEMO - ")), "{name}");
    let health = asker.get("/health").json();
    assert_eq!(health["checks"]["sources"], "⚠️ DEMO: every record is invented");
    assert_eq!(health["sources"][0]["name"], "demo");
    assert_eq!(asker.calls("demo", "answered").to_string(), "1");
    let run = rucache(&["--server", &service.url, "lookup", "--json", "20131312955"]).run();
    assert_eq!(run.json()["results"][0]["source"], "demo");
}

#[test]
fn one_number_in_ten_does_not_exist_and_rates_are_there() {
    let service = Service::of(rucache(&SERVE));
    let asker = Asker::of(&service);
    let absent = (0..20).filter(|index| asker.lookup(ruc(*index)).status == 404).count();
    assert_eq!(absent, 2);
    let told = asker.get("/v1/exchange-rate/latest");
    assert_eq!((told.status, &told.json()["venta"]), (200, &"3.752".into()));
}

#[test]
fn invented_records_are_not_left_at_a_server() {
    let run = rucache(&[&["--backend", "redis://127.0.0.1:1/1"], &SERVE[..]].concat()).run();
    assert_eq!(run.code, Some(1));
    let told = "rucache: the source demo invents records and would leave them in \
                redis://127.0.0.1:1/1, for others to take for true; use it with memory://";
    assert!(run.stderr.lines().any(|line| line == told), "{}", run.stderr);
}
