//! What look-ups would cost, without a call.

use rucache_testkit::{ProviderFake, ProviderShape};
use serde_json::json;

use super::stand::{Asker, asking, over, ruc};
use crate::cli::program::{Service, file, rucache};

fn numbers(count: u64) -> Vec<String> {
    (0..count).map(|index| ruc(index).to_string()).collect()
}

#[test]
fn calls_are_told_by_source_and_none_is_made() {
    let fake = ProviderFake::start(ProviderShape::Migo);
    let program = over(&fake, ProviderShape::Migo, &[]).env("RUCACHE_MIGO_PER_MONTH", "1000");
    let service = Service::of(program);
    let asker = Asker::of(&service);
    let rucs = numbers(250);
    asker.post("/v1/ruc:batch", &json!({ "rucs": &rucs[..40] }));
    let made = fake.calls().len();
    let mut asked = rucs.clone();
    asked.extend(["x".to_owned(), rucs[249].clone()]);
    let told = asker.post("/v1/ruc:batch?dry_run=true", &json!({ "rucs": asked })).json();
    let expected = json!({
        "total": 252, "invalid": 1, "cached": 40, "calls": 3,
        "sources": [{ "source": "migo", "numbers": 210, "calls": 3,
                      "month_remaining": 1_000 - made }],
    });
    assert_eq!(told, expected);
    assert_eq!(fake.calls().len(), made);
    // What was told comes true.
    let answer = asker.post("/v1/ruc:batch", &json!({ "rucs": asked })).json();
    assert_eq!(answer["counts"]["found"], 251);
    assert_eq!(fake.calls().len(), made + 3);
    let told = asker.post("/v1/ruc:batch?dry_run=1", &json!({ "rucs": [] }));
    assert_eq!(told.status, 400, "{}", told.body);
}

#[test]
fn register_answers_for_nothing_before_an_api_is_paid() {
    let register = file("quoted.zip", rucache::padron::SAMPLE_ZIP).display().to_string();
    let fake = ProviderFake::start(ProviderShape::Decolecta);
    let program = rucache(&["lookup", "--dry-run", "--json", "20131312955", &ruc(1).to_string()])
        .env("RUCACHE_SOURCE_REGISTER", &register)
        .env("RUCACHE_SOURCE_COVERAGE", "partial");
    let run = asking(program, &fake, ProviderShape::Decolecta).run();
    let sources = json!([{ "source": "register", "numbers": 1, "calls": 0 },
                         { "source": "decolecta", "numbers": 1, "calls": 1 }]);
    assert_eq!((run.code, &run.json()["sources"]), (Some(0), &sources), "{run:?}");
    assert!(fake.calls().is_empty());
}

#[test]
fn commands_say_what_they_would_cost() {
    let fake = ProviderFake::start(ProviderShape::Migo);
    let list = file("quoted.csv", format!("ruc\n{}\n", numbers(5_000).join("\n")));
    let bulk = |arguments: &[&str]| {
        let list = list.display().to_string();
        asking(rucache(&[&["bulk", &list], arguments].concat()), &fake, ProviderShape::Migo).run()
    };
    let run = bulk(&["--dry-run"]);
    assert_eq!(
        run.stdout,
        "5000 numbers: 0 not a RUC, 0 answered by the cache; about 50 calls for the others\n\
         SOURCE  NUMBERS  CALLS  LEFT THIS MONTH\n\
         migo    5000     50     -\n"
    );
    assert_eq!((run.code, fake.calls().len()), (Some(0), 0));
    // And so many they are.
    let run = bulk(&["--json"]);
    let calls: Vec<usize> = fake.calls().iter().map(|call| call.numbers.len()).collect();
    assert_eq!(calls, [100; 50], "{}", run.stderr);
    assert_eq!((run.code, run.stdout.lines().count()), (Some(0), 5_001));
}
