//! The taxpayer's record in one allocation.

mod builder;
mod json;

use std::fmt;

use crate::condicion::Condicion;
use crate::estado::Estado;
use crate::field::Field;
use crate::number::Ruc;

pub use builder::TaxpayerBuilder;
pub use json::RecordError;

/// Stands between two values; values never hold a control character.
const SEPARATOR: u8 = 0x1f;

/// What the tax register, or an API in front of it, says about a taxpayer.
///
/// Any subset of the fields is a legal record; a field that is absent, empty or a run of dashes in
/// the source is absent here and in JSON. Fields that only one provider knows survive a round
/// trip. In serde it is a map of strings under the Spanish names of the wire.
///
/// A record is its number and one text: a million of them, each of about 500 bytes as JSON, take
/// some 250 MB.
///
/// ```
/// use rucache_ruc::{Condicion, Estado, Taxpayer};
///
/// let record: Taxpayer = serde_json::from_str(
///     r#"{"ruc": "20131312955", "estado_del_contribuyente": "ACTIVO", "numero": "-"}"#,
/// )?;
/// assert_eq!(record.estado(), Some(Estado::Activo));
/// assert_eq!(record.condicion(), None);
/// assert_eq!(record.numero(), None);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Taxpayer {
    ruc: Ruc,
    /// The values in wire order, then the provider's own fields as a JSON object; separated by
    /// [`SEPARATOR`], absent ones empty, trailing separators left out.
    text: Box<str>,
}

impl Taxpayer {
    /// Starts a record of `ruc`.
    #[must_use]
    pub fn builder(ruc: Ruc) -> TaxpayerBuilder {
        TaxpayerBuilder::new(ruc)
    }

    /// The number.
    #[must_use]
    pub const fn ruc(&self) -> Ruc {
        self.ruc
    }

    /// The value of `field`, never empty. Costs a scan over the values before it.
    #[must_use]
    pub fn get(&self, field: Field) -> Option<&str> {
        self.segment(field.index())
    }

    /// The fields that are present, in wire order.
    pub fn fields(&self) -> impl Iterator<Item = (Field, &str)> {
        Field::ALL.iter().copied().zip(self.segments()).filter(|(_, value)| !value.is_empty())
    }

    /// The fields that only the provider knows, as the text of a JSON object.
    #[must_use]
    pub fn extra_json(&self) -> Option<&str> {
        self.segment(Field::ALL.len())
    }

    /// State of the taxpayer.
    #[must_use]
    pub fn estado(&self) -> Option<Estado> {
        self.estado_del_contribuyente().map(Estado::parse)
    }

    /// Condition of the address; absent stays absent.
    #[must_use]
    pub fn condicion(&self) -> Option<Condicion> {
        self.condicion_de_domicilio().map(Condicion::parse)
    }

    /// Bytes on the heap that the record keeps alive, beside `size_of::<Taxpayer>()`.
    #[must_use]
    pub const fn heap_size(&self) -> usize {
        self.text.len()
    }

    fn segment(&self, index: usize) -> Option<&str> {
        self.segments().nth(index).filter(|value| !value.is_empty())
    }

    /// The values in wire order. Twice as fast as `str::split` on values of a few bytes.
    fn segments(&self) -> impl Iterator<Item = &str> {
        let mut rest = Some(&*self.text);
        std::iter::from_fn(move || {
            let text = rest?;
            let Some(end) = text.bytes().position(|byte| byte == SEPARATOR) else {
                return rest.take();
            };
            rest = text.get(end + 1..);
            text.get(..end)
        })
    }
}

impl fmt::Debug for Taxpayer {
    /// Of a natural person only the masked number and the names of the fields are shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut record = f.debug_struct("Taxpayer");
        record.field("ruc", &self.ruc);
        for (field, value) in self.fields() {
            if self.ruc.is_personal() {
                record.field(field.name(), &"*");
            } else {
                record.field(field.name(), &value);
            }
        }
        record.finish_non_exhaustive()
    }
}
