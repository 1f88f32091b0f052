//! Whatever the bytes: no panic, and every line is either read or counted as passed over.

use proptest::collection::vec;
use proptest::prelude::*;
use rucache_padron::{Cause, Column, Reader, Register, RegisterFile};

use crate::{line, text};

/// Bytes in which pipes, line ends, NUL and right numbers are frequent.
fn dirt() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(b"|".to_vec()),
        Just(b"\n".to_vec()),
        Just(b"\r\n".to_vec()),
        Just(b"\r".to_vec()),
        Just(b"-".to_vec()),
        Just(b"\0".to_vec()),
        Just(b"20131312955".to_vec()),
        Just(b"|||||||||||||".to_vec()),
        Just(line("20000000001", "UNO").into_bytes()),
        vec(any::<u8>(), 0..8),
    ];
    vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn every_line_is_read_or_skipped(dirt in dirt()) {
        let mut bytes = text(&[]);
        bytes.extend_from_slice(&dirt);
        let ends = dirt.iter().filter(|&&byte| byte == b'\n').count();
        let open = usize::from(dirt.last().is_some_and(|&byte| byte != b'\n'));

        let mut reader = Reader::new("padron.txt", &bytes[..]).unwrap();
        let mut rows = 0;
        while let Some(row) = reader.next_row().unwrap() {
            rows += 1;
            let record = row.taxpayer();
            prop_assert!(record.nombre_o_razon_social().is_some());
            for column in Column::ALL {
                row.text(column);
            }
        }
        let report = reader.finish().unwrap();
        prop_assert_eq!(report.lines(), u64::try_from(ends + open).unwrap());
        prop_assert_eq!(report.read(), rows);

        let reader = Reader::new("padron.txt", &bytes[..]).unwrap();
        let register = Register::load(reader).unwrap();
        let loaded = register.report();
        prop_assert_eq!(loaded.lines(), report.lines());
        prop_assert_eq!(loaded.read() + loaded.skipped(Cause::Duplicate), rows);
        prop_assert_eq!(u64::try_from(register.rows().count()).unwrap(), loaded.read());
    }

    #[test]
    fn no_bytes_make_a_file_panic(
        magic in prop_oneof![Just(&b"PK\x03\x04"[..]), Just(&b"PK\x05\x06"[..]), Just(&b""[..])],
        rest in vec(any::<u8>(), 0..400),
    ) {
        let bytes = [magic, &rest].concat();
        if let Ok(mut file) = RegisterFile::from_bytes("padron", &bytes) {
            prop_assert!(file.rows().is_err(), "random bytes have no register's header");
        }
    }
}
