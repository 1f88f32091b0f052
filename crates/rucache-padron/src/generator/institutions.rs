//! The public institutions that stand in the sample under their real number and name.

use rucache_ruc::Ruc;

use super::record::Record;
use crate::column::Column;

/// Number and name, by ascending number.
///
/// Public bodies only: their numbers and names are published by themselves.
const INSTITUTIONS: [(u64, &str); 4] = [
    (20_100_152_356, "SERV AGUA POTAB Y ALCANT DE LIMA-SEDAPAL"),
    (SUNAT, "SUPERINTENDENCIA NACIONAL DE ADUANAS Y DE ADMINISTRACION TRIBUTARIA - SUNAT"),
    (20_141_897_935, "MUNICIPALIDAD PROVINCIAL SANCHEZ CARRION"),
    (20_267_073_580, "SUPERINT. NAC. DE LOS REGISTROS PUBLICOS"),
];

const SUNAT: u64 = 20_131_312_955;

/// How many there are.
pub(crate) const COUNT: u64 = 4;

/// The institution of a place in the list, from 0.
pub(crate) fn institution(place: u64) -> Option<Record> {
    let &(number, name) = INSTITUTIONS.get(usize::try_from(place).ok()?)?;
    let mut record = Record::new(Ruc::try_from(number).ok()?, name);
    record.set(Column::EstadoDelContribuyente, "ACTIVO");
    record.set(Column::CondicionDeDomicilio, "HABIDO");
    // Of the others no address is stated rather than one that may be out of date.
    if number == SUNAT {
        record.set(Column::Ubigeo, "150101");
        record.set(Column::TipoDeVia, "AV.");
        record.set(Column::NombreDeVia, "GARCILASO DE LA VEGA");
        record.set(Column::Numero, "1472");
    }
    Some(record)
}

#[cfg(test)]
mod tests {
    use super::{COUNT, INSTITUTIONS, institution};

    #[test]
    fn every_institution_has_a_right_number_and_stands_in_order() {
        assert_eq!(u64::try_from(INSTITUTIONS.len()).unwrap(), COUNT);
        let numbers: Vec<_> = (0..COUNT).map(|place| institution(place).unwrap().ruc()).collect();
        assert!(numbers.is_sorted());
        assert!(institution(COUNT).is_none());
    }
}
