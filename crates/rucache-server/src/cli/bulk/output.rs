//! Where the answers go, and what stands there already.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::Path;

use rucache::ruc::Taxpayer;
use serde_json::Value;

use super::Form;
use crate::cli::Output;
use crate::cli::exit::Failure;

/// The columns of a CSV file.
const COLUMNS: [&str; 11] = [
    "ruc",
    "outcome",
    "cache",
    "fit_for_factura",
    "nombre_o_razon_social",
    "estado_del_contribuyente",
    "condicion_de_domicilio",
    "ubigeo",
    "direccion",
    "reason",
    "detail",
];

/// A file or standard output.
pub(super) struct Sink<'a> {
    to: Box<dyn Write + 'a>,
    form: Form,
    answered: usize,
}

impl<'a> Sink<'a> {
    /// Opens `path`, or else `out`. A file that holds something is taken up where it breaks off if
    /// `resume` says so, and else left alone.
    pub(super) fn open(
        path: Option<&Path>,
        form: Form,
        resume: bool,
        out: &'a mut Output,
    ) -> Result<Self, Failure> {
        let (mut to, lines): (Box<dyn Write + 'a>, usize) = match path {
            None => (Box::new(out), 0),
            Some(path) => {
                let failed = |error: std::io::Error| {
                    Failure::new(format!("cannot write {}: {error}", path.display()))
                };
                let mut file = OpenOptions::new()
                    .read(true)
                    .write(true)
                    .create(true)
                    .truncate(false)
                    .open(path)
                    .map_err(failed)?;
                let lines = whole_lines(&mut file).map_err(failed)?;
                if lines > 0 && !resume {
                    return Err(Failure::new(format!(
                        "{} holds something; go on with it by --resume, or write elsewhere",
                        path.display()
                    )));
                }
                (Box::new(std::io::BufWriter::new(file)), lines)
            }
        };
        // The header of a table is no answer.
        let answered = match form {
            Form::Csv if lines == 0 => {
                to.write_all(&row(&COLUMNS.map(str::to_owned))?)?;
                0
            }
            Form::Csv => lines - 1,
            Form::Ndjson => lines,
        };
        Ok(Self { to, form, answered })
    }

    /// Answers that stood there already.
    pub(super) const fn answered(&self) -> usize {
        self.answered
    }

    /// Writes one answer, which came as `line`.
    pub(super) fn write(&mut self, line: &str, answer: &Value) -> Result<(), Failure> {
        match self.form {
            Form::Ndjson => writeln!(self.to, "{line}")?,
            Form::Csv => self.to.write_all(&row(&cells(answer))?)?,
        }
        Ok(())
    }

    /// Has everything written that was given so far.
    pub(super) fn flush(&mut self) -> Result<(), Failure> {
        Ok(self.to.flush()?)
    }
}

/// How many whole lines a file has; what follows them is cut off.
fn whole_lines(file: &mut File) -> std::io::Result<usize> {
    let (mut lines, mut end, mut line) = (0, 0, Vec::new());
    let mut reader = BufReader::new(&mut *file);
    loop {
        line.clear();
        let len = reader.read_until(b'\n', &mut line)?;
        if !line.ends_with(b"\n") {
            break;
        }
        lines += 1;
        end += u64::try_from(len).unwrap_or(0);
    }
    file.set_len(end)?;
    file.seek(SeekFrom::Start(end))?;
    Ok(lines)
}

fn cells(answer: &Value) -> [String; 11] {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    };
    let record = &answer["record"];
    let fit = serde_json::from_value::<Taxpayer>(record.clone())
        .map(|record| record.fitness().is_fit().to_string());
    COLUMNS.map(|column| match column {
        "ruc" | "outcome" | "cache" | "reason" => text(&answer[column]),
        "detail" => text(&answer["detail"]),
        "fit_for_factura" => fit.as_ref().cloned().unwrap_or_default(),
        column => text(&record[column]),
    })
}

/// A row of a CSV file, on one line whatever its cells hold.
fn row(cells: &[String]) -> Result<Vec<u8>, Failure> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let flat = cells.iter().map(|cell| cell.replace(['\n', '\r'], " "));
    writer
        .write_record(flat)
        .map_err(|error| Failure::new(format!("cannot write a row: {error}")))?;
    writer.into_inner().map_err(|error| Failure::new(format!("cannot write a row: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answer_is_a_row_of_its_outcome_and_record() {
        let answer = serde_json::json!({
            "ruc": "20131312955", "outcome": "found", "cache": "hit",
            "record": { "ruc": "20131312955", "nombre_o_razon_social": "A, \"B\"\nC",
                        "estado_del_contribuyente": "ACTIVO", "condicion_de_domicilio": "HABIDO" },
        });
        let row = String::from_utf8(row(&cells(&answer)).expect("a row")).expect("text");
        assert_eq!(row, "20131312955,found,hit,true,\"A, \"\"B\"\" C\",ACTIVO,HABIDO,,,,\n");
    }
}
