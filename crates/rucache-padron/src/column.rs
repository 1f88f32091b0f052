//! The fifteen columns of the register and the header line that names them.

use rucache_ruc::Field;
use serde::{Deserialize, Serialize};

/// A column of the register, in the order of the file.
///
/// The serialised name is the field's name in a taxpayer record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Column {
    /// `RUC`: the number.
    Ruc,
    /// `NOMBRE O RAZÓN SOCIAL`: the name.
    NombreORazonSocial,
    /// `ESTADO DEL CONTRIBUYENTE`, cut to 20 characters by SUNAT.
    EstadoDelContribuyente,
    /// `CONDICIÓN DE DOMICILIO`.
    CondicionDeDomicilio,
    /// `UBIGEO`: the six-digit code of the district.
    Ubigeo,
    /// `TIPO DE VÍA`: avenue, street, passage …
    TipoDeVia,
    /// `NOMBRE DE VÍA`.
    NombreDeVia,
    /// `CÓDIGO DE ZONA`: the kind of urban zone, such as `URB.`.
    CodigoDeZona,
    /// `TIPO DE ZONA`: the name of that zone.
    TipoDeZona,
    /// `NÚMERO`: the number of the door.
    Numero,
    /// `INTERIOR`.
    Interior,
    /// `LOTE`.
    Lote,
    /// `DEPARTAMENTO`: the number of the flat, **not** the region.
    Dpto,
    /// `MANZANA`.
    Manzana,
    /// `KILÓMETRO`.
    Kilometro,
}

impl Column {
    /// How many columns a line has.
    pub const COUNT: usize = 15;

    /// Every column, in the order of the file.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Ruc,
        Self::NombreORazonSocial,
        Self::EstadoDelContribuyente,
        Self::CondicionDeDomicilio,
        Self::Ubigeo,
        Self::TipoDeVia,
        Self::NombreDeVia,
        Self::CodigoDeZona,
        Self::TipoDeZona,
        Self::Numero,
        Self::Interior,
        Self::Lote,
        Self::Dpto,
        Self::Manzana,
        Self::Kilometro,
    ];

    /// The column's title in the header line.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Ruc => "RUC",
            Self::NombreORazonSocial => "NOMBRE O RAZÓN SOCIAL",
            Self::EstadoDelContribuyente => "ESTADO DEL CONTRIBUYENTE",
            Self::CondicionDeDomicilio => "CONDICIÓN DE DOMICILIO",
            Self::Ubigeo => "UBIGEO",
            Self::TipoDeVia => "TIPO DE VÍA",
            Self::NombreDeVia => "NOMBRE DE VÍA",
            Self::CodigoDeZona => "CÓDIGO DE ZONA",
            Self::TipoDeZona => "TIPO DE ZONA",
            Self::Numero => "NÚMERO",
            Self::Interior => "INTERIOR",
            Self::Lote => "LOTE",
            Self::Dpto => "DEPARTAMENTO",
            Self::Manzana => "MANZANA",
            Self::Kilometro => "KILÓMETRO",
        }
    }

    /// The field of a record that the column fills; none for the number itself.
    pub const fn field(self) -> Option<Field> {
        Some(match self {
            Self::Ruc => return None,
            Self::NombreORazonSocial => Field::NombreORazonSocial,
            Self::EstadoDelContribuyente => Field::EstadoDelContribuyente,
            Self::CondicionDeDomicilio => Field::CondicionDeDomicilio,
            Self::Ubigeo => Field::Ubigeo,
            Self::TipoDeVia => Field::TipoDeVia,
            Self::NombreDeVia => Field::NombreDeVia,
            Self::CodigoDeZona => Field::CodigoDeZona,
            Self::TipoDeZona => Field::TipoDeZona,
            Self::Numero => Field::Numero,
            Self::Interior => Field::Interior,
            Self::Lote => Field::Lote,
            Self::Dpto => Field::Dpto,
            Self::Manzana => Field::Manzana,
            Self::Kilometro => Field::Kilometro,
        })
    }

    /// Where the column stands in a line, from 0.
    pub const fn index(self) -> usize {
        self as usize
    }
}

/// The header line as the register writes it, trailing pipe included, without a line end.
pub fn header() -> String {
    let mut line = String::new();
    for column in Column::ALL {
        line.push_str(column.title());
        line.push('|');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::{Column, header};

    #[test]
    fn index_is_the_place_in_the_file() {
        for (place, column) in Column::ALL.into_iter().enumerate() {
            assert_eq!(column.index(), place, "{}", column.title());
        }
    }

    #[test]
    fn column_and_field_have_one_name() {
        for column in Column::ALL {
            let name = column.field().map_or("ruc", |field| field.name());
            assert_eq!(serde_json::to_string(&column).unwrap(), format!("\"{name}\""));
        }
    }

    #[test]
    fn header_has_every_title_and_a_trailing_pipe() {
        assert_eq!(
            header(),
            "RUC|NOMBRE O RAZÓN SOCIAL|ESTADO DEL CONTRIBUYENTE|CONDICIÓN DE DOMICILIO|UBIGEO|\
             TIPO DE VÍA|NOMBRE DE VÍA|CÓDIGO DE ZONA|TIPO DE ZONA|NÚMERO|INTERIOR|LOTE|\
             DEPARTAMENTO|MANZANA|KILÓMETRO|"
        );
    }
}
