//! The two-digit prefixes SUNAT issues, and who stands behind each.

/// The first two digits of a RUC: what kind of taxpayer it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Prefix {
    /// 10: a natural person; digits 3 to 10 are the DNI. Personal data.
    NaturalPerson,
    /// 15: a person without DNI. Personal data.
    WithoutDni,
    /// 16: historic; some validators accept it and some refuse it, see [`PrefixPolicy`].
    Historic,
    /// 17: a person not domiciled in Peru. Personal data.
    NonDomiciled,
    /// 20: a legal entity.
    LegalEntity,
}

impl Prefix {
    /// Every prefix, in the order of its number.
    pub const ALL: [Self; 5] = [
        Self::NaturalPerson,
        Self::WithoutDni,
        Self::Historic,
        Self::NonDomiciled,
        Self::LegalEntity,
    ];

    /// The two digits as a number.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::NaturalPerson => 10,
            Self::WithoutDni => 15,
            Self::Historic => 16,
            Self::NonDomiciled => 17,
            Self::LegalEntity => 20,
        }
    }

    /// The two digits as text.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NaturalPerson => "10",
            Self::WithoutDni => "15",
            Self::Historic => "16",
            Self::NonDomiciled => "17",
            Self::LegalEntity => "20",
        }
    }

    /// Whether the number identifies a natural person (10, 15, 17), which Ley 29733 protects.
    #[must_use]
    pub const fn is_personal(self) -> bool {
        matches!(self, Self::NaturalPerson | Self::WithoutDni | Self::NonDomiciled)
    }

    /// The prefix of an eleven-digit number, when it is one that is issued.
    pub(crate) const fn of(number: u64) -> Option<Self> {
        match number / 1_000_000_000 {
            10 => Some(Self::NaturalPerson),
            15 => Some(Self::WithoutDni),
            16 => Some(Self::Historic),
            17 => Some(Self::NonDomiciled),
            20 => Some(Self::LegalEntity),
            _ => None,
        }
    }
}

/// What to do with the historic prefix 16.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum PrefixPolicy {
    /// 16 is a prefix like any other.
    #[default]
    AcceptHistoric,
    /// 16 breaks the prefix rule.
    RefuseHistoric,
}

impl PrefixPolicy {
    pub(crate) fn accepts(self, prefix: Prefix) -> bool {
        self == Self::AcceptHistoric || prefix != Prefix::Historic
    }
}
