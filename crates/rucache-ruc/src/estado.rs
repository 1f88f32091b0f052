//! Estado del contribuyente: whether a taxpayer is active, and if not, how it left.

use std::fmt;

use crate::register_form::{cut, register_form};

/// Estado del contribuyente.
///
/// An open vocabulary: a term that SUNAT adds arrives as [`Estado::Other`]. Terms are compared
/// trimmed, in upper case, without accents, by their first 20 characters, so the long form and the
/// register's short form are the same term.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Estado {
    /// 00 ACTIVO.
    Activo,
    /// 01 BAJA PROVISIONAL.
    BajaProvisional,
    /// 02 BAJA PROV. POR OFICIO.
    BajaProvPorOficio,
    /// 03 SUSPENSION TEMPORAL.
    SuspensionTemporal,
    /// 10 BAJA DEFINITIVA.
    BajaDefinitiva,
    /// 11 BAJA DE OFICIO.
    BajaDeOficio,
    /// 12 BAJA MULT.INSCR. Y OTROS.
    BajaMultInscr,
    /// 20 NUM. INTERNO IDENTIF.
    NumInternoIdentif,
    /// 21 OTROS OBLIGADOS.
    OtrosObligados,
    /// 22 INHABILITADO-VENT.UNICA.
    InhabilitadoVentUnica,
    /// 30 ANULACION - ERROR SUNAT.
    AnulacionErrorSunat,
    /// ANUL.PROVI.-ACTO ILI, seen without a code.
    AnulProviActoIli,
    /// ANULACION - ACTO ILI, seen without a code.
    AnulacionActoIli,
    /// PENDIENTE DE INI. DE, seen without a code.
    PendienteDeIni,
    /// A term that is not known, in its register form.
    Other(Box<str>),
}

/// Every known term with its code and its longest known form.
static TERMS: [(Estado, Option<&str>, &str); 14] = [
    (Estado::Activo, Some("00"), "ACTIVO"),
    (Estado::BajaProvisional, Some("01"), "BAJA PROVISIONAL"),
    (Estado::BajaProvPorOficio, Some("02"), "BAJA PROV. POR OFICIO"),
    (Estado::SuspensionTemporal, Some("03"), "SUSPENSION TEMPORAL"),
    (Estado::BajaDefinitiva, Some("10"), "BAJA DEFINITIVA"),
    (Estado::BajaDeOficio, Some("11"), "BAJA DE OFICIO"),
    (Estado::BajaMultInscr, Some("12"), "BAJA MULT.INSCR. Y OTROS"),
    (Estado::NumInternoIdentif, Some("20"), "NUM. INTERNO IDENTIF."),
    (Estado::OtrosObligados, Some("21"), "OTROS OBLIGADOS"),
    (Estado::InhabilitadoVentUnica, Some("22"), "INHABILITADO-VENT.UNICA"),
    (Estado::AnulacionErrorSunat, Some("30"), "ANULACION - ERROR SUNAT"),
    (Estado::AnulProviActoIli, None, "ANUL.PROVI.-ACTO ILI"),
    (Estado::AnulacionActoIli, None, "ANULACION - ACTO ILI"),
    (Estado::PendienteDeIni, None, "PENDIENTE DE INI. DE"),
];

impl Estado {
    /// Reads a term in its long or its register form; never fails.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let form = register_form(text);
        match TERMS.iter().find(|(_, _, long)| cut(long) == form) {
            Some((estado, _, _)) => estado.clone(),
            None => Self::Other(form.into()),
        }
    }

    /// SUNAT's two-digit code, where one is known.
    #[must_use]
    pub fn code(&self) -> Option<&'static str> {
        self.term().and_then(|&(_, code, _)| code)
    }

    /// The longest form that is known: `BAJA MULT.INSCR. Y OTROS`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Other(text) => text,
            _ => self.term().map_or("", |&(_, _, long)| long),
        }
    }

    /// The form of the register, cut to 20 characters: `BAJA MULT.INSCR. Y O`.
    #[must_use]
    pub fn register_form(&self) -> &str {
        match self {
            Self::Other(text) => text,
            _ => self.term().map_or("", |(_, _, long)| cut(long)),
        }
    }

    fn term(&self) -> Option<&'static (Self, Option<&'static str>, &'static str)> {
        TERMS.iter().find(|(estado, _, _)| estado == self)
    }
}

impl fmt::Display for Estado {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_term_is_read_back_from_both_of_its_forms() {
        for (estado, _, long) in &TERMS {
            assert_eq!(Estado::parse(long), *estado);
            assert_eq!(Estado::parse(estado.register_form()), *estado);
            assert_eq!(estado.as_str(), *long);
        }
    }

    #[test]
    fn register_form_is_the_long_form_cut_to_twenty_characters() {
        assert_eq!(Estado::BajaProvPorOficio.register_form(), "BAJA PROV. POR OFICI");
        assert_eq!(Estado::BajaMultInscr.register_form(), "BAJA MULT.INSCR. Y O");
        assert_eq!(Estado::InhabilitadoVentUnica.register_form(), "INHABILITADO-VENT.UN");
    }

    #[test]
    fn case_accents_and_surrounding_space_do_not_matter() {
        assert_eq!(Estado::parse(" Suspensión temporal\t"), Estado::SuspensionTemporal);
        assert_eq!(Estado::parse("activo"), Estado::Activo);
    }

    #[test]
    fn unknown_term_is_kept_in_its_register_form() {
        let estado = Estado::parse("Reorganización de sociedades");
        assert_eq!(estado, Estado::Other("REORGANIZACION DE SO".into()));
        assert_eq!((estado.as_str(), estado.code()), ("REORGANIZACION DE SO", None));
        assert_eq!(Estado::parse(estado.as_str()), estado);
    }

    #[test]
    fn codes_are_those_of_sunat() {
        assert_eq!(Estado::Activo.code(), Some("00"));
        assert_eq!(Estado::AnulacionErrorSunat.code(), Some("30"));
        assert_eq!(Estado::PendienteDeIni.code(), None);
    }
}
