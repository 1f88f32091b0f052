//! Records: what counts as absent, round trips, masking, size.

use proptest::prelude::*;
use rucache_ruc::{
    Condicion, Estado, Field, InvalidRuc, Reason, RecordError, Ruc, Rule, Taxpayer, tags,
};
use serde_json::{Value, json};

fn ruc() -> Ruc {
    "20131312955".parse().expect("a RUC")
}

fn read(json: Value) -> Taxpayer {
    let streamed: Taxpayer = serde_json::from_str(&json.to_string()).expect("a record");
    assert_eq!(Taxpayer::from_json(&json).as_ref(), Ok(&streamed), "both ways of reading agree");
    streamed
}

/// A record as a look-up API gives it: 506 bytes of JSON.
fn typical() -> Value {
    json!({
        "ruc": "20131312955",
        "nombre_o_razon_social": "SUPERINTENDENCIA NACIONAL DE ADUANAS Y DE ADMINISTRACION TRIBUTARIA - SUNAT",
        "estado_del_contribuyente": "ACTIVO",
        "condicion_de_domicilio": "HABIDO",
        "ubigeo": "150101",
        "tipo_de_via": "AV.",
        "nombre_de_via": "GARCILASO DE LA VEGA",
        "codigo_de_zona": "-",
        "tipo_de_zona": "-",
        "numero": "1472",
        "distrito": "LIMA",
        "provincia": "LIMA",
        "departamento": "LIMA",
        "direccion_simple": "AV. GARCILASO DE LA VEGA NRO. 1472",
        "actualizado_en": "2026-01-28 06:12:33",
    })
}

#[test]
fn fields_are_read_under_their_wire_names() {
    let record = read(typical());
    assert_eq!(record.ruc(), ruc());
    assert_eq!(record.estado(), Some(Estado::Activo));
    assert_eq!(record.condicion(), Some(Condicion::Habido));
    assert_eq!(record.nombre_de_via(), Some("GARCILASO DE LA VEGA"));
    assert_eq!(record.codigo_de_zona(), None);
    assert_eq!(record.kilometro(), None);
    assert_eq!(record.actualizado_en(), Some("2026-01-28 06:12:33"));
    assert_eq!(record.fields().count(), 12);
}

#[test]
fn each_accessor_gives_its_own_field() {
    let mut builder = Taxpayer::builder(ruc());
    for field in Field::ALL {
        builder.set(*field, &format!("valor de {field}"));
    }
    let record = builder.build();
    let json = serde_json::to_value(&record).expect("JSON");
    assert_eq!(json.as_object().map(serde_json::Map::len), Some(Field::ALL.len() + 1));
    for field in Field::ALL {
        assert_eq!(record.get(*field), Some(&*format!("valor de {}", field.name())));
        assert_eq!(json[field.name()], format!("valor de {field}"));
        assert_eq!(Field::from_name(field.name()), Some(*field));
    }
    assert_eq!(record.dpto(), Some("valor de dpto"));
    assert_eq!(record.direccion_simple(), Some("valor de direccion_simple"));
    assert_eq!(Field::from_name("ruc"), None);
}

#[test]
fn dashes_empty_and_null_are_absent_and_stay_out_of_json() {
    let record = read(json!({
        "ruc": "20131312955", "numero": "-", "interior": "----", "lote": "", "manzana": null,
        "dpto": "  ", "distrito": " SAN  ISIDRO ", "direccion": "S/N - LIMA",
    }));
    assert_eq!(
        serde_json::to_value(&record).expect("JSON"),
        json!({"ruc": "20131312955", "distrito": "SAN  ISIDRO", "direccion": "S/N - LIMA"})
    );
}

#[test]
fn absent_condicion_is_not_no_habido() {
    assert_eq!(read(json!({"ruc": "20131312955"})).condicion(), None);
}

#[test]
fn last_value_of_a_field_wins() {
    let mut builder = Taxpayer::builder(ruc());
    builder.set(Field::Lote, "1").set(Field::Numero, "9").set(Field::Lote, "22");
    assert_eq!(builder.build().lote(), Some("22"));
    assert_eq!(builder.build().numero(), Some("9"));
    assert_eq!(builder.set(Field::Lote, "-").build().lote(), None);
    builder.restart(ruc());
    assert_eq!(builder.build(), Taxpayer::builder(ruc()).build());
}

#[test]
fn control_characters_become_spaces() {
    let record =
        Taxpayer::builder(ruc()).set(Field::NombreDeVia, "\u{1f}LOS\u{1f}PINOS\r\n").build();
    assert_eq!(record.nombre_de_via(), Some("LOS PINOS"));
}

#[test]
fn numbers_are_read_as_text() {
    let record = read(json!({"ruc": 20_131_312_955_u64, "ubigeo": 10_101, "numero": 1472,
        "kilometro": 12.5, "lote": -3}));
    assert_eq!(record.ubigeo(), Some("010101"));
    assert_eq!(record.numero(), Some("1472"));
    assert_eq!(record.kilometro(), Some("12.5"));
    assert_eq!(record.lote(), Some("-3"));
}

#[test]
fn unknown_fields_survive_a_round_trip() {
    let json = json!({
        "ruc": "20131312955", "distrito": "LIMA", "es_agente_de_retencion": "SI",
        "trabajadores": 12_345, "anexos": [{"codigo": "0001"}], "nota": "a\u{1f}b", "vacio": null,
    });
    let record = read(json.clone());
    assert_eq!(serde_json::to_value(&record).expect("JSON"), json);
    assert_eq!(record.extra().len(), 5);
    assert_eq!(record.extra()["trabajadores"], 12_345);
    assert_eq!(record.fields().count(), 1);
    assert_eq!(read(json!({"ruc": "20131312955"})).extra_json(), None);
}

#[test]
fn number_may_be_left_out_when_the_caller_knows_it() {
    let json = json!({"nombre_o_razon_social": "CONTINENTAL S.A.C."});
    let record = Taxpayer::from_json_for(ruc(), &json).expect("a record");
    assert_eq!(record.ruc(), ruc());
    assert_eq!(Taxpayer::from_json(&json), Err(RecordError::NoRuc));
    assert!(serde_json::from_value::<Taxpayer>(json).is_err());
    let same = json!({"ruc": "20131312955"});
    assert!(Taxpayer::from_json_for(ruc(), &same).is_ok());
    assert!(Taxpayer::from_json_for(ruc(), &json!({"ruc": null})).is_ok());
}

#[test]
fn what_is_no_record_is_a_typed_error() {
    let other = json!({"ruc": "20100038146"});
    assert_eq!(Taxpayer::from_json_for(ruc(), &other), Err(RecordError::OtherRuc));
    assert_eq!(Taxpayer::from_json_for(ruc(), &json!([])), Err(RecordError::NotAnObject));
    let wrong: InvalidRuc = "20131312956".parse::<Ruc>().expect_err("a wrong digit");
    let error = Taxpayer::from_json(&json!({"ruc": "20131312956"}));
    assert_eq!(error, Err(RecordError::Ruc(wrong)));
    let Err(RecordError::Ruc(list)) = Taxpayer::from_json(&json!({"ruc": ["20131312955"]})) else {
        panic!("a list is no number");
    };
    assert_eq!(list.rule(), Rule::Length);
    for (value, found) in
        [(json!(true), "a boolean"), (json!([]), "a list"), (json!({}), "an object")]
    {
        let json = json!({"ruc": "20131312955", "ubigeo": value});
        let expected = RecordError::NotText { field: Field::Ubigeo, found };
        assert_eq!(Taxpayer::from_json(&json), Err(expected.clone()));
        let streamed = serde_json::from_str::<Taxpayer>(&json.to_string()).expect_err("an error");
        assert!(streamed.to_string().starts_with(&expected.to_string()), "{streamed}");
    }
}

#[test]
fn debug_form_of_a_person_shows_no_value() {
    let person = Ruc::from_first_ten(1_000_000_000).expect("a RUC");
    let set =
        |ruc| Taxpayer::builder(ruc).set(Field::NombreORazonSocial, "NOMBRE INVENTADO").build();
    let shown = format!("{:?}", set(person));
    assert!(shown.contains("nombre_o_razon_social"), "{shown}");
    for secret in ["INVENTADO", "10000000006"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    assert!(format!("{:?}", set(ruc())).contains("NOMBRE INVENTADO"));
}

#[test]
fn typical_record_takes_less_than_half_of_its_json() {
    let json = serde_json::to_string(&typical()).expect("JSON");
    assert!((450..=550).contains(&json.len()), "{}", json.len());
    let record = read(typical());
    let total = size_of::<Taxpayer>() + record.heap_size();
    assert_eq!(size_of::<Taxpayer>(), 24);
    assert!(total * 2 < json.len(), "{total} of {}", json.len());
}

fn any_record() -> impl Strategy<Value = Taxpayer> {
    let value = prop_oneof!["\\PC{0,20}", "[ -]{0,4}", any::<String>()];
    let fields = prop::collection::vec((prop::sample::select(Field::ALL), value), 0..24);
    let extra = prop::collection::vec(("[a-z]{1,8}", any::<String>()), 0..3);
    (fields, extra, 0_u64..100_000_000).prop_map(|(fields, extra, eight)| {
        let ruc = Ruc::from_first_ten(2_000_000_000 + eight).expect("a RUC");
        let mut builder = Taxpayer::builder(ruc);
        for (field, value) in fields {
            builder.set(field, &value);
        }
        for (name, value) in extra {
            if Field::from_name(&name).is_none() && name != "ruc" {
                builder.set_extra(name, Value::from(value));
            }
        }
        builder.build()
    })
}

proptest! {
    #[test]
    fn every_record_survives_json(record in any_record()) {
        let text = serde_json::to_string(&record).expect("JSON");
        prop_assert_eq!(&serde_json::from_str::<Taxpayer>(&text).expect("a record"), &record);
        let value = serde_json::to_value(&record).expect("JSON");
        prop_assert_eq!(&Taxpayer::from_json(&value).expect("a record"), &record);
        prop_assert_eq!(&Taxpayer::from_json_for(record.ruc(), &value).expect("a record"), &record);
    }

    #[test]
    fn appended_json_is_that_of_serialising(record in any_record()) {
        let mut appended = b"before".to_vec();
        record.append_json(&mut appended);
        let expected = format!("before{}", serde_json::to_string(&record).expect("JSON"));
        prop_assert_eq!(String::from_utf8(appended).expect("text"), expected);
    }

    #[test]
    fn every_record_survives_its_builder(record in any_record()) {
        let mut builder = Taxpayer::builder(record.ruc());
        for (field, value) in record.fields() {
            prop_assert_eq!(record.get(field), Some(value));
            builder.set(field, value);
        }
        for (name, value) in record.extra() {
            builder.set_extra(name, value);
        }
        prop_assert_eq!(builder.build(), record);
    }

    #[test]
    fn no_text_makes_a_vocabulary_panic(text in any::<String>()) {
        let estado = Estado::parse(&text);
        prop_assert_eq!(Estado::parse(estado.as_str()), estado.clone());
        prop_assert!(estado.register_form().chars().count() <= 20);
        let condicion = Condicion::parse(&text);
        prop_assert_eq!(Condicion::parse(condicion.as_str()), condicion.clone());
        prop_assert!(condicion.register_form().chars().count() <= 20);
        let reason = Reason::new(text.clone());
        prop_assert_eq!(reason.as_str(), text);
    }

    #[test]
    fn tags_are_lower_case_words(record in any_record()) {
        for tag in tags(&record) {
            let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
            prop_assert!(tag.bytes().all(fits));
        }
    }
}
