//! The OpenAPI document as a contract: whether it is one, and whether an answer keeps to it.

use std::collections::BTreeMap;

use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::Value;

use super::client::Response;
use super::service::Service;

/// Where the OpenAPI Initiative publishes its schema of documents.
const OPENAPI: &str = "https://spec.openapis.org/oas/3.1/schema/2022-10-07";

/// Where the document would be.
const DOCUMENT: &str = "https://rucache.example/openapi.json";

/// Schemas that are compiled.
pub(super) struct Contract {
    pub(super) document: Value,
    schemas: Schemas,
    by_name: BTreeMap<String, SchemaIndex>,
}

impl Contract {
    /// The document of `service`; every schema in it is one.
    pub(super) async fn of(service: &Service) -> Self {
        let document = service.get("/openapi.json").await.json();
        let (mut compiler, mut schemas) = (Compiler::new(), Schemas::new());
        compiler.enable_format_assertions();
        compiler.add_resource(DOCUMENT, document.clone()).expect("a resource");
        let names = document["components"]["schemas"].as_object().expect("schemas").keys();
        let compiled = names.map(|name| {
            let place = format!("{DOCUMENT}#/components/schemas/{name}");
            let schema = compiler.compile(&place, &mut schemas);
            (name.clone(), schema.unwrap_or_else(|error| panic!("{name}: {error:#}")))
        });
        let by_name = compiled.collect();
        Self { document, schemas, by_name }
    }

    /// Asserts that the document is an OpenAPI document.
    pub(super) fn is_valid(&self) {
        let schema = include_str!("openapi/schema-3.1.json");
        let schema: Value = serde_json::from_str(schema).expect("JSON");
        let (mut compiler, mut schemas) = (Compiler::new(), Schemas::new());
        compiler.add_resource(OPENAPI, schema).expect("a resource");
        let index = compiler.compile(OPENAPI, &mut schemas).expect("a schema");
        if let Err(wrong) = schemas.validate(&self.document, index) {
            panic!("the document is none: {wrong:#}");
        }
    }

    /// What of the contract `answer` to `verb` on `path` breaks, if anything.
    pub(super) fn breach(&self, path: &str, verb: &str, answer: &Response) -> Option<String> {
        let responses = &self.document["paths"][path][verb]["responses"];
        let Some(response) = responses.get(answer.status.to_string()) else {
            return Some(format!("status {} is not documented", answer.status));
        };
        let kind = answer.header("content-type").unwrap_or_default();
        let Some(types) = response["content"].as_object() else {
            return (!answer.body.is_empty()).then(|| "a body is not documented".to_owned());
        };
        let Some(content) = types.get(kind) else {
            return Some(format!("the type {kind:?} is not documented for {}", answer.status));
        };
        let name = content["schema"]["$ref"].as_str()?.rsplit('/').next()?;
        let index = *self.by_name.get(name)?;
        let documents: Vec<Value> = match kind {
            "application/x-ndjson" => answer.body.lines().map(json).collect(),
            kind if kind.ends_with("json") => vec![json(&answer.body)],
            _ => vec![Value::String(answer.body.clone())],
        };
        let wrong = documents.iter().find_map(|one| self.schemas.validate(one, index).err())?;
        Some(format!("the body is no {name}: {wrong:#}"))
    }
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}
