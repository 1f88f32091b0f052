//! The second snapshot: what it states is exactly how the two registers differ.

use rucache_padron::{Changes, Column, Generator, Population, Profile, Reader, Register, Revision};
use rucache_ruc::Ruc;

fn register(text: &[u8]) -> Register {
    Register::load(Reader::new("generated", text).unwrap()).unwrap()
}

fn first(generator: &Generator) -> Register {
    let mut text = Vec::new();
    generator.write_text(&mut text).unwrap();
    register(&text)
}

fn second(revision: &Revision, first: &Register) -> (Register, Changes) {
    let mut text = Vec::new();
    let changes = revision.write_text(first, &mut text).unwrap();
    (register(&text), changes)
}

/// How two registers differ, found by comparing them value by value.
struct Difference {
    added: Vec<Ruc>,
    removed: Vec<Ruc>,
    changed: Vec<(Ruc, Vec<Column>)>,
}

impl Difference {
    fn of(old: &Register, new: &Register) -> Self {
        let only = |these: &Register, those: &Register| {
            these.rows().map(|row| row.ruc()).filter(|&ruc| those.row(ruc).is_none()).collect()
        };
        let changed = old.rows().filter_map(|before| {
            let after = new.row(before.ruc())?;
            let differs = |column: &Column| before.text(*column) != after.text(*column);
            let columns: Vec<_> = Column::ALL.into_iter().filter(differs).collect();
            (!columns.is_empty()).then(|| (before.ruc(), columns))
        });
        Self { added: only(new, old), removed: only(old, new), changed: changed.collect() }
    }
}

fn check(generator: &Generator, revision: &Revision) -> Changes {
    let old = first(generator);
    let (new, changes) = second(revision, &old);
    let found = Difference::of(&old, &new);
    assert_eq!((&found.added, &found.removed), (&changes.added, &changes.removed));
    let stated: Vec<_> =
        changes.changed.iter().map(|changed| (changed.ruc, changed.columns.clone())).collect();
    assert_eq!(found.changed, stated);
    let report = new.report();
    assert_eq!((report.lines(), report.skipped_total()), (changes.lines, 0));
    assert_eq!(report.bytes(), changes.bytes);
    assert_eq!(serde_json::to_value(report).unwrap()["sha256"], changes.sha256);
    let json = serde_json::to_string(&changes).unwrap();
    assert_eq!(serde_json::from_str::<Changes>(&json).unwrap(), changes);
    changes
}

#[test]
fn changes_are_exactly_what_is_stated() {
    let shares = Revision::new(1).with_shares(20, 10, 50);
    for profile in [Profile::Realistic, Profile::Hostile] {
        for population in [Population::Register, Population::LegalEntities, Population::Sample] {
            let generator = Generator::new(2_000).with_profile(profile).with_population(population);
            let changes = check(&generator, &shares);
            assert!((30..=40).contains(&changes.added.len()), "{}", changes.added.len());
            assert!((8..=40).contains(&changes.removed.len()), "{}", changes.removed.len());
            assert!((60..=140).contains(&changes.changed.len()), "{}", changes.changed.len());
        }
    }
}

#[test]
fn nothing_asked_for_is_nothing_changed() {
    let changes = check(&Generator::new(1_000), &Revision::new(1).with_shares(0, 0, 0));
    assert_eq!((changes.added.len(), changes.removed.len(), changes.changed.len()), (0, 0, 0));
}

#[test]
fn institutions_stay_as_they_are() {
    let sample = rucache_padron::sample().unwrap();
    let (new, changes) = second(&Revision::new(4).with_shares(0, 500, 500), &sample);
    assert!(changes.removed.len() + changes.changed.len() >= 2_990);
    let sunat = "20131312955".parse().unwrap();
    assert_eq!(new.get(sunat), sample.get(sunat));
    assert_eq!(new.rows().filter(|row| row.ruc().as_u64() > 20_100_000_000).count(), 4);
}

#[test]
fn one_seed_gives_one_second_snapshot_for_ever() {
    let old = first(&Generator::new(1_000).with_seed(7));
    let (_, changes) = second(&Revision::new(7), &old);
    assert_eq!(changes.sha256, "0558ad381df81089144ebaef345839d74479c2c3cac0e201478995fdc25e522a");
}

#[test]
fn second_snapshot_can_be_zipped() {
    let old = first(&Generator::new(200));
    let mut zip = std::io::Cursor::new(Vec::new());
    let changes = Revision::new(1).write_zip(&old, &mut zip).unwrap();
    let bytes = zip.into_inner();
    let mut file = rucache_padron::RegisterFile::from_bytes("second.zip", &bytes).unwrap();
    let report = serde_json::to_value(file.rows().unwrap().finish().unwrap()).unwrap();
    assert_eq!(report["sha256"], changes.sha256);
}
