//! The hostile profile: lines that are dirty by every cause, and clean ones that look odd.

use std::collections::VecDeque;

use rucache_ruc::Ruc;

use super::manifest::Manifest;
use super::random::Random;
use super::record::{ABSENT, Record};
use crate::cause::Cause;
use crate::column::Column;
use crate::lines::LINE_LIMIT;

/// How many clean records are remembered for duplicates.
const REMEMBERED: usize = 64;

/// Turns records into hostile lines.
pub(crate) struct Dirt {
    turn: usize,
    /// Lines over the limit that are still allowed: each is 64 KiB.
    long_left: u64,
    recent: VecDeque<Record>,
}

impl Dirt {
    pub(crate) fn new(lines: u64) -> Self {
        Self { turn: 0, long_left: 1 + lines / 10_000, recent: VecDeque::new() }
    }

    /// The line of a record with its end, and what it is in the manifest.
    pub(crate) fn line(
        &mut self,
        random: &mut Random,
        record: Record,
        last: bool,
        manifest: &mut Manifest,
    ) -> Vec<u8> {
        let cause = if last { None } else { self.cause(random) };
        let mut line = match cause {
            None => {
                manifest.count_read(&record);
                let line = odd(random, record.clone(), manifest).line();
                self.remember(record);
                line
            }
            Some(Cause::Duplicate) => {
                manifest.count_skipped(Cause::Duplicate);
                self.duplicate(random, manifest).unwrap_or_default()
            }
            Some(cause) => {
                manifest.count_skipped(cause);
                dirty(random, record, cause)
            }
        };
        if !last {
            line.extend_from_slice(if random.one_in(4) { b"\r\n" } else { b"\n" });
        }
        line
    }

    /// The cause whose turn it is, for one line in eight.
    fn cause(&mut self, random: &mut Random) -> Option<Cause> {
        if !random.one_in(8) {
            return None;
        }
        loop {
            let cause = Cause::ALL[self.turn % Cause::COUNT];
            self.turn += 1;
            match cause {
                Cause::TooLong if self.long_left == 0 => {}
                Cause::Duplicate if self.recent.is_empty() => {}
                Cause::TooLong => {
                    self.long_left -= 1;
                    return Some(cause);
                }
                _ => return Some(cause),
            }
        }
    }

    fn remember(&mut self, record: Record) {
        if self.recent.len() == REMEMBERED {
            self.recent.pop_front();
        }
        self.recent.push_back(record);
    }

    /// A recent record again, under a name that shows that it is the later one.
    fn duplicate(&mut self, random: &mut Random, manifest: &mut Manifest) -> Option<Vec<u8>> {
        let length = u64::try_from(self.recent.len()).ok()?;
        let place = usize::try_from(random.below(length)).ok()?;
        let record = self.recent.get_mut(place)?;
        let name = format!("{} BIS", record.get(Column::NombreORazonSocial));
        record.set(Column::NombreORazonSocial, name);
        Some(odd(random, record.clone(), manifest).line())
    }
}

/// A record that is to be read, sometimes written in an unusual way.
fn odd(random: &mut Random, mut record: Record, manifest: &mut Manifest) -> Record {
    let name = record.get(Column::NombreORazonSocial).to_owned();
    match random.below(12) {
        0 => {
            manifest.cp1252_bytes += 3;
            record.set(Column::NombreORazonSocial, format!("“{name}” €"));
        }
        1 => {
            manifest.bare_returns += 1;
            record.set(Column::NombreORazonSocial, name.replacen(' ', "\r", 1));
        }
        2 => {
            record.set(Column::NombreORazonSocial, format!("  {name}\t "));
            record.set(Column::Interior, "");
            record.set(Column::Lote, "--------");
        }
        _ => {}
    }
    record
}

/// A line that is to be passed over for a cause.
fn dirty(random: &mut Random, mut record: Record, cause: Cause) -> Vec<u8> {
    let digits = record.get(Column::Ruc).to_owned();
    let first_ten = record.ruc().as_u64() / 10;
    match cause {
        Cause::TooLong => record.set(Column::NombreDeVia, "X".repeat(LINE_LIMIT + 1)),
        Cause::Empty => return b" ".repeat(usize::from(random.one_in(2))),
        Cause::Nul => record.set(Column::NombreORazonSocial, "\0\0\0\0"),
        Cause::MissingColumns => return cut(random, &record.line()),
        Cause::StrayPipe => record.set(Column::NombreORazonSocial, "MUESTRA|PARTIDA"),
        Cause::RucLength => record.set(Column::Ruc, digits[..10].to_owned()),
        Cause::RucDigits => record.set(Column::Ruc, format!("{}O", &digits[..10])),
        Cause::RucPrefix => {
            // With a right check digit, so that only the prefix is wrong.
            let first_ten = first_ten % 100_000_000;
            let digit = Ruc::check_digit(first_ten);
            record.set(Column::Ruc, format!("{first_ten:010}{digit}"));
        }
        Cause::RucCheckDigit => {
            let digit = (u64::from(Ruc::check_digit(first_ten)) + 1 + random.below(9)) % 10;
            record.set(Column::Ruc, format!("{first_ten}{digit}"));
        }
        Cause::Nameless => {
            let name = *random.pick(&[ABSENT, "", "----", "  "]);
            record.set(Column::NombreORazonSocial, name);
        }
        // The caller keeps what a duplicate needs.
        Cause::Duplicate => {}
    }
    record.line()
}

/// A line cut after some of its columns, with or without the pipe that closes the last.
fn cut(random: &mut Random, line: &[u8]) -> Vec<u8> {
    let kept = usize::try_from(2 + random.below(13)).unwrap_or(2);
    let mut columns: Vec<&[u8]> = line.split(|&byte| byte == b'|').take(kept).collect();
    if random.one_in(2) {
        columns.push(b"");
    }
    columns.join(&b'|')
}

#[cfg(test)]
mod tests {
    use rucache_ruc::Ruc;

    use super::{Record, dirty};
    use crate::cause::Cause;
    use crate::generator::random::Random;
    use crate::row::Layout;

    #[test]
    fn each_dirty_line_is_dirty_by_its_own_cause() {
        let own = Cause::ALL.into_iter().filter(|&cause| cause != Cause::Duplicate);
        for cause in own.flat_map(|cause| [cause; 50]) {
            let ruc = Ruc::try_from(20_000_000_001).unwrap();
            let mut random = Random::new(9);
            let record = Record::invent(&mut random, ruc, 1);
            let line = dirty(&mut random, record, cause);
            if cause != Cause::TooLong {
                assert_eq!(Layout::of(&line).err(), Some(cause));
            }
        }
    }
}
