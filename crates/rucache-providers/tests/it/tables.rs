//! The error table of each API, row by row: what is said, and what is made of it.

use rucache_providers::ApiKind;
use rucache_ruc::{Answer, Cause, Provider};
use rucache_testkit::{ProviderFake, ProviderFault};

use super::setting::{Setting, ruc};

/// What a row must come to: `found`, `not_found`, or the label of a cause.
fn label(answer: &Answer) -> &'static str {
    match answer {
        Answer::Found { .. } => "found",
        Answer::NotFound => "not_found",
        Answer::NotCovered => "not_covered",
        Answer::Unavailable(unavailable) => unavailable.cause.as_str(),
    }
}

/// Every row on a connection and a gate of its own.
async fn check(api: ApiKind, rows: &[(u16, &str, &str)]) {
    for (status, body, expected) in rows {
        let setting = Setting::new(api);
        setting.fake.set_fault(Some(ProviderFault::Body(*status, (*body).to_owned())));
        let answer = setting.source.lookup(ruc(1)).await;
        assert_eq!(label(&answer), *expected, "{api:?}: {status} {body}");
        assert_eq!(setting.fake.calls().len(), 1, "{api:?}: {status} {body}");
    }
}

const PAGE: &str = "<!DOCTYPE html><html><head><title>Login</title></head></html>";

#[tokio::test]
async fn migo_is_read_by_its_table() {
    let number = ruc(1).to_string();
    let of = |number: &str, rest: &str| format!(r#"{{"success":true,"ruc":"{number}"{rest}}}"#);
    check(
        ApiKind::Migo,
        &[
            (200, &of(&number, r#","nombre_o_razon_social":"UNO","numero":10"#), "found"),
            (200, &of("20131312955", r#","nombre_o_razon_social":"OTRO""#), "failed"),
            (200, &of(&number, ""), "failed"),
            (200, &of(&number, r#","ubigeo":{}"#), "failed"),
            (200, r#"{"success":true}"#, "failed"),
            (200, r#"{"success":false,"message":"RUC no encontrado"}"#, "failed"),
            (200, "[]", "failed"),
            (200, "null", "failed"),
            (200, "", "failed"),
            (200, r#"{"success":true,"ruc":"#, "failed"),
            (200, PAGE, "denied"),
            (200, "\n  <html>", "denied"),
            (404, r#"{"success":false,"message":"No se encontraron registros"}"#, "not_found"),
            (404, r#"{"message":"The route api/v1/rux could not be found."}"#, "failed"),
            (404, PAGE, "failed"),
            (404, "", "failed"),
            (401, r#"{"message":"Unauthenticated."}"#, "denied"),
            (403, r#"{"success":false,"message":"Acceso denegado"}"#, "denied"),
            (403, PAGE, "denied"),
            (403, r#"{"success":false,"message":"Saldo de consultas agotado"}"#, "quota_exhausted"),
            (402, "", "quota_exhausted"),
            (429, r#"{"message":"Too Many Attempts."}"#, "rate_limited"),
            (429, r#"{"message":"Superó el límite mensual"}"#, "quota_exhausted"),
            (429, PAGE, "rate_limited"),
            (400, "{}", "failed"),
            (422, r#"{"success":false,"message":"El ruc no existe"}"#, "failed"),
            (301, "", "failed"),
            (418, "{}", "failed"),
            (500, PAGE, "failed"),
            (503, "", "failed"),
        ],
    )
    .await;
}

#[tokio::test]
async fn decolecta_is_read_by_its_table() {
    let number = ruc(1).to_string();
    for (api, number_field, name_field) in [
        (ApiKind::Decolecta, "numero_documento", "razon_social"),
        (ApiKind::ApisNetPe, "numeroDocumento", "razonSocial"),
    ] {
        let of = |number: &str| format!(r#"{{"{number_field}":"{number}","{name_field}":"UNO"}}"#);
        check(
            api,
            &[
                (200, &of(&number), "found"),
                (200, &of("20131312955"), "failed"),
                (200, &format!(r#"{{"{name_field}":"UNO"}}"#), "failed"),
                (200, r#"{"message":"RUC no encontrado"}"#, "failed"),
                (200, PAGE, "denied"),
                (404, r#"{"message":"RUC no encontrado"}"#, "not_found"),
                (404, r#"{"error":"ruc not found"}"#, "not_found"),
                (422, r#"{"message":"El RUC no existe"}"#, "not_found"),
                (404, r#"{"message":"Not Found"}"#, "failed"),
                (404, r#"{"message":"Endpoint no encontrado"}"#, "failed"),
                (404, r#"{"message":"Cannot GET /v1","error":"Not Found"}"#, "failed"),
                (404, r#"{"message":"Token no encontrado"}"#, "denied"),
                (404, "", "failed"),
                (422, r#"{"message":"ruc no valido"}"#, "failed"),
                (400, r#"{"message":"Bad request"}"#, "failed"),
                (401, r#"{"message":"Apikey Required, Limit Exceeded"}"#, "denied"),
                (403, "", "denied"),
                (401, r#"{"message":"Cuota mensual superada"}"#, "quota_exhausted"),
                (402, "{}", "quota_exhausted"),
                (429, "{}", "rate_limited"),
                (500, "", "failed"),
                (502, PAGE, "failed"),
            ],
        )
        .await;
    }
}

#[tokio::test]
async fn apiperu_is_read_by_its_table() {
    let number = ruc(1).to_string();
    let of = |number: &str| {
        format!(
            r#"{{"success":true,"data":{{"ruc":"{number}","nombre_o_razon_social":"UNO","ubigeo":[null,null,null]}}}}"#
        )
    };
    let said = |message: &str| format!(r#"{{"success":false,"message":"{message}"}}"#);
    check(
        ApiKind::Apiperu,
        &[
            (200, &of(&number), "found"),
            (200, &of("20131312955"), "failed"),
            (200, r#"{"success":true}"#, "failed"),
            (200, r#"{"success":true,"data":[]}"#, "failed"),
            (200, &said("No se encontraron registros"), "not_found"),
            (404, &said("No se encontraron registros"), "not_found"),
            (200, &said("Token no encontrado"), "denied"),
            (200, &said("Cuota agotada"), "quota_exhausted"),
            (200, &said("Servicio no disponible"), "failed"),
            (200, r#"{"success":false}"#, "failed"),
            (200, PAGE, "denied"),
            (404, r#"{"message":"Not Found"}"#, "failed"),
            (401, r#"{"message":"Unauthenticated."}"#, "denied"),
            (403, "", "denied"),
            (422, r#"{"success":false,"message":"ruc inválido"}"#, "failed"),
            (429, r#"{"message":"Too Many Attempts."}"#, "rate_limited"),
            (500, "", "failed"),
        ],
    )
    .await;
}

#[tokio::test]
async fn ways_that_break_are_failures() {
    for (fault, expected) in [
        (ProviderFault::Truncated, Cause::Failed),
        (ProviderFault::Cut, Cause::Failed),
        (ProviderFault::WrongItem, Cause::Failed),
        (ProviderFault::Hang, Cause::Timeout),
        (ProviderFault::Html, Cause::Denied),
    ] {
        for api in ApiKind::ALL {
            let setting = Setting::new(api);
            setting.fake.set_fault(Some(fault.clone()));
            let answer = setting.source.lookup(ruc(1)).await;
            assert_eq!(label(&answer), expected.as_str(), "{api:?}: {fault:?}");
        }
    }
}

#[tokio::test]
async fn records_of_every_api_become_one_form() {
    for api in ApiKind::ALL {
        let setting = Setting::new(api);
        let Answer::Found { record, .. } = setting.source.lookup(ruc(7)).await else {
            panic!("{api:?} has it");
        };
        assert_eq!(record.ruc(), ruc(7), "{api:?}");
        let name = format!("EMPRESA DE PRUEBA {}", ruc(7));
        assert_eq!(record.nombre_o_razon_social(), Some(name.as_str()), "{api:?}");
        assert_eq!(record.estado_del_contribuyente(), Some("ACTIVO"), "{api:?}");
        assert_eq!(record.condicion_de_domicilio(), Some("HABIDO"), "{api:?}");
        assert_eq!(record.ubigeo(), Some("150101"), "{api:?}");
        assert_eq!(record.departamento(), Some("LIMA"), "{api:?}");
        assert!(record.direccion().is_some_and(|text| text.starts_with("AV. LIMA")), "{api:?}");
        assert_eq!(record.interior(), None, "{api:?}");
        let extra = record.extra();
        assert!(!extra.contains_key("success") && !extra.contains_key("message"), "{api:?}");
    }
}

#[tokio::test]
async fn fields_of_one_api_alone_are_kept() {
    let setting = Setting::new(ApiKind::Decolecta);
    let Answer::Found { record, .. } = setting.source.lookup(ruc(7)).await else {
        panic!("it is there");
    };
    assert_eq!(record.tipo_de_via(), Some("AV."));
    assert_eq!(record.nombre_de_via(), Some("LIMA"));
    assert_eq!(record.extra()["es_buen_contribuyente"], true);
    let setting = Setting::new(ApiKind::Migo);
    let Answer::Found { record, .. } = setting.source.lookup(ruc(7)).await else {
        panic!("it is there");
    };
    assert_eq!(record.actualizado_en(), Some("2026-01-28 05:12:00"));
    assert_eq!(record.extra_json(), None);
}

#[tokio::test]
async fn number_that_does_not_exist_is_not_found_at_every_api() {
    for api in ApiKind::ALL {
        let setting = Setting::new(api);
        setting.fake.remove(&ruc(7).to_string());
        assert_eq!(setting.source.lookup(ruc(7)).await, Answer::NotFound, "{api:?}");
        setting.fake.restore(&ruc(7).to_string());
        assert_eq!(label(&setting.source.lookup(ruc(7)).await), "found", "{api:?}");
    }
}

#[tokio::test]
async fn absence_binds_only_as_far_as_the_source_is_an_authority() {
    let setting = Setting::with(ApiKind::Decolecta, |config| {
        config.coverage = rucache_ruc::Coverage::Partial;
    });
    setting.fake.remove(&ruc(7).to_string());
    assert_eq!(setting.source.lookup(ruc(7)).await, Answer::NotCovered);
}

#[tokio::test]
async fn token_that_comes_back_in_a_record_is_no_part_of_it() {
    let setting = Setting::new(ApiKind::Migo);
    let token = ProviderFake::TOKEN;
    let body = format!(
        r#"{{"success":true,"ruc":"{}","estado_del_contribuyente":"ACTIVO","ubigeo":"150101",
            "token":"{token}","usuario":{{"token":"{token}"}},"plan":"x"}}"#,
        ruc(1)
    );
    setting.fake.set_fault(Some(ProviderFault::Body(200, body)));
    let Answer::Found { record, .. } = setting.source.lookup(ruc(1)).await else {
        panic!("it is a record")
    };
    let json = serde_json::to_string(&*record).unwrap();
    assert!(!json.contains(token) && json.contains(r#""plan":"x""#), "{json}");
}
