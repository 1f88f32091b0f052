//! Events: the domain's rules and the users', carried out.

use std::time::Duration;

use rucache_core::Ttl;
use rucache_core::rule::{Event, Rule, Targets};
use rucache_lookup::LookupOptions;
use rucache_ruc::{Answer, Field, Reason, RegisterChange, Ruc, Taxpayer};

use crate::lab::{CONTINENTAL, Home, Lab, SUNAT, migo, record, ruc};

fn with_estado(number: &str, estado: &str, condicion: &str) -> Taxpayer {
    Taxpayer::builder(ruc(number))
        .set(Field::EstadoDelContribuyente, estado)
        .set(Field::CondicionDeDomicilio, condicion)
        .set(Field::Ubigeo, "150101")
        .build()
}

impl Lab {
    fn store(&self, record: Taxpayer) {
        self.run(self.rucs.set(record, None)).unwrap();
    }

    fn publish(&self, event: &Event) -> usize {
        let applied = self.run(self.lookups.publish(event));
        for one in &applied {
            assert!(one.result.is_ok(), "{one:?}");
        }
        applied.len()
    }

    fn has(&self, number: &str) -> bool {
        self.get(number).is_some()
    }
}

#[test]
fn rejection_drops_the_number_in_every_service_and_both_polarities() {
    for home in Home::ALL {
        let services = [migo(), "nubefact".parse().unwrap()];
        let options = LookupOptions::default().with_services(services.clone());
        let lab = Lab::at(home, 1, Duration::ZERO, options);
        let other = lab.lookups.ruc(&services[1]);
        lab.store(record(SUNAT, "SUNAT"));
        lab.run(other.mark_invalid(SUNAT, Reason::new("TEST"), None)).unwrap();
        lab.store(record(CONTINENTAL, "CONTINENTAL"));
        assert_eq!(lab.publish(&RegisterChange::Rejected.event(ruc(SUNAT))), 2);
        assert!(!lab.has(SUNAT) && lab.has(CONTINENTAL), "{home:?}");
        assert!(!lab.run(other.is_invalid(SUNAT)));
        assert_eq!(lab.run(other.invalid_count()).unwrap(), 0);
    }
}

#[test]
fn tags_of_a_record_are_those_of_the_rules() {
    for home in Home::ALL {
        for event in ["estado", "condicion", "ubigeo"] {
            let lab = Lab::home(home);
            lab.store(with_estado(SUNAT, "ACTIVO", "NO HABIDO"));
            lab.store(Taxpayer::builder(ruc(CONTINENTAL)).build());
            // One that a load brings carries them too.
            let loaded = "20100070970";
            lab.answers(loaded, Answer::found(with_estado(loaded, "ACTIVO", "NO HABIDO")));
            let _ = lab.lookup(loaded);
            assert!(lab.has(loaded));
            let id = match event {
                "estado" => "activo",
                "condicion" => "no_habido",
                _ => "150101",
            };
            assert_eq!(lab.publish(&Event::new(event, "changed", id)), 1);
            assert!(
                !lab.has(SUNAT) && !lab.has(loaded) && lab.has(CONTINENTAL),
                "{home:?} {event}"
            );
        }
    }
}

#[test]
fn difference_of_registers_drops_what_it_makes_wrong() {
    for home in Home::ALL {
        let lab = Lab::home(home);
        let (old, new) =
            (with_estado(SUNAT, "ACTIVO", "HABIDO"), with_estado(SUNAT, "ACTIVO", "NO HABIDO"));
        let change = |old: Option<&Taxpayer>, new: Option<&Taxpayer>| {
            lab.run(lab.lookups.register_changed(ruc(SUNAT), old, new)).len()
        };
        lab.store(old.clone());
        assert_eq!(change(Some(&old), Some(&old)), 0);
        assert!(lab.has(SUNAT));
        assert_eq!(change(Some(&old), Some(&new)), 1);
        assert!(!lab.has(SUNAT), "{home:?}");
        lab.run(lab.rucs.mark_invalid(SUNAT, Reason::NO_EXISTE_SUNAT, None)).unwrap();
        change(None, Some(&new));
        assert!(!lab.run(lab.rucs.is_invalid(SUNAT)));
        assert_eq!(lab.run(lab.rucs.invalid_count()).unwrap(), 0);
        // Removed: kept as a fallback only.
        lab.store(old.clone());
        change(Some(&old), None);
        assert!(!lab.has(SUNAT));
        lab.answers(
            SUNAT,
            Answer::Unavailable(rucache_ruc::Unavailable::new(rucache_ruc::Cause::Failed)),
        );
        assert!(lab.lookup(SUNAT).is_stale());
    }
}

#[test]
fn whole_service_goes_with_one_event() {
    let lab = Lab::home(Home::Server);
    for event in
        [Event::new("padron", "published", "2026-01-28"), Event::new("service", "cleared", "migo")]
    {
        lab.store(record(SUNAT, "SUNAT"));
        lab.run(lab.rucs.mark_invalid("20999999999", Reason::new("TEST"), None)).unwrap();
        assert_eq!(lab.publish(&event), 1);
        assert!(!lab.has(SUNAT));
        assert!(!lab.run(lab.rucs.is_invalid("20999999999")));
    }
}

#[test]
fn users_rules_stand_beside_and_refresh_asks_the_source() {
    for home in Home::ALL {
        let rules = [
            Rule::on("producto", ["saved"]).remove(Targets::keys(["electro:producto_{id}"])),
            Rule::on("cliente", ["saved"]).refresh(Targets::keys(["migo:ruc_{id}"])),
            Rule::on("cliente", ["created"]).warm(Targets::keys(["migo:ruc_{id}"])),
        ];
        let lab = Lab::at(home, 1, Duration::ZERO, LookupOptions::default().with_rules(rules));
        let electro = lab.cache.service(&"electro".parse().unwrap());
        lab.run(electro.set("producto_7", &1, Ttl::SHORT)).unwrap();
        assert_eq!(lab.publish(&Event::new("producto", "saved", "7")), 1);
        assert!(lab.run(electro.get::<u8>("producto_7")).unwrap().is_none());
        lab.answers(SUNAT, Answer::found(record(SUNAT, "NEW")));
        // Absent, it is not refreshed.
        lab.publish(&Event::new("cliente", "saved", SUNAT));
        assert_eq!(lab.calls().len(), 0, "{home:?}");
        lab.store(record(SUNAT, "OLD"));
        lab.publish(&Event::new("cliente", "saved", SUNAT));
        assert_eq!(lab.get(SUNAT).unwrap().record.nombre_o_razon_social(), Some("NEW"));
        lab.answers(CONTINENTAL, Answer::found(record(CONTINENTAL, "WARM")));
        lab.publish(&Event::new("cliente", "created", CONTINENTAL));
        assert!(lab.has(CONTINENTAL));
        assert_eq!(lab.calls().len(), 2);
    }
}

#[test]
fn dry_run_explains_and_does_nothing() {
    let lab = Lab::home(Home::Process);
    lab.store(record(SUNAT, "SUNAT"));
    let event = RegisterChange::Changed.event("20131312955".parse::<Ruc>().unwrap());
    assert_eq!(lab.lookups.explain(&event).len(), 1);
    assert!(lab.has(SUNAT));
    let wrong = [Rule::on("producto", ["saved"])];
    let options = LookupOptions::default().with_rules(wrong);
    let lookups = rucache_lookup::Lookups::new(lab.cache.clone(), lab.provider.clone(), options);
    assert!(lookups.is_err(), "a rule without effect");
}
