//! The format: header, columns, encoding, line ends.

use rucache_padron::{Column, Error, Reader, header};
use rucache_ruc::{Condicion, Estado, Field};

use crate::{line, refused, text};

const SUNAT: &str = "20131312955|SUPERINTENDENCIA NACIONAL DE ADUANAS Y DE ADMINISTRACION \
     TRIBUTARIA - SUNAT|ACTIVO|HABIDO|150101|AV.|GARCILASO DE LA VEGA|----|-|1472|-|-|-|-|-|";

#[test]
fn row_becomes_a_record_field_by_field() {
    let all = "20000000001|COMPAÑIA Ñ|BAJA MULT.INSCR. Y O|NO HALLADO NRO.PUERT|150122|JR.|\
         LOS PEÑASCOS|URB.|EL EJEMPLO|S/N|201|14|5B|C|3.5|";
    let bytes = text(&[SUNAT, all]);
    let mut reader = Reader::new("padron.txt", &bytes[..]).unwrap();

    let row = reader.next_row().unwrap().unwrap();
    assert_eq!(row.offset(), u64::try_from(header().chars().count() + 1).unwrap());
    let sunat = row.taxpayer();
    let fields: Vec<_> = sunat.fields().map(|(field, value)| (field.name(), value)).collect();
    assert_eq!(
        fields,
        [
            (
                "nombre_o_razon_social",
                "SUPERINTENDENCIA NACIONAL DE ADUANAS Y DE ADMINISTRACION TRIBUTARIA - SUNAT"
            ),
            ("estado_del_contribuyente", "ACTIVO"),
            ("condicion_de_domicilio", "HABIDO"),
            ("ubigeo", "150101"),
            ("tipo_de_via", "AV."),
            ("nombre_de_via", "GARCILASO DE LA VEGA"),
            ("numero", "1472"),
        ]
    );

    let full = reader.next_row().unwrap().unwrap().taxpayer();
    assert_eq!(full.nombre_o_razon_social(), Some("COMPAÑIA Ñ"));
    assert_eq!(full.estado(), Some(Estado::BajaMultInscr));
    assert_eq!(full.condicion(), Some(Condicion::NoHalladoNroPuerta));
    let address: Vec<_> = full.fields().skip(3).map(|(_, value)| value).collect();
    assert_eq!(
        address,
        [
            "150122",
            "JR.",
            "LOS PEÑASCOS",
            "URB.",
            "EL EJEMPLO",
            "S/N",
            "201",
            "14",
            "5B",
            "C",
            "3.5"
        ]
    );
    assert_eq!(full.dpto(), Some("5B"), "DEPARTAMENTO is the flat");
    assert_eq!(full.get(Field::Departamento), None, "and not the region");

    assert!(reader.next_row().unwrap().is_none());
    let report = reader.finish().unwrap();
    assert_eq!((report.lines(), report.read(), report.skipped_total()), (2, 2, 0));
    assert_eq!(report.bytes(), u64::try_from(bytes.len()).unwrap());
}

#[test]
fn report_carries_the_hash_of_the_whole_text() {
    let report = Reader::new("padron.txt", &text(&[SUNAT])[..]).unwrap().finish().unwrap();
    let value = serde_json::to_value(&report).unwrap();
    // sha256sum of the same bytes.
    assert_eq!(value["sha256"], "6f9b40b638e2e1bd372114f9ed679e6d18a31d5073402a6ffc7fe39512c265b7");
}

#[test]
fn line_ends_and_a_missing_last_one_do_not_matter() {
    let lines = [line("20000000001", "UNO"), line("20000000010", "DOS")];
    let unix = text(&[&lines[0], &lines[1]]);
    let dos: Vec<u8> = unix
        .iter()
        .flat_map(|&byte| if byte == b'\n' { vec![b'\r', b'\n'] } else { vec![byte] })
        .collect();
    let endless = &unix[..unix.len() - 1];
    for (name, bytes) in [("LF", &unix[..]), ("CR LF", &dos), ("no last end", endless)] {
        let report = Reader::new("padron.txt", bytes).unwrap().finish().unwrap();
        assert_eq!((report.lines(), report.read(), report.bare_returns()), (2, 2, 0), "{name}");
    }
}

#[test]
fn odd_bytes_are_read_and_counted() {
    let bytes = text(&[&line("20000000001", "“EL FARO” € 1"), &line("20000000010", "LA\rMAR")]);
    let mut reader = Reader::new("padron.txt", &bytes[..]).unwrap();
    let mut names = Vec::new();
    while let Some(row) = reader.next_row().unwrap() {
        names.extend(row.text(Column::NombreORazonSocial).map(|name| name.into_owned()));
    }
    assert_eq!(names, ["“EL FARO” € 1", "LA MAR"]);
    let report = reader.finish().unwrap();
    assert_eq!((report.cp1252_bytes(), report.bare_returns()), (3, 1));
}

#[test]
fn changed_header_is_refused_at_its_first_differing_column() {
    let check = |from: &str, to: &str, expected: (usize, &str, &str)| {
        let changed = header().replacen(from, to, 1);
        match refused(&rucache_padron::encode(&changed).unwrap()) {
            Error::Header { file, column, expected: title, found } => {
                assert_eq!(file, "padron.txt");
                assert_eq!((column, title, found.as_str()), expected);
            }
            other => panic!("{other}"),
        }
    };
    check("UBIGEO", "DISTRITO", (5, "UBIGEO", "DISTRITO"));
    check("RUC", "\u{A0}RUC", (1, "RUC", "\u{A0}RUC"));
    check("|UBIGEO", "", (5, "UBIGEO", "TIPO DE VÍA"));
    check("KILÓMETRO|", "KILÓMETRO|CORREO|", (16, "", "CORREO"));
    check("KILÓMETRO|", "KILÓMETRO", (16, "", "(end of line)"));
    check("KILÓMETRO|", "KILÓMETRO||", (17, "(end of line)", ""));
    check("RUC|NOMBRE", "RUC;NOMBRE", (1, "RUC", "RUC;NOMBRE O RAZÓN SOCIAL"));
}

#[test]
fn header_error_shows_the_expected_header_and_what_was_found() {
    let changed = header().replacen("UBIGEO", "DISTRITO", 1);
    let text = refused(&rucache_padron::encode(&changed).unwrap()).to_string();
    assert!(text.contains("column 5 must be \"UBIGEO\", but is \"DISTRITO\""), "{text}");
    assert!(text.ends_with(&header()), "{text}");
}

#[test]
fn file_without_a_header_does_not_leak_its_first_line() {
    for text in [SUNAT.to_owned(), SUNAT.replace('|', ";")] {
        let error = refused(text.as_bytes());
        assert!(
            matches!(&error, Error::Header { column: 1, found, .. } if found == "(a data line)")
        );
        assert!(!format!("{error} {error:?}").contains("20131312955"), "{error}");
    }
}

#[test]
fn row_is_not_shown_in_debug_output() {
    let bytes =
        text(&["10000000006|PERSONA NATURAL DE MUESTRA|ACTIVO|HABIDO|-|-|-|-|-|-|-|-|-|-|-|"]);
    let mut reader = Reader::new("padron.txt", &bytes[..]).unwrap();
    let shown = format!("{:?}", reader.next_row().unwrap());
    assert!(shown.contains("Ruc(10*") && !shown.contains("MUESTRA"), "{shown}");
}

#[test]
fn text_in_another_encoding_is_refused_by_its_header() {
    match refused(header().as_bytes()) {
        Error::Header { column: 2, found, .. } => assert_eq!(found, "NOMBRE O RAZÃ“N SOCIAL"),
        other => panic!("{other}"),
    }
    let utf16: Vec<u8> = header().encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(matches!(refused(&utf16), Error::Header { column: 1, .. }));
}

#[test]
fn file_without_a_header_line_is_refused() {
    assert!(matches!(refused(b""), Error::Empty { .. }));
    assert!(matches!(refused(b"\n"), Error::Header { column: 1, .. }));
    assert!(matches!(refused(&[b'x'; 200_000]), Error::Header { column: 1, .. }));
    assert!(matches!(refused(b"\x1f\x8b\x08\x00gzip"), Error::Header { column: 1, .. }));
}
