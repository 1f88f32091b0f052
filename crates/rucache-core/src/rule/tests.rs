//! Tests of the rule model: a shop's rules, both sides of a change, checks at start.

use serde_json::json;

use super::*;

/// The rules of an online shop.
fn shop() -> RuleSet {
    RuleSet::new([
        Rule::on("producto", ["saved", "deleted"]).remove(Targets::keys([
            "electro:estadisticas_ventas",
            "electro:productos_vendidos",
            "electro:lista_productos",
            "electro:producto_{id}",
        ])),
        Rule::on("pedido", ["saved", "deleted"])
            .remove(Targets::keys(["electro:estadisticas_ventas", "electro:metodos_pago"])),
        Rule::on("usuario", ["saved", "deleted"])
            .when_changed(["rol"])
            .remove(Targets::keys(["electro:estadisticas_usuarios"])),
    ])
    .expect("valid rules")
}

/// The same rules in the form of a configuration file.
fn shop_in_json() -> RuleSet {
    serde_json::from_value(json!([
        {"entity": "producto", "actions": ["saved", "deleted"], "remove": {"keys": [
            "electro:estadisticas_ventas", "electro:productos_vendidos",
            "electro:lista_productos", "electro:producto_{id}"]}},
        {"entity": "pedido", "actions": ["saved", "deleted"],
         "remove": {"keys": ["electro:estadisticas_ventas", "electro:metodos_pago"]}},
        {"entity": "usuario", "actions": ["saved", "deleted"], "changed": ["rol"],
         "remove": {"keys": ["electro:estadisticas_usuarios"]}},
    ]))
    .expect("valid rules")
}

fn effects(rules: &RuleSet, event: &Event) -> Vec<String> {
    let text = |effect: &Effect| {
        format!("{} {} {}", effect.kind.as_str(), effect.target.kind(), effect.target)
    };
    rules.effects(event).iter().map(text).collect()
}

fn one(rule: Rule) -> RuleSet {
    RuleSet::new([rule]).expect("a valid rule")
}

fn problem(rule: Rule) -> RuleProblem {
    RuleSet::new([rule]).expect_err("a rule with a fault").problem
}

#[test]
fn saved_product_takes_its_lists_and_itself() {
    for rules in [shop(), shop_in_json()] {
        for action in ["saved", "created", "updated", "deleted"] {
            assert_eq!(
                effects(&rules, &Event::new("producto", action, "7")),
                [
                    "remove key electro:estadisticas_ventas",
                    "remove key electro:productos_vendidos",
                    "remove key electro:lista_productos",
                    "remove key electro:producto_7",
                ]
            );
        }
    }
}

#[test]
fn saved_order_takes_sales_and_payment_methods() {
    assert_eq!(
        effects(&shop(), &Event::new("pedido", "updated", "31")),
        ["remove key electro:estadisticas_ventas", "remove key electro:metodos_pago"]
    );
}

#[test]
fn user_counts_when_created_or_when_the_role_changed() {
    let rules = shop();
    let user = |action| Event::new("usuario", action, "5");
    let taken = ["remove key electro:estadisticas_usuarios"];
    assert_eq!(effects(&rules, &user("created").field("nombre", json!(null), "Ana")), taken);
    assert_eq!(effects(&rules, &user("updated").field("rol", "cliente", "staff")), taken);
    assert_eq!(effects(&rules, &user("deleted")), taken);
    assert_eq!(effects(&rules, &user("updated").field("rol", "staff", "staff")), [""; 0]);
    assert_eq!(effects(&rules, &user("updated").field("nombre", "Ana", "Eva")), [""; 0]);
}

#[test]
fn event_that_lists_no_field_may_have_changed_any() {
    let taken = ["remove key electro:estadisticas_usuarios"];
    assert_eq!(effects(&shop(), &Event::new("usuario", "saved", "5")), taken);
}

#[test]
fn other_entities_and_actions_do_nothing() {
    let rules = shop();
    for (entity, action) in [("Producto", "saved"), ("producto", "viewed"), ("stock", "saved")] {
        assert_eq!(effects(&rules, &Event::new(entity, action, "7")), [""; 0]);
    }
    let narrow = one(Rule::on("x", ["created"]).remove(Targets::keys(["k"])));
    assert_eq!(effects(&narrow, &Event::new("x", "saved", "7")), [""; 0]);
}

#[test]
fn old_and_new_value_both_give_a_key() {
    let rules = one(Rule::on("producto", ["saved"])
        .remove(Targets::keys(["electro:categoria_{field.categoria}_{id}"]))
        .expire(Targets::tags(["electro:cat_{field.categoria}"])));
    let moved = Event::new("producto", "saved", "7").field("categoria", "tv", "audio");
    assert_eq!(
        effects(&rules, &moved),
        [
            "remove key electro:categoria_tv_7",
            "remove key electro:categoria_audio_7",
            "expire tag electro:cat_tv",
            "expire tag electro:cat_audio",
        ]
    );
    let created = Event::new("producto", "saved", "7").field("categoria", json!(null), 3);
    assert_eq!(
        effects(&rules, &created),
        ["remove key electro:categoria_3_7", "expire tag electro:cat_3"]
    );
}

#[test]
fn unchanged_value_gives_its_key_once() {
    let rules = one(Rule::on("p", ["saved"]).remove(Targets::keys(["k_{field.a}"])));
    let event = Event::new("p", "saved", "1").field("a", "x", "x");
    assert_eq!(effects(&rules, &event), ["remove key default:k_x"]);
}

#[test]
fn effect_that_two_rules_give_is_given_once_and_removal_beats_expiry() {
    let rules = RuleSet::new([
        Rule::on("p", ["saved"]).expire(Targets::keys(["k", "other"])),
        Rule::on("p", ["saved"]).remove(Targets::keys(["k"])),
        Rule::on("p", ["updated"]).remove(Targets::keys(["k"])).warm(Targets::keys(["k"])),
    ])
    .expect("valid rules");
    assert_eq!(
        effects(&rules, &Event::new("p", "updated", "1")),
        ["expire key default:other", "remove key default:k", "warm key default:k"]
    );
}

#[test]
fn service_may_come_from_the_event() {
    let rules = one(Rule::on("service", ["cleared"]).remove(Targets::services(["{id}"])));
    assert_eq!(effects(&rules, &Event::new("service", "cleared", "migo")), ["remove service migo"]);
    assert_eq!(effects(&rules, &Event::new("service", "cleared", "No Such")), [""; 0]);
}

#[test]
fn value_with_a_separator_stays_in_the_name() {
    let rules = one(Rule::on("p", ["saved"]).remove(Targets::keys(["shop:p_{id}"])));
    let effects = rules.effects(&Event::new("p", "saved", "migo:ruc_1"));
    let Target::Key(key) = &effects[0].target else { panic!("a key") };
    assert_eq!((key.service(), key.name()), ("shop", "p_migo:ruc_1"));
}

#[test]
fn doubled_braces_are_braces() {
    let rules = one(Rule::on("p", ["saved"]).remove(Targets::keys(["{{{id}}}"])));
    assert_eq!(effects(&rules, &Event::new("p", "saved", "7")), ["remove key default:{7}"]);
}

#[test]
fn explanation_says_which_rule_gave_what_and_why_not() {
    let rules = RuleSet::new([
        Rule::on("p", ["saved"]).named("listas").remove(Targets::keys(["k_{field.a}", "k"])),
        Rule::on("p", ["saved"]).when_changed(["rol"]).remove(Targets::keys(["k"])),
    ])
    .expect("valid rules");
    let event = Event::new("p", "saved", "7").field("b", 1, 2);
    assert_eq!(
        serde_json::to_value(rules.explain(&event)).expect("JSON"),
        json!([
            {"rule": "listas", "template": "k_{field.a}",
             "skipped": "the event has no value of field `a`"},
            {"rule": "listas", "template": "k",
             "effect": {"action": "remove", "key": "default:k"}},
            {"rule": "p saved", "skipped": "none of the watched fields changed"},
        ])
    );
}

#[test]
fn event_reads_the_json_of_the_service() {
    let event: Event = serde_json::from_value(json!(
        {"entity": "producto", "action": "saved", "key": 7, "fields": {"precio": {"new": 2}}}
    ))
    .expect("an event");
    let same = Event::new("producto", "saved", "7").field("precio", json!(null), 2);
    assert_eq!(event, same);
    assert_eq!(
        serde_json::to_value(shop().effects(&event)).expect("JSON")[3],
        json!({"action": "remove", "key": "electro:producto_7"})
    );
    let id = serde_json::from_value::<Event>(json!({"entity": "e", "action": "a", "id": "x"}));
    assert_eq!(id.expect("an event").id, "x");
}

#[test]
fn unknown_field_is_an_error_everywhere() {
    for rule in [
        json!({"entity": "p", "actions": ["saved"], "remove": {"keys": ["k"]}, "when": "x"}),
        json!({"entity": "p", "actions": ["saved"], "remove": {"key": ["k"]}}),
        json!({"entity": "p", "remove": {"keys": ["k"]}}),
    ] {
        assert!(serde_json::from_value::<RuleSet>(json!([rule])).is_err(), "{rule}");
    }
    for event in [
        json!({"entity": "p", "action": "saved", "key": "1", "extra": 1}),
        json!({"entity": "p", "action": "saved", "key": "1", "fields": {"a": {"before": 1}}}),
        json!({"entity": "p", "action": "saved", "key": ["1"]}),
    ] {
        assert!(serde_json::from_value::<Event>(event.clone()).is_err(), "{event}");
    }
}

#[test]
fn fault_in_a_rule_is_found_at_start() {
    let saved = || Rule::on("p", ["saved"]);
    let keyed = |template: &str| saved().remove(Targets::keys([template]));
    let template = |text: &str| text.to_owned();
    assert_eq!(problem(Rule::on("", ["saved"])), RuleProblem::NoEntity);
    assert_eq!(problem(Rule::on("p", [""; 0])), RuleProblem::NoAction);
    assert_eq!(problem(Rule::on("p", ["saved", ""])), RuleProblem::NoAction);
    assert_eq!(problem(keyed("k").when_changed([""])), RuleProblem::NoField);
    assert_eq!(problem(saved()), RuleProblem::NoEffect);
    assert_eq!(problem(keyed("")), RuleProblem::EmptyTemplate);
    assert_eq!(problem(keyed("shop:")), RuleProblem::NoName { template: template("shop:") });
    for text in ["k_{id", "k_id}", "k_{", "}"] {
        assert_eq!(problem(keyed(text)), RuleProblem::UnpairedBrace { template: template(text) });
    }
    for placeholder in ["ID", "", "field.", "precio"] {
        let text = format!("k_{{{placeholder}}}");
        let placeholder = template(placeholder);
        assert_eq!(
            problem(keyed(&text)),
            RuleProblem::UnknownPlaceholder { template: text, placeholder }
        );
    }
    for rule in [
        keyed("Mala tienda:k"),
        keyed("{id}:k"),
        saved().expire(Targets::tags(["-x:t"])),
        saved().warm(Targets::services(["A"])),
    ] {
        assert!(matches!(problem(rule), RuleProblem::Service { .. }));
    }
}

#[test]
fn error_names_the_rule_and_what_to_do() {
    let rule = Rule::on("p", ["saved"]).remove(Targets::keys(["k_{precio}"]));
    let named = RuleSet::new([rule.clone().named("precios")]).expect_err("a fault");
    assert_eq!(named.rule, "precios");
    let unnamed = RuleSet::new([rule]).expect_err("a fault").to_string();
    assert_eq!(
        unnamed,
        "invalidation rule `p saved`: target `k_{precio}` uses unknown placeholder `precio`; \
         use `id` or `field.NAME` inside the braces"
    );
}

#[test]
fn debug_form_holds_neither_id_nor_value() {
    let event = Event::new("ruc", "changed", "10000000006").field("distrito", "LIMA", "ICA");
    let shown = format!("{event:?} {:?} {:?}", event.fields, shop().effects(&event));
    assert!(shown.contains("distrito"));
    for secret in ["10000000006", "LIMA", "ICA"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}
