//! What a source covers, as text.

use rucache_ruc::Coverage;

/// What a coverage is called.
const NAMES: [(&str, Coverage); 3] = [
    ("full", Coverage::Full),
    ("legal_entities", Coverage::LegalEntities),
    ("partial", Coverage::Partial),
];

/// The coverage called `name`.
pub(super) fn read(name: &str) -> Result<Coverage, String> {
    let known = NAMES.iter().find(|(known, _)| *known == name);
    known.map(|(_, coverage)| *coverage).ok_or_else(|| "there is no such coverage".to_owned())
}

/// What `coverage` is called.
pub(super) fn name(coverage: Coverage) -> &'static str {
    NAMES.iter().find(|(_, known)| *known == coverage).map_or("unset", |(name, _)| name)
}
