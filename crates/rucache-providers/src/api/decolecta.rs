//! Decolecta, and the same API under its older name: GET with a bearer token, no envelope.

use rucache_ruc::{Currency, ExchangeRate, Field, RateQuery, Ruc, Taxpayer};

use super::Api;
use super::rate::RateLayout;
use super::record::Layout;
use super::table::{Body, Expected, Means, Row, UNKNOWN_TOKEN, judge, row};
use crate::fault::{Fault, Verdict};
use crate::http::{Request, Response};
use crate::secret::Secret;

/// A success is known by its fields. Its users read 404 and 422 differently: only one that says in
/// words that there is no such number makes an absence.
const TABLE: &[Row] = &[
    row(200..=200, Body::Expected, Means::Answer),
    row(404..=404, UNKNOWN_TOKEN, Means::Fault(Fault::Denied)),
    row(422..=422, UNKNOWN_TOKEN, Means::Fault(Fault::Denied)),
    row(404..=404, Body::Absent, Means::NotFound),
    row(422..=422, Body::Absent, Means::NotFound),
];

const SNAKE: Form = Form {
    lookup: "/v1/sunat/ruc?numero=",
    rate: "/v1/tipo-cambio/sunat",
    number: "numero_documento",
    record: Layout {
        number: &["numero_documento"],
        renamed: &[
            ("razon_social", Field::NombreORazonSocial),
            ("estado", Field::EstadoDelContribuyente),
            ("condicion", Field::CondicionDeDomicilio),
            ("via_tipo", Field::TipoDeVia),
            ("via_nombre", Field::NombreDeVia),
            ("zona_codigo", Field::CodigoDeZona),
            ("zona_tipo", Field::TipoDeZona),
        ],
        dropped: &["tipo_documento"],
    },
    rates: RateLayout {
        day: "date",
        currency: "base_currency",
        buy: "buy_price",
        sell: "sell_price",
    },
};

const CAMEL: Form = Form {
    lookup: "/v2/sunat/ruc?numero=",
    rate: "/v2/sunat/tipo-cambio",
    number: "numeroDocumento",
    record: Layout {
        number: &["numeroDocumento"],
        renamed: &[
            ("razonSocial", Field::NombreORazonSocial),
            // What the first version called it, and some accounts still get.
            ("nombre", Field::NombreORazonSocial),
            ("estado", Field::EstadoDelContribuyente),
            ("condicion", Field::CondicionDeDomicilio),
            ("viaTipo", Field::TipoDeVia),
            ("viaNombre", Field::NombreDeVia),
            ("zonaCodigo", Field::CodigoDeZona),
            ("zonaTipo", Field::TipoDeZona),
        ],
        dropped: &["tipoDocumento"],
    },
    rates: RateLayout {
        day: "fecha",
        currency: "moneda",
        buy: "precioCompra",
        sell: "precioVenta",
    },
};

/// How one of the two writes.
struct Form {
    lookup: &'static str,
    rate: &'static str,
    /// The field that marks a record.
    number: &'static str,
    record: Layout,
    rates: RateLayout,
}

pub(crate) struct Decolecta {
    form: &'static Form,
    token: Secret,
}

impl Decolecta {
    /// The API under its present name.
    pub(crate) const fn snake(token: Secret) -> Self {
        Self { form: &SNAKE, token }
    }

    /// The API under its older name.
    pub(crate) const fn camel(token: Secret) -> Self {
        Self { form: &CAMEL, token }
    }
}

impl Api for Decolecta {
    fn single(&self, ruc: Ruc) -> Request {
        Request::get(format!("{}{ruc}", self.form.lookup), &self.token)
    }

    fn read_single(&self, ruc: Ruc, response: &Response) -> Verdict<Taxpayer> {
        let answer = judge(TABLE, Expected::Field(self.form.number), response)?;
        answer.map(|json| self.form.record.record(ruc, &json, &self.token)).transpose()
    }

    fn rate(&self, query: RateQuery) -> Option<Request> {
        // The rate of SUNAT, which is the dollar's.
        if query.currency != Currency::Usd {
            return None;
        }
        let path = match query.day {
            Some(day) => format!("{}?date={day}", self.form.rate),
            None => self.form.rate.to_owned(),
        };
        Some(Request::get(path, &self.token))
    }

    fn read_rate(&self, query: RateQuery, response: &Response) -> Verdict<ExchangeRate> {
        match judge(TABLE, Expected::Field(self.form.rates.buy), response)? {
            Some(_) => self.form.rates.read(query, response),
            None => Ok(None),
        }
    }
}
