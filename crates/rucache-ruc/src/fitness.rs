//! Whether a taxpayer can receive a factura.

use std::fmt;

use crate::condicion::Condicion;
use crate::estado::Estado;
use crate::taxpayer::Taxpayer;

/// Whether a factura can be issued to a taxpayer: it must be ACTIVO and HABIDO.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Fitness {
    /// ACTIVO and HABIDO.
    Fit,
    /// Everything that speaks against it, at least one.
    Unfit(Vec<Impediment>),
}

impl Fitness {
    /// Whether nothing speaks against a factura.
    #[must_use]
    pub const fn is_fit(&self) -> bool {
        matches!(self, Self::Fit)
    }

    /// What speaks against a factura; empty when fit.
    #[must_use]
    pub fn impediments(&self) -> &[Impediment] {
        match self {
            Self::Fit => &[],
            Self::Unfit(impediments) => impediments,
        }
    }
}

/// One thing that speaks against a factura.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Impediment {
    /// The record does not state the state of the taxpayer.
    EstadoAbsent,
    /// The taxpayer is not ACTIVO.
    NotActivo(Estado),
    /// The record does not state the condition of the address.
    CondicionAbsent,
    /// The taxpayer is not HABIDO.
    NotHabido(Condicion),
}

impl fmt::Display for Impediment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EstadoAbsent => f.write_str("the record states no estado"),
            Self::NotActivo(estado) => write!(f, "estado is {estado}, not ACTIVO"),
            Self::CondicionAbsent => f.write_str("the record states no condición"),
            Self::NotHabido(condicion) => write!(f, "condición is {condicion}, not HABIDO"),
        }
    }
}

impl Taxpayer {
    /// Whether a factura can be issued to this taxpayer, as far as the record tells.
    pub fn fitness(&self) -> Fitness {
        let estado = match self.estado() {
            None => Some(Impediment::EstadoAbsent),
            Some(Estado::Activo) => None,
            Some(estado) => Some(Impediment::NotActivo(estado)),
        };
        let condicion = match self.condicion() {
            None => Some(Impediment::CondicionAbsent),
            Some(Condicion::Habido) => None,
            Some(condicion) => Some(Impediment::NotHabido(condicion)),
        };
        let impediments: Vec<_> = estado.into_iter().chain(condicion).collect();
        if impediments.is_empty() { Fitness::Fit } else { Fitness::Unfit(impediments) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::Field;

    fn fitness(estado: &str, condicion: &str) -> Fitness {
        let ruc = "20131312955".parse().expect("a valid RUC");
        Taxpayer::builder(ruc)
            .set(Field::EstadoDelContribuyente, estado)
            .set(Field::CondicionDeDomicilio, condicion)
            .build()
            .fitness()
    }

    #[test]
    fn activo_and_habido_is_fit() {
        assert_eq!(fitness("ACTIVO", "HABIDO"), Fitness::Fit);
        assert!(fitness("activo ", "Habido").is_fit());
    }

    #[test]
    fn everything_that_speaks_against_it_is_listed() {
        let unfit = fitness("BAJA DE OFICIO", "NO HABIDO");
        assert_eq!(
            unfit.impediments(),
            [
                Impediment::NotActivo(Estado::BajaDeOficio),
                Impediment::NotHabido(Condicion::NoHabido),
            ]
        );
        assert_eq!(unfit.impediments()[0].to_string(), "estado is BAJA DE OFICIO, not ACTIVO");
    }

    #[test]
    fn absent_is_an_impediment_of_its_own() {
        assert_eq!(fitness("ACTIVO", "-").impediments(), [Impediment::CondicionAbsent]);
        assert_eq!(fitness("", "HABIDO").impediments(), [Impediment::EstadoAbsent]);
    }
}
