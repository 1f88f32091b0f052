//! MIGO, version 1: everything is a POST of a JSON object that holds the token.

use std::num::NonZeroUsize;

use rucache_ruc::{Account, Currency, ExchangeRate, RateQuery, Ruc, Taxpayer};
use serde_json::{Map, Value, json};

use super::Api;
use super::rate::RateLayout;
use super::record::Layout;
use super::table::{Body, Expected, Means, Row, judge, row};
use crate::fault::Verdict;
use crate::http::{Request, Response};
use crate::secret::Secret;

const RUC: &str = "/api/v1/ruc";
const COLLECTION: &str = "/api/v1/ruc/collection";
const RATE_OF_DAY: &str = "/api/v1/exchange/date";
const LATEST_RATE: &str = "/api/v1/exchange/latest";
const ACCOUNT: &str = "/api/v1/account";

/// Numbers that a collection takes.
const BATCH: NonZeroUsize = NonZeroUsize::new(100).unwrap();

/// MIGO says `success` with everything but a collection; a 404 without it is another server's.
const TABLE: &[Row] = &[
    row(200..=200, Body::Expected, Means::Answer),
    row(404..=404, Body::Unsuccessful, Means::NotFound),
];

const RECORD: Layout = Layout { number: &["ruc"], renamed: &[], dropped: &["success", "message"] };

const RATE: RateLayout =
    RateLayout { day: "fecha", currency: "moneda", buy: "precio_compra", sell: "precio_venta" };

pub(crate) struct Migo {
    token: Secret,
}

impl Migo {
    pub(crate) const fn new(token: Secret) -> Self {
        Self { token }
    }

    fn ask(&self, path: &str, mut fields: Map<String, Value>) -> Request {
        fields.insert("token".to_owned(), self.token.expose().into());
        Request::post(path, &Value::Object(fields))
    }
}

fn fields(name: &str, value: Value) -> Map<String, Value> {
    Map::from_iter([(name.to_owned(), value)])
}

impl Api for Migo {
    fn single(&self, ruc: Ruc) -> Request {
        self.ask(RUC, fields("ruc", json!(ruc)))
    }

    fn read_single(&self, ruc: Ruc, response: &Response) -> Verdict<Taxpayer> {
        let answer = judge(TABLE, Expected::Success, response)?;
        answer.map(|json| RECORD.record(ruc, &json, &self.token)).transpose()
    }

    fn batch_limit(&self) -> NonZeroUsize {
        BATCH
    }

    fn collection(&self, rucs: &[Ruc]) -> Option<Request> {
        Some(self.ask(COLLECTION, fields("ruc", json!(rucs))))
    }

    fn read_collection(&self, rucs: &[Ruc], response: &Response) -> Verdict<Vec<Taxpayer>> {
        let Some(json) = judge(TABLE, Expected::List, response)? else { return Ok(None) };
        let items = json.as_array().map(Vec::as_slice).unwrap_or_default();
        let record = |item: &Value| {
            let ruc = RECORD.number(item.as_object()?)?;
            let refused = item.get("success") == Some(&Value::Bool(false));
            (rucs.contains(&ruc) && !refused)
                .then(|| RECORD.record(ruc, item, &self.token).ok())
                .flatten()
        };
        Ok(Some(items.iter().filter_map(record).collect()))
    }

    fn rate(&self, query: RateQuery) -> Option<Request> {
        // The rate of SUNAT, which is the dollar's.
        if query.currency != Currency::Usd {
            return None;
        }
        Some(match query.day {
            Some(day) => self.ask(RATE_OF_DAY, fields("fecha", json!(day.to_string()))),
            None => self.ask(LATEST_RATE, Map::new()),
        })
    }

    fn read_rate(&self, query: RateQuery, response: &Response) -> Verdict<ExchangeRate> {
        match judge(TABLE, Expected::Success, response)? {
            Some(_) => RATE.read(query, response),
            None => Ok(None),
        }
    }

    fn account(&self) -> Option<Request> {
        Some(self.ask(ACCOUNT, Map::new()))
    }

    fn read_account(&self, response: &Response) -> Verdict<Account> {
        let Some(Value::Object(mut fields)) = judge(TABLE, Expected::Success, response)? else {
            return Ok(None);
        };
        fields.retain(|name, value| name != "success" && !self.token.stands_in(value));
        Ok(Some(Account(fields)))
    }
}
