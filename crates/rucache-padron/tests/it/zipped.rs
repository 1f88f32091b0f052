//! Files: zip or text by content, and what is refused with which error.

use std::io::{Cursor, Write};

use rucache_padron::{Error, Generator, RegisterFile, SAMPLE_ZIP};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::{line, text};

/// A zip with these members.
fn zip(members: &[(&str, &[u8])], method: CompressionMethod) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in members {
        let options = SimpleFileOptions::default().compression_method(method);
        zip.start_file(*name, options).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// Reads a file to its end; how many rows it has.
fn rows(bytes: &[u8]) -> Result<u64, Error> {
    Ok(RegisterFile::from_bytes("padron.zip", bytes)?.rows()?.finish()?.read())
}

#[test]
fn zip_and_text_are_told_apart_by_content() {
    let text = text(&[&line("20000000001", "UNO"), &line("20000000010", "DOS")]);
    assert_eq!(rows(&text).unwrap(), 2);
    for method in [CompressionMethod::Deflated, CompressionMethod::Stored] {
        let zip = zip(&[("padron_reducido_ruc.TXT", &text)], method);
        assert_eq!(rows(&zip).unwrap(), 2);
    }
}

#[test]
fn file_can_be_read_again() {
    let text = text(&[&line("20000000001", "UNO")]);
    let zip = zip(&[("padron.txt", &text)], CompressionMethod::Deflated);
    for bytes in [&text, &zip] {
        let mut file = RegisterFile::from_bytes("padron", bytes).unwrap();
        let first = file.rows().unwrap().finish().unwrap();
        let second = file.rows().unwrap().finish().unwrap();
        assert_eq!((first.read(), &first), (1, &second));
    }
}

#[test]
fn zip_without_exactly_one_text_file_is_refused() {
    let text = text(&[]);
    let check = |members: &[(&str, &[u8])], expected: usize| match rows(&zip(
        members,
        CompressionMethod::Deflated,
    )) {
        Err(Error::Members { file, found }) => {
            assert_eq!((file.as_str(), found), ("padron.zip", expected));
        }
        other => panic!("{other:?}"),
    };
    check(&[], 0);
    check(&[("padron.pdf", b"%PDF")], 0);
    check(&[("one.txt", &text), ("two.txt", &text)], 2);
    let beside = [("padron.txt", &text[..]), ("LEEME.pdf", b"%PDF"), ("folder/", b"")];
    assert_eq!(rows(&zip(&beside, CompressionMethod::Deflated)).unwrap(), 0);
}

#[test]
fn truncated_zip_is_refused_wherever_it_is_cut() {
    for kept in [4, 30, 1_000, SAMPLE_ZIP.len() / 2, SAMPLE_ZIP.len() - 1] {
        let error = rows(&SAMPLE_ZIP[..kept]).unwrap_err();
        assert!(matches!(error, Error::Zip { .. }), "{kept}: {error:?}");
        let text = error.to_string();
        assert!(text.contains("padron.zip") && text.ends_with("download it again"), "{text}");
    }
}

#[test]
fn damaged_content_of_a_zip_is_an_error_and_not_a_short_register() {
    let mut damaged = 0;
    for place in (200..SAMPLE_ZIP.len() - 200).step_by(SAMPLE_ZIP.len() / 19) {
        let mut bytes = SAMPLE_ZIP.to_vec();
        bytes[place] ^= 0xFF;
        match rows(&bytes) {
            Err(Error::Read { .. } | Error::Header { .. }) => damaged += 1,
            other => panic!("byte {place}: {other:?}"),
        }
    }
    assert!(damaged >= 19);
}

/// A stored zip whose two headers are changed: where, counted from the local and the central one.
fn forged(local: usize, central: usize, value: u8) -> Vec<u8> {
    let mut bytes = zip(&[("padron.txt", &text(&[]))], CompressionMethod::Stored);
    let directory = bytes.windows(4).position(|four| four == b"PK\x01\x02").unwrap();
    bytes[local] = value;
    bytes[directory + central] = value;
    bytes
}

#[test]
fn encrypted_zip_is_refused() {
    // Bit 0 of the general purpose flags.
    let error = rows(&forged(6, 8, 1)).unwrap_err();
    assert!(matches!(&error, Error::Encrypted { file } if file == "padron.zip"), "{error:?}");
}

#[test]
fn unsupported_compression_is_not_called_damage() {
    // Method 12 is bzip2.
    let error = rows(&forged(8, 10, 12)).unwrap_err();
    assert!(matches!(&error, Error::Unsupported { file } if file == "padron.zip"), "{error:?}");
}

#[test]
fn missing_file_is_named() {
    let error = RegisterFile::open("no/such/padron.zip").unwrap_err();
    assert!(matches!(error, Error::Open { .. }));
    assert!(error.to_string().contains("no/such/padron.zip"), "{error}");
}

#[test]
fn generated_zip_holds_the_generated_text() {
    let generator = Generator::new(500).with_seed(3);
    let mut zip = Cursor::new(Vec::new());
    let zipped = generator.write_zip(&mut zip).unwrap();
    assert_eq!(zipped, generator.write_text(std::io::sink()).unwrap());
    let bytes = zip.into_inner();
    let mut file = RegisterFile::from_bytes("padron.zip", &bytes).unwrap();
    let report = serde_json::to_value(file.rows().unwrap().finish().unwrap()).unwrap();
    assert_eq!(report["sha256"], zipped.sha256);
}
