//! The numbers of a file.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use rucache::ruc::Ruc;
use serde_json::Value;

use super::Form;
use crate::cli::exit::Failure;

/// The numbers, as they are asked for.
#[derive(Debug)]
pub(super) struct Input {
    pub(super) numbers: Vec<String>,
}

impl Input {
    /// The numbers that stand under `column` of `file`.
    pub(super) fn read(file: &Path, form: Form, column: &str) -> Result<Self, Failure> {
        let source: Box<dyn Read> = if file == Path::new("-") {
            Box::new(std::io::stdin().lock())
        } else {
            let opened = File::open(file).map_err(|error| {
                Failure::new(format!("cannot read {}: {error}", file.display()))
            })?;
            Box::new(opened)
        };
        let source = BufReader::new(source);
        let numbers = match form {
            Form::Csv => csv(source, column),
            Form::Ndjson => ndjson(source, column),
        };
        match numbers {
            Ok(numbers) => Ok(Self { numbers }),
            Err(text) => Err(Failure::new(format!("{}: {text}", file.display()))),
        }
    }
}

fn csv(source: impl Read, column: &str) -> Result<Vec<String>, String> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(source);
    let mut numbers = Vec::new();
    let mut place = 0;
    for (at, row) in reader.byte_records().enumerate() {
        let row = row.map_err(|error| error.to_string())?;
        if at == 0 {
            let is_column = |cell: &[u8]| text(cell).eq_ignore_ascii_case(column);
            match row.iter().position(is_column) {
                Some(found) => {
                    place = found;
                    continue;
                }
                // A first line without a number is a header all the same.
                None if row.iter().any(|cell| text(cell).parse::<Ruc>().is_ok()) => {}
                None if row.len() > 1 => {
                    return Err(format!("there is no column {column:?}; name one with --column"));
                }
                None if !row.iter().any(|cell| cell.iter().any(u8::is_ascii_digit)) => continue,
                None => {}
            }
        }
        let cell = row.get(place).map(text).unwrap_or_default();
        if !(cell.is_empty() && row.len() <= 1) {
            numbers.push(tidied(&cell));
        }
    }
    Ok(numbers)
}

fn ndjson(source: impl BufRead, member: &str) -> Result<Vec<String>, String> {
    let mut numbers = Vec::new();
    for (at, line) in source.lines().enumerate() {
        let line = line.map_err(|error| error.to_string())?;
        if line.trim().is_empty() {
            continue;
        }
        let wrong = |why: &str| format!("line {}: {why}", at + 1);
        let value: Value =
            serde_json::from_str(&line).map_err(|error| wrong(&error.to_string()))?;
        let number = if value.is_object() { &value[member] } else { &value };
        match number {
            Value::String(text) => numbers.push(tidied(text)),
            Value::Number(number) => numbers.push(tidied(&number.to_string())),
            _ => return Err(wrong(&format!("there is no text in the member {member:?}"))),
        }
    }
    Ok(numbers)
}

/// What is not UTF-8 is no digit either.
fn text(cell: &[u8]) -> String {
    String::from_utf8_lossy(cell).trim_start_matches('\u{feff}').to_owned()
}

/// A number as it is asked for: read as people write numbers, or as it stands.
fn tidied(text: &str) -> String {
    Ruc::parse_lenient(text).map_or_else(|_| text.to_owned(), |ruc| ruc.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_a_csv_file_stand_under_their_column_or_first() {
        let read = |text: &str, column: &str| csv(text.as_bytes(), column);
        let expected = Ok(vec!["20131312955".to_owned(), "x".to_owned(), String::new()]);
        let text = "nombre,RUC\nSUNAT,20131312955\n\"a, b\",x\nnobody,\n";
        assert_eq!(read(text, "ruc"), expected);
        assert_eq!(read("20131312955\nx\n", "ruc").map(|all| all.len()), Ok(2));
        assert_eq!(read("\u{feff}numero\n20-13131295-5\n", "ruc"), Ok(vec!["20131312955".into()]));
        assert_eq!(read("20131312955,SUNAT\n", "ruc"), Ok(vec!["20131312955".to_owned()]));
        assert!(read("nombre,numero\nSUNAT,20131312955\n", "ruc").is_err());
        assert_eq!(read("a,b\nx,20131312955\n", "B"), Ok(vec!["20131312955".to_owned()]));
        assert_eq!(read("", "ruc"), Ok(Vec::new()));
    }

    #[test]
    fn lines_of_json_hold_a_member_or_the_number_itself() {
        let read = |text: &str| ndjson(text.as_bytes(), "ruc");
        let text = "{\"ruc\":\"20131312955\"}\n\n\"x\"\n20131312955\n";
        assert_eq!(read(text).map(|all| all.join(" ")), Ok("20131312955 x 20131312955".to_owned()));
        assert_eq!(
            read("{}").expect_err("no member"),
            "line 1: there is no text in the member \"ruc\""
        );
        assert!(read("\n{").expect_err("no JSON").starts_with("line 2: "));
    }
}
