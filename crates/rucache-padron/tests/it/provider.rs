//! The provider: what its register holds, and what the register's silence means.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use rucache_core::Timestamp;
use rucache_padron::{Reader, Register, RegisterProvider};
use rucache_ruc::{Answer, Coverage, Provider, Ruc};

use crate::{line, text};

const SUNAT: &str = "20131312955";

/// The result of a future that never waits, as a register in memory has no reason to.
fn now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("the provider waits"),
    }
}

fn ruc(number: &str) -> Ruc {
    number.parse().unwrap()
}

fn provider(lines: &[&str], coverage: Coverage) -> RegisterProvider {
    let bytes = text(lines);
    let register = Register::load(Reader::new("padron.txt", &bytes[..]).unwrap()).unwrap();
    RegisterProvider::new("padron", register, coverage)
}

#[test]
fn sample_answers_for_sunat() {
    let sample =
        RegisterProvider::new("sample", rucache_padron::sample().unwrap(), Coverage::Partial);
    assert_eq!((sample.name(), sample.coverage()), ("sample", Coverage::Partial));
    let Answer::Found { record, as_of, .. } = now(sample.lookup(ruc(SUNAT))) else {
        panic!("the sample has SUNAT");
    };
    assert_eq!(record.ruc(), ruc(SUNAT));
    assert_eq!(
        record.nombre_o_razon_social(),
        Some("SUPERINTENDENCIA NACIONAL DE ADUANAS Y DE ADMINISTRACION TRIBUTARIA - SUNAT")
    );
    assert_eq!(record.ubigeo(), Some("150101"));
    assert_eq!(record.nombre_de_via(), Some("GARCILASO DE LA VEGA"));
    assert_eq!(as_of, None);
}

#[test]
fn silence_means_what_the_coverage_says() {
    let (entity, person) = (ruc("20000000010"), ruc("10000000006"));
    let silence =
        |coverage, ruc| now(provider(&[&line("20000000001", "UNO")], coverage).lookup(ruc));
    assert_eq!(silence(Coverage::Partial, entity), Answer::NotCovered);
    assert_eq!(silence(Coverage::Partial, person), Answer::NotCovered);
    assert_eq!(silence(Coverage::LegalEntities, entity), Answer::NotFound);
    assert_eq!(silence(Coverage::LegalEntities, person), Answer::NotCovered);
    assert_eq!(silence(Coverage::Full, entity), Answer::NotFound);
    assert_eq!(silence(Coverage::Full, person), Answer::NotFound);
}

#[test]
fn number_whose_only_line_is_dirty_is_never_not_found() {
    let nameless = line("20000000010", "-");
    let provider = provider(&[&nameless], Coverage::Full);
    assert_eq!(now(provider.lookup(ruc("20000000010"))), Answer::NotCovered);
    assert_eq!(now(provider.lookup(ruc("20000000001"))), Answer::NotFound);
}

#[test]
fn many_are_answered_in_order_with_repeats() {
    let provider = provider(&[&line("20000000001", "UNO"), &line(SUNAT, "DOS")], Coverage::Full);
    let asked = [SUNAT, "20000000010", "20000000001", SUNAT].map(ruc);
    let answers = now(provider.lookup_many(&asked));
    let names: Vec<_> = answers
        .iter()
        .map(|answer| match answer {
            Answer::Found { record, .. } => record.nombre_o_razon_social(),
            _ => None,
        })
        .collect();
    assert_eq!(names, [Some("DOS"), None, Some("UNO"), Some("DOS")]);
    assert_eq!(answers[1], Answer::NotFound);
    assert!(provider.batch_limit().get() >= 10_000);
}

#[test]
fn date_of_the_data_is_the_one_that_was_stated() {
    let day = Timestamp::from_millis(1_769_558_400_000);
    let provider = provider(&[&line(SUNAT, "UNO")], Coverage::Full).with_as_of(day);
    let Answer::Found { as_of, .. } = now(provider.lookup(ruc(SUNAT))) else {
        panic!("the register has it");
    };
    assert_eq!(as_of, Some(day));
}
