//! One invented taxpayer, as the values of a register line.

use std::borrow::Cow;

use rucache_ruc::{Condicion, Estado, Prefix, Ruc};

use super::random::Random;
use super::words;
use crate::column::Column;
use crate::encoding::encode;

/// What the register writes for nothing.
pub(crate) const ABSENT: &str = "-";

/// Estados and their share of the register, in thousandths.
pub(crate) const ESTADOS: [(Estado, u32); 6] = [
    (Estado::Activo, 509),
    (Estado::BajaDeOficio, 402),
    (Estado::BajaDefinitiva, 62),
    (Estado::SuspensionTemporal, 17),
    (Estado::BajaMultInscr, 9),
    (Estado::BajaProvPorOficio, 2),
];

/// Condiciones and their share, in thousandths; the shares are the generator's own.
pub(crate) const CONDICIONES: [(Condicion, u32); 7] = [
    (Condicion::Habido, 890),
    (Condicion::NoHabido, 60),
    (Condicion::NoHallado, 20),
    (Condicion::NoHalladoSeMudo, 10),
    (Condicion::NoHalladoNroPuerta, 5),
    (Condicion::Pendiente, 10),
    (Condicion::PorVerificar, 5),
];

/// The values of one line.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    ruc: Ruc,
    values: [Cow<'static, str>; Column::COUNT],
}

impl Record {
    /// A record with nothing but number and name.
    pub(crate) fn new(ruc: Ruc, name: impl Into<Cow<'static, str>>) -> Self {
        let mut values = [const { Cow::Borrowed(ABSENT) }; Column::COUNT];
        values[Column::Ruc.index()] = Cow::Owned(ruc.to_string());
        values[Column::NombreORazonSocial.index()] = name.into();
        Self { ruc, values }
    }

    /// Invents the taxpayer of a number; `serial` makes its name unique.
    pub(crate) fn invent(random: &mut Random, ruc: Ruc, serial: u64) -> Self {
        let mut record = Self::new(ruc, name(random, ruc, serial));
        let estado = random.weighted(&ESTADOS);
        record.set(Column::EstadoDelContribuyente, estado.register_form().to_owned());
        let condicion = random.weighted(&CONDICIONES).register_form().to_owned();
        record.set(Column::CondicionDeDomicilio, condicion);
        // Natural persons have no address in the register, and half of what left it has none.
        let stays = *estado == Estado::Activo || random.one_in(2);
        if ruc.prefix() == Prefix::LegalEntity && stays {
            record.invent_address(random);
        }
        record
    }

    pub(crate) fn ruc(&self) -> Ruc {
        self.ruc
    }

    pub(crate) fn get(&self, column: Column) -> &str {
        &self.values[column.index()]
    }

    pub(crate) fn set(&mut self, column: Column, value: impl Into<Cow<'static, str>>) {
        self.values[column.index()] = value.into();
    }

    /// The line in the register's encoding, trailing pipe included, without a line end.
    pub(crate) fn line(&self) -> Vec<u8> {
        let mut line = Vec::with_capacity(160);
        for value in &self.values {
            // The word lists hold nothing that the encoding lacks; a test holds them to it.
            line.extend(encode(value).unwrap_or_default());
            line.push(b'|');
        }
        line
    }

    fn invent_address(&mut self, random: &mut Random) {
        self.set(Column::Ubigeo, *random.weighted(&words::UBIGEOS));
        self.set(Column::TipoDeVia, *random.weighted(&words::STREET_KINDS));
        self.set(Column::NombreDeVia, *random.pick(&words::STREETS));
        // The register writes a run of dashes for a missing zone and one for the rest.
        self.set(Column::CodigoDeZona, "----");
        if random.one_in(3) {
            let (kind, name) = *random.pick(&words::ZONES);
            self.set(Column::CodigoDeZona, kind);
            self.set(Column::TipoDeZona, name);
        }
        match random.below(12) {
            0 => self.set(Column::Numero, "S/N"),
            1 => {
                self.set(Column::Manzana, *random.pick(&words::BLOCKS));
                self.set(Column::Lote, number(random, 1, 60));
            }
            2 => self.set(Column::Kilometro, format!("{}.5", 1 + random.below(900))),
            _ => self.set(Column::Numero, number(random, 100, 4_900)),
        }
        if random.one_in(6) {
            self.set(Column::Interior, number(random, 101, 900));
        }
        if random.one_in(8) {
            self.set(Column::Dpto, number(random, 101, 1_900));
        }
    }
}

/// An invented name that nobody takes for a real one.
pub(crate) fn name(random: &mut Random, ruc: Ruc, serial: u64) -> String {
    match ruc.prefix() {
        Prefix::NaturalPerson => format!("PERSONA NATURAL DE MUESTRA {serial:06}"),
        Prefix::WithoutDni => format!("PERSONA SIN DNI DE MUESTRA {serial:06}"),
        Prefix::NonDomiciled => format!("NO DOMICILIADO DE MUESTRA {serial:06}"),
        _ => format!(
            "{} {} {} DE MUESTRA {serial:06} {}",
            random.pick(&words::TRADES),
            random.pick(&words::EMBLEMS),
            random.pick(&words::QUALITIES),
            random.weighted(&words::FORMS),
        ),
    }
}

fn number(random: &mut Random, first: u64, count: u64) -> String {
    (first + random.below(count)).to_string()
}

#[cfg(test)]
mod tests {
    use rucache_ruc::Ruc;

    use super::{ABSENT, Record};
    use crate::column::Column;
    use crate::encoding::encode;
    use crate::generator::random::Random;
    use crate::generator::words;

    #[test]
    fn every_word_has_bytes_in_the_encoding_and_no_pipe() {
        let lists = [&words::TRADES[..], &words::EMBLEMS, &words::QUALITIES, &words::STREETS];
        for word in lists.into_iter().flatten() {
            assert!(encode(word).is_some_and(|bytes| !bytes.contains(&b'|')), "{word}");
        }
    }

    #[test]
    fn natural_persons_have_no_address_and_say_that_they_are_samples() {
        for number in [10_000_000_006_u64, 15_000_000_008] {
            let ruc = Ruc::try_from(number).unwrap();
            let record = Record::invent(&mut Random::new(3), ruc, 12);
            assert!(record.get(Column::NombreORazonSocial).contains("DE MUESTRA"));
            for column in &Column::ALL[Column::Ubigeo.index()..] {
                assert_eq!(record.get(*column), ABSENT);
            }
        }
    }
}
