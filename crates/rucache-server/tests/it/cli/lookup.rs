//! `rucache lookup`, with a backend of its own and through a service.

use serde_json::json;

use super::fake;
use super::program::{Run, Service, file, rucache};

const SUNAT: &str = "20131312955";
/// A number outside the sample.
const OUTSIDE: &str = "20100070970";
/// BAJA DEFINITIVA in the sample.
const CLOSED: &str = "20000000001";

const TABLE: &str = "\
RUC          OUTCOME      CACHE  FACTURA     ESTADO           CONDICIÓN  NAME OR REASON
20131312955  found        miss   yes         ACTIVO           HABIDO     SUPERINTENDENCIA NACIONAL \
    DE ADUANAS Y DE ADMINISTRACION TRIBUTARIA - SUNAT
20131312956  not a RUC    -      -           -                -          check_digit: the last \
    digit must be 5; check the number for a typing error
20100070970  unavailable  -      -           -                -          not_covered: the source \
    of look-ups cannot know this number
20000000001  found        miss   no: estado  BAJA DEFINITIVA  HABIDO     ALMACENES ESTRELLA DEL \
    NORTE DE MUESTRA 000000 S.A.
";

const NOT_COVERED: &str = "rucache: note: the source does not cover every number; set \
     RUCACHE_MIGO_TOKEN to ask MIGO, or source.register to SUNAT's register\n";

/// Looks `numbers` up in the sample, taken as the whole register; `name` is that of its file.
fn look_up_in_whole_register(name: &str, numbers: &[&str]) -> Run {
    let register = file(name, rucache::padron::SAMPLE_ZIP).display().to_string();
    rucache(&[&["lookup"][..], numbers].concat())
        .env("RUCACHE_SOURCE_REGISTER", &register)
        .env("RUCACHE_SOURCE_COVERAGE", "full")
        .run()
}

#[test]
fn table_keeps_the_order_of_the_numbers() {
    let run = rucache(&["lookup", SUNAT, "20131312956", OUTSIDE, CLOSED]).run();
    assert_eq!(run.stdout, TABLE);
    assert_eq!((run.code, run.stderr.as_str()), (Some(12), NOT_COVERED));
}

#[test]
fn a_service_answers_as_an_own_backend_does() {
    let service = Service::start();
    let numbers = [SUNAT, "20131312956", OUTSIDE, CLOSED];
    let ask = || {
        let arguments = [&["lookup", "--server", &service.url][..], &numbers].concat();
        rucache(&arguments).run()
    };
    let first = ask();
    assert_eq!(first.stdout, TABLE);
    assert_eq!((first.code, first.stderr.as_str()), (Some(12), NOT_COVERED));
    assert_eq!(ask().stdout, TABLE.replace("miss", "hit "));
}

#[test]
fn json_is_the_same_from_a_service_and_from_an_own_backend() {
    let service = Service::start();
    let arguments = ["lookup", "--json", CLOSED, " 20.131312955", "abc", OUTSIDE];
    let own = rucache(&arguments).run();
    let asked = rucache(&arguments).env("RUCACHE_SERVER", &service.url).run();
    let again = rucache(&arguments).env("RUCACHE_SERVER", &service.url).run();
    assert_eq!((own.code, own.stderr.as_str()), (Some(12), ""));
    let (own, mut asked) = (own.json(), asked.json());
    assert_eq!(
        own["counts"],
        json!({ "found": 2, "not_found": 0, "invalid": 1, "unavailable": 1 })
    );
    assert_eq!(own["results"][0]["impediments"], json!(["estado is BAJA DEFINITIVA, not ACTIVO"]));
    assert_eq!(own["results"][1]["input"], " 20.131312955");
    assert_eq!(own["results"][1]["ruc"], SUNAT);
    assert_eq!(own["results"][1]["fit_for_factura"], true);
    assert_eq!(own["results"][1]["record"]["ubigeo"], "150101");
    assert_eq!(
        own["results"][2],
        json!({ "input": "abc", "ruc": null, "outcome": "invalid", "rule": "length",
                "expected": null, "detail": "not a RUC: it must have 11 digits, not 3 characters" })
    );
    assert_eq!(
        own["results"][3],
        json!({ "input": OUTSIDE, "ruc": OUTSIDE, "outcome": "unavailable",
                "cause": "not_covered", "retry_after": null })
    );
    assert_eq!(asked, own);
    for found in 0..2 {
        asked["results"][found]["cache"] = json!("hit");
    }
    assert_eq!(again.json(), asked);
}

#[test]
fn exit_codes_tell_the_outcomes_apart() {
    let code = |numbers: &[&str]| look_up_in_whole_register("exit_codes.zip", numbers).code;
    assert_eq!(code(&[SUNAT, CLOSED]), Some(0));
    assert_eq!(code(&[SUNAT, OUTSIDE]), Some(10));
    assert_eq!(code(&["20131312956", OUTSIDE]), Some(11));
    let with_sample = |numbers: &[&str]| rucache(&[&["lookup"][..], numbers].concat()).run().code;
    assert_eq!(with_sample(&[SUNAT, "x"]), Some(11));
    assert_eq!(with_sample(&[OUTSIDE, "x"]), Some(12));
}

#[test]
fn absent_from_the_whole_register_is_not_found() {
    let run = look_up_in_whole_register("not_found.zip", &[OUTSIDE]);
    assert_eq!(
        run.stdout,
        "RUC          OUTCOME    CACHE  FACTURA  ESTADO  CONDICIÓN  NAME OR REASON\n\
         20100070970  not found  -      -        -       -          NO_EXISTE_SUNAT\n"
    );
    assert_eq!((run.code, run.stderr.as_str()), (Some(10), ""));
}

#[test]
fn numbers_come_from_standard_input_and_what_was_tidied_is_told() {
    let run =
        rucache(&["lookup"]).stdin("\u{feff}# clientes\r\n20-131312955\r\n\n 20131312955").run();
    assert_eq!(run.code, Some(0));
    assert_eq!(
        run.stderr,
        "rucache: note: read \"20-131312955\" as 20131312955, and 1 more like it\n"
    );
    let rows: Vec<_> = run.stdout.lines().skip(1).collect();
    assert_eq!(rows.len(), 2);
    assert!(rows.iter().all(|row| row.starts_with("20131312955  found")), "{rows:?}");
}

#[test]
fn a_list_longer_than_one_request_is_answered_whole_and_in_order() {
    let service = Service::start();
    // The sample holds the numbers of one low block in order.
    let rucs: Vec<String> = (2_000_000_000..2_000_002_500_u64)
        .map(|ten| format!("{ten}{}", rucache::ruc::Ruc::check_digit(ten)))
        .collect();
    let run = rucache(&["lookup", "--json", "--server", &service.url]).stdin(rucs.join("\n")).run();
    let document = run.json();
    let answered: Vec<_> = document["results"].as_array().expect("a list").iter().collect();
    assert_eq!(answered.len(), rucs.len());
    for (answer, ruc) in answered.iter().zip(&rucs) {
        assert_eq!(answer["ruc"], **ruc);
    }
    assert_eq!(document["counts"]["found"], 2_500);
}

#[test]
fn colours_are_for_terminals() {
    let run = |name, value| rucache(&["lookup", SUNAT]).env(name, value).run().stdout;
    assert!(run("CLICOLOR_FORCE", "1").contains("\u{1b}[32mfound\u{1b}[0m"));
    assert!(!run("NO_COLOR", "1").contains('\u{1b}'));
    assert!(!run("TERM", "xterm").contains('\u{1b}'));
}

#[test]
fn hostile_text_does_not_reach_the_terminal() {
    let run = rucache(&["lookup"]).stdin("\u{1b}]0;x\u{7}\n2013131295\u{ff}\n").run();
    assert_eq!(run.code, Some(11));
    assert!(!run.stdout.contains(['\u{1b}', '\u{7}']), "{:?}", run.stdout);
}

#[test]
fn a_service_that_is_not_there_is_one_line() {
    let url = fake::nobody();
    rucache(&["lookup", "--server", &url, SUNAT]).run().finds_nobody_at(&url);
}

#[test]
fn an_answer_that_is_none_of_ours_is_one_line() {
    let url = fake::answering("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
    rucache(&["lookup", "--server", &url, SUNAT]).run().fails(
        1,
        &format!("{url} answered with status 200: this is no answer of rucache; check the URL"),
    );
    let url = fake::answering(concat!(
        "HTTP/1.1 200 OK\r\nContent-Length: 109\r\n\r\n",
        r#"{"counts":{},"results":[{"ruc":"20100070970","outcome":"unavailable","type":"/problems/not-covered"}]}"#,
        "       ",
    ));
    rucache(&["lookup", "--server", &url, SUNAT])
        .run()
        .fails(1, &format!("{url} answered other numbers than asked for"));
}
