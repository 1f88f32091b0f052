//! `rucache bulk` and `warm`.

use std::path::PathBuf;

use super::program::{Run, Service, file, rucache};

const SUNAT: &str = "20131312955";

/// A path that nothing stands at.
fn fresh(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_file(&path);
    path
}

fn read(path: &PathBuf) -> String {
    std::fs::read_to_string(path).expect("the output")
}

fn bulk(arguments: &[&str]) -> Run {
    rucache(&[&["bulk"], arguments].concat()).run()
}

#[test]
fn table_of_numbers_becomes_a_table_of_records() {
    let input = file("clientes.csv", "nombre,ruc\nSUNAT,20-13131295-5\nx,20131312956\n");
    let output = fresh("registros.csv");
    let run = bulk(&[&input.display().to_string(), "--output", &output.display().to_string()]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(11), ""), "{run:?}");
    let text = read(&output);
    let rows: Vec<_> = text.lines().collect();
    assert_eq!(rows.len(), 3);
    assert!(rows[0].starts_with("ruc,outcome,cache,fit_for_factura,nombre_o_razon_social,"));
    assert!(rows[1].starts_with("20131312955,found,miss,true,SUPERINTENDENCIA "), "{}", rows[1]);
    assert!(rows[2].starts_with("20131312956,invalid,,,"), "{}", rows[2]);
    assert!(run.stderr.contains("2 numbers in ") && run.stderr.contains("1 found, 0 not found, 1"));
    assert!(run.stderr.contains("\nrucache: batch "), "{}", run.stderr);
}

#[test]
fn lines_of_json_go_through_a_service_with_their_hits() {
    let service = Service::start();
    let lines = format!("{{\"ruc\":\"{SUNAT}\"}}\n\"{SUNAT}\"\n{SUNAT}\n");
    let input = file("clientes.ndjson", lines).display().to_string();
    let ask = || bulk(&[&input, "--server", &service.url, "--json"]);
    let first = ask();
    assert_eq!(first.code, Some(0), "{first:?}");
    let answers: Vec<serde_json::Value> =
        first.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(answers.len(), 3);
    assert!(answers.iter().all(|answer| answer["record"]["ruc"] == SUNAT));
    let summary: serde_json::Value = serde_json::from_str(&ask().stderr).expect("JSON");
    assert_eq!((&summary["hits"], &summary["misses"]), (&3.into(), &0.into()));
    // The batch left its record under the name that the summary tells.
    let name = summary["batches"][0].as_str().expect("a name");
    let url = format!("{}/v1/batches/{name}", service.url);
    let record = ureq::get(url).call().expect("an answer").body_mut().read_to_string();
    let record: serde_json::Value = serde_json::from_str(&record.expect("text")).expect("JSON");
    assert_eq!((&record["status"], &record["total"]), (&"done".into(), &3.into()));
}

#[test]
fn interrupted_run_is_taken_up_where_it_broke_off() {
    let numbers = [SUNAT, "20000000001", "20131312956", SUNAT];
    let input = file("resumed.csv", format!("ruc\n{}\n", numbers.join("\n")));
    let input = input.display().to_string();
    for name in ["resumed.out.csv", "resumed.out.ndjson"] {
        let output = fresh(name);
        let path = output.display().to_string();
        bulk(&[&input, "--output", &path]);
        let whole = read(&output);
        // Two answers are whole, and the third is cut in the middle.
        let header = usize::from(name.ends_with("csv"));
        let end: usize = whole.split_inclusive('\n').take(2 + header).map(str::len).sum();
        std::fs::write(&output, &whole[..end + 7]).expect("written");
        let refused = bulk(&[&input, "--output", &path]);
        assert_eq!(refused.code, Some(1));
        assert!(refused.stderr.contains("--resume"), "{}", refused.stderr);
        let resumed = bulk(&[&input, "--output", &path, "--resume"]);
        assert_eq!(resumed.code, Some(11), "{resumed:?}");
        assert!(
            resumed.stderr.contains("2 numbers in ") && resumed.stderr.contains("2 were answered")
        );
        let outcomes = |text: &str| text.replace("hit", "miss");
        assert_eq!(outcomes(&read(&output)), outcomes(&whole));
        let again = bulk(&[&input, "--output", &path, "--resume"]);
        assert_eq!((again.code, read(&output).len()), (Some(0), whole.len()));
    }
}

#[test]
fn more_numbers_than_a_request_takes_are_several_batches() {
    let lines = vec![SUNAT; 10_003].join("\n");
    let input = file("many.csv", lines).display().to_string();
    let run = bulk(&[&input, "--id", "enero"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_eq!(run.stdout.lines().count(), 10_004);
    assert!(run.stderr.contains("rucache: batch enero.2\n"), "{}", run.stderr);
}

#[test]
fn file_that_cannot_be_read_is_told() {
    let run = bulk(&["none.csv"]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""));
    assert!(run.stderr.starts_with("rucache: cannot read none.csv: "), "{}", run.stderr);
    let input = file("columns.csv", "nombre,numero\na,b\n").display().to_string();
    assert!(bulk(&[&input]).stderr.contains("there is no column \"ruc\""));
}

#[test]
fn warming_fills_a_running_service() {
    let service = Service::start();
    let input = file("warm.csv", format!("ruc\n{SUNAT}\nx\n")).display().to_string();
    let warm = |arguments: &[&str]| {
        rucache(&[&["warm", "--server", &service.url, "--json"], arguments].concat()).run()
    };
    let run = warm(&["--file", &input]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!((&run.json()["loaded"], &run.json()["seen"]), (&1.into(), &1.into()));
    assert!(run.stderr.contains("1 texts are not RUCs"), "{}", run.stderr);
    let run = warm(&["--register", "--estado", "ACTIVO", "--max", "3"]);
    assert_eq!((&run.json()["stored"], &run.json()["stopped"]), (&3.into(), &"limit".into()));
    let looked_up = rucache(&["lookup", "--server", &service.url, SUNAT]).run();
    assert!(looked_up.stdout.contains("  hit "), "{}", looked_up.stdout);
}
