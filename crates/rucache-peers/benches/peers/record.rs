//! The record that is read, and the keys of all of them.

use hitbox_fn::CacheableResponse;
use serde::{Deserialize, Serialize};

/// Number of records: a working set beyond the processor's caches, without eviction.
pub(crate) const RECORDS: usize = 10_000;

/// How many entries a cache may hold.
pub(crate) const CAPACITY: usize = 2 * RECORDS;

/// A taxpayer, as plain as a user would declare it.
#[derive(Debug, Clone, Serialize, Deserialize, CacheableResponse)]
pub(crate) struct Taxpayer {
    pub(crate) ruc: String,
    nombre_o_razon_social: String,
    estado_del_contribuyente: String,
    condicion_de_domicilio: String,
    ubigeo: String,
    tipo_de_via: String,
    nombre_de_via: String,
    codigo_de_zona: String,
    tipo_de_zona: String,
    numero: String,
    distrito: String,
    provincia: String,
    departamento: String,
    direccion: String,
    actividad_economica: String,
}

/// The record at a place.
pub(crate) fn record(at: usize) -> Taxpayer {
    Taxpayer {
        ruc: ruc(at),
        nombre_o_razon_social: "COMERCIALIZADORA DE MUESTRA S.A.C.".into(),
        estado_del_contribuyente: "ACTIVO".into(),
        condicion_de_domicilio: "HABIDO".into(),
        ubigeo: "150101".into(),
        tipo_de_via: "AV.".into(),
        nombre_de_via: "DE LA MUESTRA".into(),
        codigo_de_zona: "URB.".into(),
        tipo_de_zona: "LOS EJEMPLOS".into(),
        numero: "1234".into(),
        distrito: "LIMA".into(),
        provincia: "LIMA".into(),
        departamento: "LIMA".into(),
        direccion: "AV. DE LA MUESTRA NRO. 1234 URB. LOS EJEMPLOS PISO 3 LIMA".into(),
        actividad_economica: "4690 - VENTA AL POR MAYOR NO ESPECIALIZADA".into(),
    }
}

/// Eleven digits; whether the last one checks is no matter here.
fn ruc(at: usize) -> String {
    format!("20{at:09}")
}

fn key(at: usize) -> String {
    format!("migo:ruc_{}", ruc(at))
}

/// The keys of all records, by place.
pub(crate) fn keys() -> Vec<String> {
    (0..RECORDS).map(key).collect()
}

/// The record of a key.
pub(crate) fn of_key(key: &str) -> Taxpayer {
    let at = key.strip_prefix("migo:ruc_20").and_then(|digits| digits.parse().ok());
    record(at.expect("a key of a record"))
}

/// The page says about 500 bytes.
pub(crate) fn check_len() {
    let len = serde_json::to_vec(&record(0)).expect("JSON").len();
    assert!((450..=550).contains(&len), "a record has {len} bytes as JSON");
}
