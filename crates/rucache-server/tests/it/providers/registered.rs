//! A number that is registered after it was found not to exist.

use rucache_testkit::{ProviderFake, ProviderShape};
use serde_json::json;

use super::stand::{Asker, over, ruc};
use crate::cli::program::Service;

#[test]
fn event_lets_a_new_number_appear_at_once() {
    let fake = ProviderFake::start(ProviderShape::Migo);
    let service = Service::of(over(&fake, ProviderShape::Migo, &[]));
    let (asker, number) = (Asker::of(&service), ruc(1));
    fake.remove(&number.to_string());
    let told = asker.lookup(number);
    assert_eq!((told.status, &told.json()["type"]), (404, &json!("/problems/ruc-not-found")));
    fake.restore(&number.to_string());
    assert_eq!(asker.lookup(number).status, 404);
    assert_eq!(fake.calls().len(), 1, "the verdict is remembered");
    let event = json!({ "entity": "ruc", "action": "added", "key": number });
    assert_eq!(asker.post("/v1/events", &event).status, 200);
    let told = asker.lookup(number);
    assert_eq!((told.status, told.source.as_str()), (200, "migo"));
    assert_eq!(asker.get("/v1/invalid-rucs").json()["total_count"], 0);
}
