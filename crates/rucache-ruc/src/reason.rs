//! Why a number is in the negative registry.

use std::borrow::Cow;
use std::fmt;

/// The groups in which reasons are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ReasonKind {
    /// The register has no such number.
    NoExisteSunat,
    /// The text is no RUC.
    FormatoInvalido,
    /// The source failed; says nothing about the number.
    ErrorApi,
    /// Any other reason that a caller gave.
    Otro,
}

impl ReasonKind {
    /// Every group.
    pub const ALL: [Self; 4] =
        [Self::NoExisteSunat, Self::FormatoInvalido, Self::ErrorApi, Self::Otro];

    /// The canonical name: `NO_EXISTE_SUNAT`, `FORMATO_INVALIDO`, `ERROR_API`, `OTRO`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoExisteSunat => "NO_EXISTE_SUNAT",
            Self::FormatoInvalido => "FORMATO_INVALIDO",
            Self::ErrorApi => "ERROR_API",
            Self::Otro => "OTRO",
        }
    }
}

impl fmt::Display for ReasonKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Why a number is in the negative registry: a text, and the group in which it counts.
///
/// The text comes back as it was given; aliases and unknown texts only differ in their group. In
/// serde it is that text.
///
/// ```
/// use rucache_ruc::{Reason, ReasonKind};
///
/// let reason = Reason::new("NOT_FOUND");
/// assert_eq!(reason.as_str(), "NOT_FOUND");
/// assert_eq!(reason.kind(), ReasonKind::NoExisteSunat);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reason {
    kind: ReasonKind,
    text: Cow<'static, str>,
}

impl Reason {
    /// The register has no such number.
    pub const NO_EXISTE_SUNAT: Self = Self::canonical(ReasonKind::NoExisteSunat);
    /// The text is no RUC.
    pub const FORMATO_INVALIDO: Self = Self::canonical(ReasonKind::FormatoInvalido);
    /// The source failed.
    pub const ERROR_API: Self = Self::canonical(ReasonKind::ErrorApi);

    /// Takes the text that a caller gave; never fails.
    ///
    /// Canonical names and their aliases are recognised in any case and with surrounding space.
    #[must_use]
    pub fn new(text: impl Into<Cow<'static, str>>) -> Self {
        let text = text.into();
        let kind = match text.trim().to_ascii_uppercase().as_str() {
            "NO_EXISTE_SUNAT" | "NOT_FOUND" | "404_NOT_FOUND" | "RUC_NO_EXISTE_SUNAT" => {
                ReasonKind::NoExisteSunat
            }
            "FORMATO_INVALIDO" | "INVALID_FORMAT" | "INVALIDO" => ReasonKind::FormatoInvalido,
            "ERROR_API" => ReasonKind::ErrorApi,
            _ => ReasonKind::Otro,
        };
        Self { kind, text }
    }

    const fn canonical(kind: ReasonKind) -> Self {
        Self { kind, text: Cow::Borrowed(kind.as_str()) }
    }

    /// The group in which it counts.
    #[must_use]
    pub const fn kind(&self) -> ReasonKind {
        self.kind
    }

    /// The text as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl From<ReasonKind> for Reason {
    fn from(kind: ReasonKind) -> Self {
        Self::canonical(kind)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl serde::Serialize for Reason {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> serde::Deserialize<'de> for Reason {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aliases_count_under_their_canonical_name() {
        for (kind, texts) in [
            (
                ReasonKind::NoExisteSunat,
                &["NO_EXISTE_SUNAT", "NOT_FOUND", "404_NOT_FOUND", "RUC_NO_EXISTE_SUNAT"][..],
            ),
            (ReasonKind::FormatoInvalido, &["FORMATO_INVALIDO", "INVALID_FORMAT", "INVALIDO"]),
            (ReasonKind::ErrorApi, &["ERROR_API", " error_api "]),
            (ReasonKind::Otro, &["DADO_DE_BAJA", ""]),
        ] {
            for text in texts {
                assert_eq!(Reason::new(*text).kind(), kind, "{text}");
            }
        }
    }

    #[test]
    fn text_comes_back_as_it_was_given() {
        for text in ["invalid_format", " NOT_FOUND ", "Cliente moroso"] {
            let reason = Reason::new(text);
            assert_eq!(reason.as_str(), text);
            let json = serde_json::to_string(&reason).expect("a string");
            assert_eq!(serde_json::from_str::<Reason>(&json).expect("a reason"), reason);
        }
    }

    #[test]
    fn canonical_names_are_their_own_text() {
        for kind in ReasonKind::ALL {
            assert_eq!(Reason::new(kind.as_str()), Reason::from(kind));
        }
    }
}
