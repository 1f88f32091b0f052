//! What the look-up APIs say, in their own words.

use std::collections::HashSet;

use super::ProviderFake;
use super::http::Asked;

/// A page for people, where a program expects JSON.
pub(super) const PAGE: &str =
    "<!DOCTYPE html>\n<html lang=\"es\"><head><title>Iniciar sesión</title></head></html>";

/// The day whose rate is the latest, unless a test says.
const LATEST: &str = "2026-01-28";

/// Which API a fake speaks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProviderShape {
    /// MIGO, version 1.
    Migo,
    /// Decolecta.
    Decolecta,
    /// Decolecta's older form, in camelCase.
    ApisNetPe,
    /// apiperu.dev.
    Apiperu,
}

impl ProviderShape {
    /// Status and body of the answer to a question.
    pub(super) fn answer(
        self,
        asked: &Asked,
        removed: &HashSet<String>,
        unpublished: &HashSet<String>,
        latest: Option<&str>,
    ) -> (u16, String) {
        if !self.is_known(asked) {
            return self.stranger();
        }
        let numbers = asked.numbers();
        let first = numbers.first().filter(|number| !removed.contains(*number));
        let day = asked.day().unwrap_or_else(|| latest.unwrap_or(LATEST).to_owned());
        let is_published = !unpublished.contains(&day);
        match (self, asked.method.as_str(), asked.path()) {
            (Self::Migo, "POST", "/api/v1/ruc/collection") => {
                let there = numbers.iter().filter(|number| !removed.contains(*number));
                let items: Vec<String> = there.map(|number| migo_record(number)).collect();
                (200, format!("[{}]", items.join(",")))
            }
            (Self::Migo, "POST", "/api/v1/ruc") => self.found(first.map(|number| migo_record(number))),
            (Self::Migo, "POST", "/api/v1/exchange/latest" | "/api/v1/exchange/date") => {
                self.found(is_published.then(|| {
                    format!(
                        r#"{{"success":true,"fecha":"{day}","moneda":"USD","precio_compra":"3.740","precio_venta":"3.752"}}"#
                    )
                }))
            }
            (Self::Migo, "POST", "/api/v1/account") => (
                200,
                format!(
                    r#"{{"success":true,"plan":"40000","consultas_disponibles":"39120","token":"{}"}}"#,
                    ProviderFake::TOKEN
                ),
            ),
            (Self::Decolecta, "GET", "/v1/sunat/ruc") => self.found(first.map(|number| snake_record(number))),
            (Self::Decolecta, "GET", "/v1/tipo-cambio/sunat") => {
                self.found(is_published.then(|| {
                    format!(
                        r#"{{"buy_price":"3.540","sell_price":"3.552","base_currency":"USD","quote_currency":"PEN","date":"{day}"}}"#
                    )
                }))
            }
            (Self::ApisNetPe, "GET", "/v2/sunat/ruc") => self.found(first.map(|number| camel_record(number))),
            (Self::ApisNetPe, "GET", "/v2/sunat/tipo-cambio") => {
                self.found(is_published.then(|| {
                    format!(
                        r#"{{"precioCompra":3.540,"precioVenta":3.552,"moneda":"USD","fecha":"{day}"}}"#
                    )
                }))
            }
            (Self::Apiperu, "GET", path) if path.starts_with("/api/ruc/") => {
                self.found(first.map(|number| enveloped_record(number)))
            }
            _ => (404, PAGE.to_owned()),
        }
    }

    /// Whether the question comes with the right token, at the right place.
    fn is_known(self, asked: &Asked) -> bool {
        match self {
            Self::Migo => asked.body.contains(&format!(r#""token":"{}""#, ProviderFake::TOKEN)),
            _ => {
                asked.authorization.as_deref() == Some(&*format!("Bearer {}", ProviderFake::TOKEN))
            }
        }
    }

    /// What somebody is told whose token is not known.
    fn stranger(self) -> (u16, String) {
        match self {
            Self::Migo => (200, PAGE.to_owned()),
            _ => (401, self.refusal(401)),
        }
    }

    fn found(self, record: Option<String>) -> (u16, String) {
        match (record, self) {
            (Some(record), _) => (200, record),
            (None, Self::Apiperu) => (200, self.refusal(404)),
            (None, _) => (404, self.refusal(404)),
        }
    }

    /// The body that comes with a status of refusal.
    pub(super) fn refusal(self, status: u16) -> String {
        let message = match status {
            401 | 403 => "No autorizado: el token no es válido",
            404 => "No se encontraron registros",
            422 => "El campo ruc no tiene el formato correcto",
            429 => "Demasiadas solicitudes",
            _ => "Error interno",
        };
        match self {
            Self::Migo | Self::Apiperu => format!(r#"{{"success":false,"message":"{message}"}}"#),
            _ => format!(r#"{{"message":"{message}"}}"#),
        }
    }
}

fn migo_record(number: &str) -> String {
    format!(
        r#"{{"success":true,"ruc":"{number}","nombre_o_razon_social":"EMPRESA DE PRUEBA {number}","estado_del_contribuyente":"ACTIVO","condicion_de_domicilio":"HABIDO","ubigeo":"150101","tipo_de_via":"AV.","nombre_de_via":"LIMA","codigo_de_zona":"-","tipo_de_zona":"-","numero":"10","interior":"-","lote":"-","dpto":"-","manzana":"-","kilometro":"-","distrito":"LIMA","provincia":"LIMA","departamento":"LIMA","direccion_simple":"AV. LIMA NRO. 10","direccion":"AV. LIMA NRO. 10 LIMA - LIMA - LIMA","actualizado_en":"2026-01-28 05:12:00"}}"#
    )
}

fn snake_record(number: &str) -> String {
    format!(
        r#"{{"razon_social":"EMPRESA DE PRUEBA {number}","numero_documento":"{number}","estado":"ACTIVO","condicion":"HABIDO","direccion":"AV. LIMA NRO. 10","ubigeo":"150101","via_tipo":"AV.","via_nombre":"LIMA","zona_codigo":"-","zona_tipo":"-","numero":"10","interior":"-","lote":"-","dpto":"-","manzana":"-","kilometro":"-","distrito":"LIMA","provincia":"LIMA","departamento":"LIMA","es_agente_retencion":false,"es_buen_contribuyente":true,"locales_anexos":null}}"#
    )
}

fn camel_record(number: &str) -> String {
    format!(
        r#"{{"razonSocial":"EMPRESA DE PRUEBA {number}","tipoDocumento":"6","numeroDocumento":"{number}","estado":"ACTIVO","condicion":"HABIDO","direccion":"AV. LIMA NRO. 10","ubigeo":"150101","viaTipo":"AV.","viaNombre":"LIMA","zonaCodigo":"-","zonaTipo":"-","numero":"10","interior":"-","lote":"-","dpto":"-","manzana":"-","kilometro":"-","distrito":"LIMA","provincia":"LIMA","departamento":"LIMA","EsAgenteRetencion":false}}"#
    )
}

fn enveloped_record(number: &str) -> String {
    format!(
        r#"{{"success":true,"data":{{"ruc":"{number}","nombre_o_razon_social":"EMPRESA DE PRUEBA {number}","direccion":"AV. LIMA NRO. 10","direccion_completa":"AV. LIMA NRO. 10, LIMA - LIMA - LIMA","estado":"ACTIVO","condicion":"HABIDO","departamento":"LIMA","provincia":"LIMA","distrito":"LIMA","ubigeo_sunat":"150101","ubigeo":["15","1501","150101"],"es_agente_de_retencion":"NO"}},"time":0.046,"source":"apiperu.dev"}}"#
    )
}
