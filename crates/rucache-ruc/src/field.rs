//! The fields of a taxpayer's record, under the names they have on the wire.

use std::fmt;

use crate::taxpayer::Taxpayer;

/// Declares each field once: its variant, its wire name and accessor, and what it holds.
macro_rules! fields {
    ($($(#[$doc:meta])+ $variant:ident $name:ident,)+) => {
        /// A field of the record beside the number itself, in wire order.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Field {
            $($(#[$doc])+ $variant,)+
        }

        impl Field {
            /// Every field, in wire order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The name on the wire: `nombre_o_razon_social`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => stringify!($name),)+
                }
            }

            /// What stands before its value in a JSON object that has other members before it.
            pub(crate) const fn opening(self) -> &'static str {
                match self {
                    $(Self::$variant => concat!(",\"", stringify!($name), "\":\""),)+
                }
            }

            /// The field of that wire name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $(stringify!($name) => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }

        impl Taxpayer {
            $(
                $(#[$doc])+
                #[must_use]
                pub fn $name(&self) -> Option<&str> {
                    self.get(Field::$variant)
                }
            )+
        }
    };
}

fields! {
    /// Name of the person or registered name of the entity.
    NombreORazonSocial nombre_o_razon_social,
    /// State of the taxpayer as text; [`Taxpayer::estado`] reads it.
    EstadoDelContribuyente estado_del_contribuyente,
    /// Condition of the address as text; [`Taxpayer::condicion`] reads it.
    CondicionDeDomicilio condicion_de_domicilio,
    /// Six-digit code of district, province and region.
    Ubigeo ubigeo,
    /// Kind of street: AV., JR., CAL.
    TipoDeVia tipo_de_via,
    /// Name of the street.
    NombreDeVia nombre_de_via,
    /// Kind of urban zone: URB., CND.
    CodigoDeZona codigo_de_zona,
    /// Name of the urban zone.
    TipoDeZona tipo_de_zona,
    /// House number.
    Numero numero,
    /// Number inside the building.
    Interior interior,
    /// Lot.
    Lote lote,
    /// Number of the flat; the register's column DEPARTAMENTO.
    Dpto dpto,
    /// Block.
    Manzana manzana,
    /// Kilometre of a road.
    Kilometro kilometro,
    /// District.
    Distrito distrito,
    /// Province.
    Provincia provincia,
    /// Region.
    Departamento departamento,
    /// Full address with district, province and region.
    Direccion direccion,
    /// Address without district, province and region.
    DireccionSimple direccion_simple,
    /// When the source last took the record from the register, as the source writes it.
    ActualizadoEn actualizado_en,
}

impl Field {
    /// Position in wire order.
    pub(crate) fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
