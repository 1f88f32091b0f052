//! The domain's rules, and a shop's in a configuration file.

use rucache_core::ServiceName;
use rucache_core::rule::{Event, RuleSet};
use rucache_ruc::{Field, RegisterChange, Ruc, Taxpayer, difference, rules};
use serde_json::json;

fn ruc() -> Ruc {
    "20131312955".parse().expect("a RUC")
}

fn services() -> Vec<ServiceName> {
    ["migo", "decolecta"].map(|name| name.parse().expect("a service")).to_vec()
}

fn effects(rules: &RuleSet, event: &Event) -> Vec<String> {
    let text = |effect: &rucache_core::rule::Effect| {
        format!("{} {} {}", effect.kind.as_str(), effect.target.kind(), effect.target)
    };
    rules.effects(event).iter().map(text).collect()
}

fn domain(event: &Event) -> Vec<String> {
    effects(&RuleSet::new(rules(&services())).expect("valid rules"), event)
}

#[test]
fn number_is_removed_from_every_service_when_it_is_added_changed_or_rejected() {
    use RegisterChange::{Added, Changed, Rejected};
    for change in [Added, Changed, Rejected] {
        assert_eq!(
            domain(&change.event(ruc())),
            ["remove key migo:ruc_20131312955", "remove key decolecta:ruc_20131312955"]
        );
    }
}

#[test]
fn number_that_left_the_register_is_expired() {
    assert_eq!(
        domain(&RegisterChange::Removed.event(ruc())),
        ["expire key migo:ruc_20131312955", "expire key decolecta:ruc_20131312955"]
    );
}

#[test]
fn whole_classes_go_by_tag() {
    assert_eq!(
        domain(&Event::new("condicion", "changed", "no_habido")),
        ["remove tag migo:condicion_no_habido", "remove tag decolecta:condicion_no_habido"]
    );
    assert_eq!(
        domain(&Event::new("ubigeo", "changed", "150101"))[0],
        "remove tag migo:ubigeo_150101"
    );
    assert_eq!(
        domain(&Event::new("estado", "changed", "activo"))[0],
        "remove tag migo:estado_activo"
    );
}

#[test]
fn new_register_expires_every_service_and_a_cleared_service_goes_alone() {
    assert_eq!(
        domain(&Event::new("padron", "published", "2026-01-28")),
        ["expire service migo", "expire service decolecta"]
    );
    assert_eq!(domain(&Event::new("service", "cleared", "migo")), ["remove service migo"]);
}

#[test]
fn without_services_the_rules_are_still_valid() {
    let rules = RuleSet::new(rules(&[])).expect("valid rules");
    assert_eq!(rules.len(), 1);
    assert_eq!(effects(&rules, &RegisterChange::Added.event(ruc())), [""; 0]);
}

#[test]
fn difference_of_two_records_is_an_event_over_the_fields_that_differ() {
    let record = |distrito: &str, estado: &str| {
        Taxpayer::builder(ruc())
            .set(Field::Distrito, distrito)
            .set(Field::EstadoDelContribuyente, estado)
            .build()
    };
    let old = record("LIMA", "ACTIVO");
    let new = record("-", "ACTIVO");
    assert_eq!(
        difference(ruc(), Some(&old), Some(&new)),
        Some(RegisterChange::Changed.event(ruc()).field("distrito", "LIMA", json!(null)))
    );
    let added = difference(ruc(), None, Some(&new)).expect("an event");
    assert_eq!((&*added.action, added.fields.len()), ("added", 1));
    let removed = difference(ruc(), Some(&old), None).expect("an event");
    assert_eq!((&*removed.action, removed.fields.len()), ("removed", 2));
    assert_eq!(difference(ruc(), Some(&old), Some(&old)), None);
    assert_eq!(difference(ruc(), None, None), None);
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Configuration {
    rules: RuleSet,
}

const SHOP: &str = r#"
[[rules]]
entity = "producto"
actions = ["saved", "deleted"]
remove.keys = ["electro:estadisticas_ventas", "electro:productos_vendidos", "electro:lista_productos", "electro:producto_{id}"]

[[rules]]
entity = "pedido"
actions = ["saved", "deleted"]
remove.keys = ["electro:estadisticas_ventas", "electro:metodos_pago"]

[[rules]]
entity = "usuario"
actions = ["saved", "deleted"]
changed = ["rol"]
remove.keys = ["electro:estadisticas_usuarios"]
"#;

#[test]
fn rules_of_a_shop_are_four_lines_of_toml_each() {
    let shop = toml::from_str::<Configuration>(SHOP).expect("a configuration").rules;
    for rule in SHOP.split("[[rules]]").skip(1) {
        assert!(rule.trim().lines().count() <= 4, "{rule}");
    }
    assert_eq!(
        effects(&shop, &Event::new("producto", "deleted", "7")),
        [
            "remove key electro:estadisticas_ventas",
            "remove key electro:productos_vendidos",
            "remove key electro:lista_productos",
            "remove key electro:producto_7",
        ]
    );
    assert_eq!(
        effects(&shop, &Event::new("pedido", "created", "1")),
        ["remove key electro:estadisticas_ventas", "remove key electro:metodos_pago"]
    );
    assert_eq!(
        effects(&shop, &Event::new("usuario", "updated", "1").field("rol", "cliente", "staff")),
        ["remove key electro:estadisticas_usuarios"]
    );
    let renamed = Event::new("usuario", "updated", "1").field("nombre", "Ana", "Eva");
    assert_eq!(effects(&shop, &renamed), [""; 0]);
}

#[test]
fn misspelt_rule_is_refused_with_its_name() {
    let unknown = SHOP.replace("changed =", "change =");
    let error = toml::from_str::<Configuration>(&unknown).err().expect("an error").to_string();
    assert!(error.contains("unknown field `change`"), "{error}");
    let placeholder = SHOP.replace("{id}", "{pk}");
    let error = toml::from_str::<Configuration>(&placeholder).err().expect("an error").to_string();
    assert!(error.contains("rule `producto saved/deleted`") && error.contains("`pk`"), "{error}");
}
