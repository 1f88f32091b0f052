//! Word lists the generator invents names and addresses from.

/// Trades, the first word of an invented company name.
pub(crate) const TRADES: [&str; 20] = [
    "AGROPECUARIA",
    "ALMACENES",
    "CERAMICAS",
    "COMERCIAL",
    "COMPAÑIA",
    "CONFECCIONES",
    "CONSTRUCTORA",
    "DISTRIBUIDORA",
    "FERRETERIA",
    "HILADOS",
    "IMPRENTA",
    "INVERSIONES",
    "LABORATORIOS",
    "LIBRERIA",
    "METALICAS",
    "PANIFICADORA",
    "PESQUERA",
    "SERVICIOS",
    "TEXTILES",
    "TRANSPORTES",
];

/// Emblems, the second word.
pub(crate) const EMBLEMS: [&str; 20] = [
    "ALPACA",
    "CAÑAVERAL",
    "CONDOR",
    "CORAL",
    "CUMBRE",
    "ESTRELLA",
    "FARO",
    "GARZA",
    "JACARANDA",
    "LAGUNA",
    "NEVADO",
    "PUMA",
    "QUENUA",
    "QUINUA",
    "RETAMA",
    "TOTORA",
    "TUCAN",
    "VICUÑA",
    "VIZCACHA",
    "ZORZAL",
];

/// Qualities, the third word.
pub(crate) const QUALITIES: [&str; 12] = [
    "AMARILLO",
    "AUSTRAL",
    "AZUL",
    "BLANCO",
    "CELESTE",
    "DEL ALBA",
    "DEL NORTE",
    "DORADO",
    "PLATEADO",
    "REAL",
    "SERENO",
    "VERDE",
];

/// Legal forms, with how many in a hundred have them.
pub(crate) const FORMS: [(&str, u32); 5] =
    [("S.A.C.", 45), ("E.I.R.L.", 30), ("S.R.L.", 15), ("S.A.", 8), ("S.A.A.", 2)];

/// Kinds of street.
pub(crate) const STREET_KINDS: [(&str, u32); 5] =
    [("AV.", 35), ("CAL.", 30), ("JR.", 25), ("PJ.", 7), ("CAR.", 3)];

/// Streets.
pub(crate) const STREETS: [&str; 16] = [
    "DE LA MUESTRA",
    "LAS ACACIAS",
    "LAS BEGONIAS",
    "LAS CANTUTAS",
    "LAS DALIAS",
    "LAS PEÑAS",
    "LOS ALAMOS",
    "LOS CEDROS",
    "LOS CLAVELES",
    "LOS EUCALIPTOS",
    "LOS GERANIOS",
    "LOS JAZMINES",
    "LOS MOLLES",
    "LOS NARANJOS",
    "LOS PINOS",
    "LOS TULIPANES",
];

/// Kinds of urban zone, each with names; most addresses have none.
pub(crate) const ZONES: [(&str, &str); 6] = [
    ("URB.", "EL EJEMPLO"),
    ("URB.", "LA MUESTRA"),
    ("A.H.", "LOS MODELOS"),
    ("COO.", "LA PRUEBA"),
    ("P.J.", "EL ENSAYO"),
    ("Z.I.", "LA MUESTRA"),
];

/// Blocks of houses.
pub(crate) const BLOCKS: [&str; 8] = ["A", "B", "C", "D", "E", "F", "G", "Ñ"];

/// District codes, with how many in a hundred companies lie there: Lima before all.
pub(crate) const UBIGEOS: [(&str, u32); 14] = [
    ("150101", 22),
    ("150103", 5),
    ("150115", 8),
    ("150122", 10),
    ("150130", 6),
    ("150131", 9),
    ("150140", 9),
    ("070101", 5),
    ("040101", 7),
    ("080101", 4),
    ("120101", 4),
    ("130101", 5),
    ("140101", 3),
    ("200101", 3),
];
