//! The manual: what it lists is what there is.

use serde_json::Value;

use super::program::{Service, rucache};

const MANUAL: &str = include_str!("../../../../../docs/manual.md");

/// The manual's row of a setting.
fn row(setting: &Value) -> String {
    let text = |name: &str| setting[name].as_str().expect("text").replace('|', "\\|");
    let (key, default, form, about) = (text("key"), text("value"), text("form"), text("about"));
    format!("| `{key}` | {default} | {form} | {about} |")
}

#[test]
fn table_of_settings_is_that_of_the_program() {
    let shown = rucache(&["config", "show", "--json"]).run().json();
    let settings = shown["settings"].as_array().expect("a list");
    let key = |setting: &Value| setting["key"].as_str().expect("text").to_owned();
    // Those of MIGO stand for those of the other look-up APIs, which differ in their address.
    let others = ["decolecta.", "apis_net_pe.", "apiperu."];
    for other in others {
        let of = |name: &str| -> Vec<String> {
            let own = settings.iter().filter(|setting| key(setting).starts_with(name));
            let rows = own.filter(|setting| !key(setting).ends_with(".base_url")).map(row);
            rows.map(|row| row.replace(name, "")).collect()
        };
        assert_eq!(of(other), of("migo."));
    }
    let listed = |setting: &&Value| !others.iter().any(|other| key(setting).starts_with(other));
    let rows: Vec<_> = settings.iter().filter(listed).map(row).collect();
    let table = MANUAL.split("| setting | default | value | what it does |").nth(1);
    let lines = table.expect("a table of settings").lines().skip(2);
    let written: Vec<_> = lines.take_while(|line| line.starts_with('|')).collect();
    assert_eq!(written, rows);
}

#[test]
fn every_route_has_a_row_and_every_row_a_route() {
    let service = Service::start();
    let url = format!("{}/openapi.json", service.url);
    let mut answer = ureq::get(url).call().expect("an answer");
    let text = answer.body_mut().read_to_string().expect("text");
    let document: Value = serde_json::from_str(&text).expect("an OpenAPI document");
    let mut routes = Vec::new();
    for (path, operations) in document["paths"].as_object().expect("paths") {
        let verbs = operations.as_object().expect("operations").keys();
        let verbs = verbs.filter(|verb| ["get", "put", "post", "delete"].contains(&verb.as_str()));
        routes.extend(verbs.map(|verb| format!("{} {path}", verb.to_uppercase())));
    }
    let rows = MANUAL.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let is_route = |row: &&str| row.contains(" /");
    let mut written: Vec<_> = rows.filter(is_route).map(str::to_owned).collect();
    routes.sort();
    written.sort();
    assert_eq!(written, routes);
}

#[test]
fn every_command_has_a_row() {
    let listed = |arguments: &[&str]| -> Vec<String> {
        let help = rucache(arguments).run().stdout;
        let commands = help.split("Commands:\n").nth(1).unwrap_or_default().lines();
        let names = commands.take_while(|line| !line.is_empty());
        // What stands further in continues the line above.
        let names = names.filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
        names.filter(|name| !["", "help"].contains(name)).map(str::to_owned).collect()
    };
    for command in listed(&["-h"]) {
        let inner = listed(&[&command, "-h"]);
        let names = match inner.is_empty() {
            true => vec![command],
            false => inner.iter().map(|inner| format!("{command} {inner}")).collect(),
        };
        for name in names {
            assert!(MANUAL.contains(&format!("| `rucache {name}` |")), "no row of {name}");
        }
    }
}
