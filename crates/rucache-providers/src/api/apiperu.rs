//! apiperu.dev: GET with a bearer token; an envelope says whether there is data in it.

use rucache_ruc::{Field, Ruc, Taxpayer};
use serde_json::Value;

use super::Api;
use super::record::Layout;
use super::table::{Body, Expected, Means, Row, SPENT, UNKNOWN_TOKEN, judge, row};
use crate::fault::{Fault, Verdict};
use crate::http::{Request, Response};
use crate::secret::Secret;

/// Failures come with status 200 too, told apart by their message alone.
const TABLE: &[Row] = &[
    row(200..=200, Body::Expected, Means::Answer),
    row(200..=200, SPENT, Means::Fault(Fault::QuotaGone)),
    row(200..=200, UNKNOWN_TOKEN, Means::Fault(Fault::Denied)),
    row(404..=404, UNKNOWN_TOKEN, Means::Fault(Fault::Denied)),
    row(200..=200, Body::Absent, Means::NotFound),
    row(404..=404, Body::Absent, Means::NotFound),
];

const RECORD: Layout = Layout {
    number: &["ruc", "numero"],
    renamed: &[
        ("estado", Field::EstadoDelContribuyente),
        ("condicion", Field::CondicionDeDomicilio),
        ("direccion", Field::DireccionSimple),
        ("direccion_completa", Field::Direccion),
    ],
    // The last of `ubigeo`, once more.
    dropped: &["ubigeo_sunat"],
};

pub(crate) struct ApiPeru {
    token: Secret,
}

impl ApiPeru {
    pub(crate) const fn new(token: Secret) -> Self {
        Self { token }
    }
}

impl Api for ApiPeru {
    fn single(&self, ruc: Ruc) -> Request {
        Request::get(format!("/api/ruc/{ruc}"), &self.token)
    }

    fn read_single(&self, ruc: Ruc, response: &Response) -> Verdict<Taxpayer> {
        let Some(envelope) = judge(TABLE, Expected::Success, response)? else { return Ok(None) };
        RECORD.record(ruc, envelope.get("data").unwrap_or(&Value::Null), &self.token).map(Some)
    }
}
