//! Condición de domicilio: whether SUNAT could find a taxpayer at its address.

use std::fmt;

use crate::register_form::{cut, register_form};

/// Condición de domicilio.
///
/// An open vocabulary, read like [`Estado`](crate::Estado). A record without one has none: absent
/// is not NO HABIDO.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Condicion {
    /// 00 HABIDO.
    Habido,
    /// 01 NO HALLADO SE MUDO DE DOMICILIO.
    NoHalladoSeMudo,
    /// 02 NO HALLADO FALLECIO.
    NoHalladoFallecio,
    /// 03 NO HALLADO NO EXISTE DOMICILIO.
    NoHalladoNoExiste,
    /// 04 NO HALLADO CERRADO.
    NoHalladoCerrado,
    /// 05 NO HALLADO NRO.PUERTA NO EXISTE.
    NoHalladoNroPuerta,
    /// 06 NO HALLADO DESTINATARIO DESCONOCIDO.
    NoHalladoDestinatario,
    /// 07 NO HALLADO RECHAZADO.
    NoHalladoRechazado,
    /// 08 NO HALLADO OTROS MOTIVOS.
    NoHalladoOtrosMotivos,
    /// 09 PENDIENTE.
    Pendiente,
    /// 10 NO APLICABLE.
    NoAplicable,
    /// 11 POR VERIFICAR.
    PorVerificar,
    /// 12 NO HABIDO.
    NoHabido,
    /// 20 NO HALLADO.
    NoHallado,
    /// A term that is not known, in its register form.
    Other(Box<str>),
}

/// Every known term with its code and its long form.
static TERMS: [(Condicion, &str, &str); 14] = [
    (Condicion::Habido, "00", "HABIDO"),
    (Condicion::NoHalladoSeMudo, "01", "NO HALLADO SE MUDO DE DOMICILIO"),
    (Condicion::NoHalladoFallecio, "02", "NO HALLADO FALLECIO"),
    (Condicion::NoHalladoNoExiste, "03", "NO HALLADO NO EXISTE DOMICILIO"),
    (Condicion::NoHalladoCerrado, "04", "NO HALLADO CERRADO"),
    (Condicion::NoHalladoNroPuerta, "05", "NO HALLADO NRO.PUERTA NO EXISTE"),
    (Condicion::NoHalladoDestinatario, "06", "NO HALLADO DESTINATARIO DESCONOCIDO"),
    (Condicion::NoHalladoRechazado, "07", "NO HALLADO RECHAZADO"),
    (Condicion::NoHalladoOtrosMotivos, "08", "NO HALLADO OTROS MOTIVOS"),
    (Condicion::Pendiente, "09", "PENDIENTE"),
    (Condicion::NoAplicable, "10", "NO APLICABLE"),
    (Condicion::PorVerificar, "11", "POR VERIFICAR"),
    (Condicion::NoHabido, "12", "NO HABIDO"),
    (Condicion::NoHallado, "20", "NO HALLADO"),
];

impl Condicion {
    /// Reads a term in its long or its register form; never fails.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let form = register_form(text);
        match TERMS.iter().find(|(_, _, long)| cut(long) == form) {
            Some((condicion, _, _)) => condicion.clone(),
            None => Self::Other(form.into()),
        }
    }

    /// SUNAT's two-digit code; an unknown term has none.
    #[must_use]
    pub fn code(&self) -> Option<&'static str> {
        self.term().map(|&(_, code, _)| code)
    }

    /// The long form: `NO HALLADO SE MUDO DE DOMICILIO`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Other(text) => text,
            _ => self.term().map_or("", |&(_, _, long)| long),
        }
    }

    /// The form of the register, cut to 20 characters: `NO HALLADO SE MUDO D`.
    #[must_use]
    pub fn register_form(&self) -> &str {
        match self {
            Self::Other(text) => text,
            _ => self.term().map_or("", |(_, _, long)| cut(long)),
        }
    }

    /// Whether it is one of the NO HALLADO terms, with or without a motive.
    #[must_use]
    pub fn is_no_hallado(&self) -> bool {
        self.as_str().starts_with("NO HALLADO")
    }

    fn term(&self) -> Option<&'static (Self, &'static str, &'static str)> {
        TERMS.iter().find(|(condicion, _, _)| condicion == self)
    }
}

impl fmt::Display for Condicion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_term_is_read_back_from_both_of_its_forms() {
        for (condicion, code, long) in &TERMS {
            assert_eq!(Condicion::parse(long), *condicion);
            assert_eq!(Condicion::parse(condicion.register_form()), *condicion);
            assert_eq!((condicion.as_str(), condicion.code()), (*long, Some(*code)));
        }
    }

    #[test]
    fn motives_stay_apart_in_the_register_form() {
        assert_eq!(Condicion::parse("NO HALLADO NO EXISTE"), Condicion::NoHalladoNoExiste);
        assert_eq!(Condicion::parse("NO HALLADO NRO.PUERT"), Condicion::NoHalladoNroPuerta);
        assert_eq!(Condicion::parse("no hallado"), Condicion::NoHallado);
    }

    #[test]
    fn every_no_hallado_is_one_and_no_habido_is_none() {
        let count = TERMS.iter().filter(|(condicion, _, _)| condicion.is_no_hallado()).count();
        assert_eq!(count, 9);
        assert!(Condicion::parse("NO HALLADO VIAJE").is_no_hallado());
        assert!(!Condicion::NoHabido.is_no_hallado());
    }
}
