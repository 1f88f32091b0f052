//! Dirty lines: each is passed over and counted under its cause, and the next is read.

use rucache_padron::{Cause, LINE_LIMIT, Reader, Register};
use rucache_ruc::Ruc;

use crate::{line, text};

#[test]
fn dirty_lines_do_not_stop_the_reader() {
    let long = line("20000000028", &"X".repeat(LINE_LIMIT));
    let lines = [
        &line("20000000001", "UNO"),
        &long,
        "   ",
        &line("20000000010", "CON\0NUL"),
        "20000000010|CORTA|ACTIVO|",
        &line("20000000010", "PARTIDA|EN DOS"),
        &line("2000000001", "CORTO"),
        &line("2000000001X", "LETRA"),
        &line("00100038145", "PREFIJO"),
        &line("20000000018", "DIGITO"),
        &line("20000000010", "-----"),
        &line("20000000036", "DOS"),
    ];
    let bytes = text(&lines);
    let mut reader = Reader::new("padron.txt", &bytes[..]).unwrap();
    let mut numbers = Vec::new();
    while let Some(row) = reader.next_row().unwrap() {
        numbers.push(row.ruc().as_u64());
    }
    assert_eq!(numbers, [20_000_000_001, 20_000_000_036]);
    let report = reader.finish().unwrap();
    let causes: Vec<_> = report.causes().collect();
    let expected = Cause::ALL.map(|cause| (cause, 1));
    assert_eq!(causes, expected[..Cause::COUNT - 1], "each once, duplicates aside");
    assert_eq!(report.lines(), 12);
}

#[test]
fn last_of_several_lines_with_one_number_wins() {
    let lines = [
        line("20000000010", "PRIMERA"),
        line("20000000001", "OTRA"),
        line("20000000010", "SEGUNDA"),
        line("20000000010", "TERCERA"),
    ];
    let bytes = text(&lines.each_ref().map(String::as_str));
    let register = Register::load(Reader::new("padron.txt", &bytes[..]).unwrap()).unwrap();
    let name = |ruc: &str| {
        let ruc: Ruc = ruc.parse().unwrap();
        register.get(ruc).and_then(|record| record.nombre_o_razon_social().map(str::to_owned))
    };
    assert_eq!(name("20000000010").as_deref(), Some("TERCERA"));
    assert_eq!(name("20000000001").as_deref(), Some("OTRA"));
    assert_eq!(register.len(), 2);
    let report = register.report();
    assert_eq!((report.lines(), report.read(), report.skipped(Cause::Duplicate)), (4, 2, 2));
}

#[test]
fn number_of_a_dirty_line_is_remembered_unless_another_line_is_right() {
    let long = line("20000000028", &"X".repeat(LINE_LIMIT));
    let lines = [
        &line("20000000001", "-"),
        &line("20000000010", "-"),
        &line("20000000010", "ENTERA"),
        &long,
        "20000000036|CORTA|",
    ];
    let bytes = text(&lines);
    let register = Register::load(Reader::new("padron.txt", &bytes[..]).unwrap()).unwrap();
    let damaged = |ruc: &str| register.is_damaged(ruc.parse().unwrap());
    assert!(damaged("20000000001"));
    assert!(!damaged("20000000010"));
    assert!(damaged("20000000028"));
    assert!(damaged("20000000036"));
    assert!(!damaged("20000000044"));
}
