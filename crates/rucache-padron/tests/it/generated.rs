//! The generator: its text is the same for ever, and its manifest is the truth.

use std::collections::BTreeMap;

use rucache_padron::{
    Cause, Column, Error, Generator, Manifest, Population, Profile, Reader, Register, SAMPLE_ZIP,
};
use rucache_ruc::Prefix;

/// The text of a generator, loaded, with its manifest.
fn load(generator: &Generator) -> (Register, Manifest) {
    let mut text = Vec::new();
    let manifest = generator.write_text(&mut text).unwrap();
    let reader = Reader::new("generated", &text[..]).unwrap();
    (Register::load(reader).unwrap(), manifest)
}

/// Holds what a reader found to what the manifest states.
fn check(generator: &Generator) -> (Register, Manifest) {
    let (register, manifest) = load(generator);
    let report = register.report();
    let skipped: BTreeMap<_, _> = report.causes().collect();
    assert_eq!(skipped, manifest.skipped);
    assert_eq!((report.lines(), report.read()), (manifest.lines, manifest.read));
    assert_eq!(manifest.lines, generator.lines);
    assert_eq!(report.cp1252_bytes(), manifest.cp1252_bytes);
    assert_eq!(report.bare_returns(), manifest.bare_returns);
    assert_eq!(report.bytes(), manifest.bytes);
    let json = serde_json::to_value(report).unwrap();
    assert_eq!(json["sha256"], manifest.sha256);
    let (mut prefixes, mut estados) = (BTreeMap::new(), BTreeMap::new());
    for row in register.rows() {
        *prefixes.entry(row.ruc().prefix().as_str().to_owned()).or_insert(0) += 1;
        let estado = row.text(Column::EstadoDelContribuyente).unwrap().into_owned();
        *estados.entry(estado).or_insert(0) += 1;
    }
    assert_eq!((prefixes, estados), (manifest.prefixes.clone(), manifest.estados.clone()));
    let json = serde_json::to_string(&manifest).unwrap();
    assert_eq!(serde_json::from_str::<Manifest>(&json).unwrap(), manifest);
    (register, manifest)
}

#[test]
fn realistic_register_is_what_its_manifest_states() {
    for population in [Population::Register, Population::LegalEntities, Population::Sample] {
        let generator = Generator::new(2_000).with_seed(5).with_population(population);
        let (register, manifest) = check(&generator);
        assert_eq!(register.len(), 2_000);
        assert!(manifest.skipped.is_empty());
    }
}

#[test]
fn hostile_register_is_what_its_manifest_states() {
    for seed in 0..4 {
        let generator = Generator::new(3_000).with_seed(seed).with_profile(Profile::Hostile);
        let (register, manifest) = check(&generator);
        let causes: Vec<_> = manifest.skipped.keys().copied().collect();
        assert_eq!(causes, Cause::ALL, "every cause occurs");
        assert!(manifest.cp1252_bytes > 0 && manifest.bare_returns > 0);
        let later = register.rows().filter(|row| {
            row.text(Column::NombreORazonSocial).is_some_and(|name| name.contains("BIS"))
        });
        assert!(later.count() > 0, "of duplicates the last wins");
    }
}

#[test]
fn shares_are_those_of_the_register() {
    let (_, manifest) = load(&Generator::new(40_000).with_seed(11));
    let per_mille = |counts: &BTreeMap<String, u64>, name: &str| counts[name] * 1_000 / 40_000;
    let prefixes = ["10", "15", "17", "20"].map(|name| per_mille(&manifest.prefixes, name));
    assert_eq!(prefixes, [842, 25, 5, 127]);
    let near = |name: &str, expected: u64| {
        let found = per_mille(&manifest.estados, name);
        assert!(found.abs_diff(expected) <= 10, "{name}: {found} instead of {expected}");
    };
    near("ACTIVO", 509);
    near("BAJA DE OFICIO", 402);
    near("BAJA DEFINITIVA", 62);
    near("SUSPENSION TEMPORAL", 17);
    near("BAJA MULT.INSCR. Y O", 9);
    near("BAJA PROV. POR OFICI", 2);
    let mean = manifest.bytes / manifest.lines;
    assert!((75..=95).contains(&mean), "a line has {mean} bytes on average");
}

#[test]
fn one_seed_gives_one_text_for_ever() {
    let hash = |generator: Generator| generator.write_text(std::io::sink()).unwrap().sha256;
    let golden = |name: &str, found: String, expected: &str| assert_eq!(found, expected, "{name}");
    golden(
        "realistic",
        hash(Generator::new(1_000).with_seed(7)),
        "18395f5bd294b316955b27f448b6f9f630c7067098f29a1574f5a8eecaf216af",
    );
    let hostile = Generator::new(1_000).with_seed(7).with_profile(Profile::Hostile);
    golden(
        "hostile",
        hash(hostile),
        "edd919cf1d1295ac1426e127fceb74c98f49b7b18d22d5056e18f6fa530e502b",
    );
    assert_ne!(hash(Generator::new(1_000).with_seed(8)), hash(Generator::new(1_000).with_seed(7)));
}

#[test]
fn bundled_sample_is_what_the_generator_writes() {
    let manifest = Generator::sample().write_text(std::io::sink()).unwrap();
    let sample = rucache_padron::sample().unwrap();
    let report = serde_json::to_value(sample.report()).unwrap();
    assert_eq!(
        report["sha256"], manifest.sha256,
        "write it again: cargo run -p rucache-padron --example generate -- --population sample \
         --lines 3000 --seed 2013 --out crates/rucache-padron/sample/padron_muestra.zip"
    );
    let stated: Manifest =
        serde_json::from_str(include_str!("../../sample/padron_muestra.zip.manifest.json"))
            .unwrap();
    assert_eq!(stated, manifest);
    assert!(SAMPLE_ZIP.len() < 150_000, "{} bytes", SAMPLE_ZIP.len());
}

#[test]
fn sample_holds_legal_entities_only_and_invents_all_but_institutions() {
    let sample = rucache_padron::sample().unwrap();
    let mut institutions = Vec::new();
    for row in sample.rows() {
        assert_eq!(row.ruc().prefix(), Prefix::LegalEntity);
        let name = row.text(Column::NombreORazonSocial).unwrap();
        if !name.contains("DE MUESTRA") {
            institutions.push((row.ruc().as_u64(), name.into_owned()));
        }
    }
    let expected = [
        (20_100_152_356, "SERV AGUA POTAB Y ALCANT DE LIMA-SEDAPAL"),
        (
            20_131_312_955,
            "SUPERINTENDENCIA NACIONAL DE ADUANAS Y DE ADMINISTRACION TRIBUTARIA - SUNAT",
        ),
        (20_141_897_935, "MUNICIPALIDAD PROVINCIAL SANCHEZ CARRION"),
        (20_267_073_580, "SUPERINT. NAC. DE LOS REGISTROS PUBLICOS"),
    ];
    assert_eq!(institutions, expected.map(|(ruc, name)| (ruc, name.to_owned())));
}

#[test]
fn more_lines_than_numbers_are_refused() {
    let generator = Generator::new(10_000_001).with_population(Population::LegalEntities);
    match generator.write_text(std::io::sink()) {
        Err(Error::TooManyLines { lines: 10_000_001, most: 10_000_000 }) => {}
        other => panic!("{other:?}"),
    }
}

#[test]
fn smallest_registers_are_written_and_read() {
    for population in [Population::Register, Population::LegalEntities, Population::Sample] {
        for profile in [Profile::Realistic, Profile::Hostile] {
            for lines in [0, 1, 2, 5] {
                check(&Generator::new(lines).with_population(population).with_profile(profile));
            }
        }
    }
}
