//! Aligned tables for people.

use std::io::{self, IsTerminal, Write};

use anstyle::{AnsiColor, Style};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Between two columns.
const GAP: usize = 2;

/// What is left for the last column on a narrow terminal.
const LEAST: usize = 20;

/// Columns for a text that should be a number.
const LONGEST_INPUT: usize = 40;

/// What a cell tells by its colour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Tone {
    #[default]
    Plain,
    Good,
    Doubtful,
    Bad,
}

impl Tone {
    fn style(self) -> Style {
        let colour = match self {
            Self::Plain => return Style::new(),
            Self::Good => AnsiColor::Green,
            Self::Doubtful => AnsiColor::Yellow,
            Self::Bad => AnsiColor::Red,
        };
        colour.on_default()
    }
}

/// One cell: a text and its tone.
#[derive(Debug, Clone)]
pub(super) struct Cell {
    text: String,
    tone: Tone,
    fit: Fit,
}

/// What becomes of a text of the last column that a terminal is too narrow for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fit {
    /// It is cut.
    Cut,
    /// It runs on into the next line.
    Wrapped,
}

impl Cell {
    pub(super) fn new(text: &str, tone: Tone) -> Self {
        Self { text: printable(text), tone, fit: Fit::Cut }
    }

    /// What somebody gave as a number: of a text that is far from one, the beginning will do.
    pub(super) fn input(text: &str) -> Self {
        Self::from(&*cut(text, LONGEST_INPUT))
    }

    /// A text that must be read whole.
    pub(super) fn whole(text: &str) -> Self {
        Self { fit: Fit::Wrapped, ..Self::from(text) }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::new(text, Tone::Plain)
    }
}

/// A table with `N` columns, of which the last takes the room that is left.
#[derive(Debug)]
pub(super) struct Table<const N: usize> {
    headings: [&'static str; N],
    rows: Vec<[Cell; N]>,
}

impl<const N: usize> Table<N> {
    pub(super) const fn new(headings: [&'static str; N]) -> Self {
        Self { headings, rows: Vec::new() }
    }

    pub(super) fn push(&mut self, row: [Cell; N]) {
        self.rows.push(row);
    }

    /// Writes the table; cut to `width` columns where one is given.
    pub(super) fn write(&self, out: &mut impl Write, width: Option<usize>) -> io::Result<()> {
        let mut widths = self.headings.map(UnicodeWidthStr::width);
        for row in &self.rows {
            for (widest, cell) in widths.iter_mut().zip(row) {
                *widest = (*widest).max(cell.text.width());
            }
        }
        if let (Some(width), Some((last, others))) = (width, widths.split_last_mut()) {
            let taken: usize = others.iter().map(|other| other + GAP).sum();
            *last = (*last).min(width.saturating_sub(taken).max(LEAST));
        }
        let mut text = String::new();
        let heading = Style::new().bold();
        let titles = self.headings.map(Cell::from);
        push_line(&mut text, &widths, titles.iter().map(|title| (title, heading)));
        for row in &self.rows {
            push_line(&mut text, &widths, row.iter().map(|cell| (cell, cell.tone.style())));
        }
        out.write_all(text.as_bytes())
    }
}

fn push_line<'a>(
    line: &mut String,
    widths: &[usize],
    cells: impl Iterator<Item = (&'a Cell, Style)>,
) {
    let last = widths.len().saturating_sub(1);
    for (column, ((cell, style), &width)) in cells.zip(widths).enumerate() {
        let text = match cell.fit {
            Fit::Cut => cut(&cell.text, width),
            Fit::Wrapped => cell.text.clone(),
        };
        let padding = if column == last { 0 } else { (width + GAP).saturating_sub(text.width()) };
        line.push_str(&format!("{style}{text}{style:#}{:padding$}", ""));
    }
    line.push('\n');
}

/// `text` in at most `width` columns, with `…` where something is left out.
fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut taken = 1;
    let fits = |c: &char| {
        taken += c.width().unwrap_or(0);
        taken <= width
    };
    let mut cut: String = text.chars().take_while(fits).collect();
    cut.push('…');
    cut
}

/// `text` without anything that a terminal obeys: what is shown may come from a file.
pub(super) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// Columns of the terminal that reads the output, if one does.
pub(super) fn terminal_width() -> Option<usize> {
    let stdout = io::stdout();
    if !stdout.is_terminal() {
        return None;
    }
    terminal_size::terminal_size_of(stdout).map(|(width, _)| usize::from(width.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(table: &Table<2>, width: Option<usize>) -> String {
        let mut out = anstream::StripStream::new(Vec::new());
        table.write(&mut out, width).expect("memory takes everything");
        String::from_utf8(out.into_inner()).expect("text")
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::new(["A", "NAME"]);
        table.push(["peñón".into(), "x".into()]);
        table.push(["日本".into(), "y".into()]);
        assert_eq!(written(&table, None), "A      NAME\npeñón  x\n日本   y\n");
    }

    #[test]
    fn last_column_is_cut_to_the_terminal() {
        let mut table = Table::new(["A", "NAME"]);
        table.push(["1".into(), "MUNICIPALIDAD DE SAN ISIDRO".into()]);
        assert_eq!(written(&table, Some(25)), "A  NAME\n1  MUNICIPALIDAD DE SAN …\n");
        // A terminal too narrow for anything wraps.
        assert_eq!(written(&table, Some(5)), "A  NAME\n1  MUNICIPALIDAD DE SA…\n");
        assert_eq!(written(&table, None), "A  NAME\n1  MUNICIPALIDAD DE SAN ISIDRO\n");
    }

    #[test]
    fn what_must_be_read_whole_is_not_cut() {
        let mut table = Table::new(["A", "NAME"]);
        table.push(["1".into(), Cell::whole("check_digit: the last digit must be 5")]);
        assert_eq!(
            written(&table, Some(25)),
            "A  NAME\n1  check_digit: the last digit must be 5\n"
        );
    }

    #[test]
    fn control_characters_never_reach_a_terminal() {
        let mut table = Table::new(["A", "NAME"]);
        table.push(["1".into(), "\u{1b}]0;title\u{7}\u{9b}31m\n".into()]);
        assert_eq!(
            written(&table, None),
            "A  NAME\n1  \u{fffd}]0;title\u{fffd}\u{fffd}31m\u{fffd}\n"
        );
    }

    #[test]
    fn tones_are_colours() {
        let mut table = Table::new(["A", "B"]);
        table.push([Cell::new("yes", Tone::Good), "".into()]);
        let mut out = Vec::new();
        table.write(&mut out, None).expect("memory takes everything");
        let text = String::from_utf8(out).expect("text");
        assert!(text.ends_with("\u{1b}[32myes\u{1b}[0m  \n"), "{text:?}");
    }
}
