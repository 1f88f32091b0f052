//! The names under which the domain's data is cached, and the tags it carries.

use rucache_core::{InvalidKey, Key, KeyKind, ServiceName};

use crate::lima::LimaDate;
use crate::number::Ruc;
use crate::taxpayer::Taxpayer;

/// The key of a number's record in `service`: `migo:ruc_20131312955`.
#[must_use]
pub fn ruc_key(service: &ServiceName, ruc: Ruc) -> Key {
    const RUC: KeyKind = KeyKind::new("ruc");
    Key::of_number(service, RUC, ruc.as_u64())
}

/// The key of the exchange rate of a currency on a day in Lima:
/// `migo:exchange_rate_USD_2026-01-28`.
///
/// # Errors
///
/// [`InvalidKey::NameTooLong`] for a currency of absurd length.
pub fn exchange_rate_key(
    service: &ServiceName,
    currency: &str,
    date: LimaDate,
) -> Result<Key, InvalidKey> {
    Key::of_kind(service, "exchange_rate", format_args!("{currency}_{date}"))
}

/// The tags that a record's entry carries: `estado_activo`, `condicion_no_habido`,
/// `ubigeo_150101`, as far as the record has them.
pub fn tags(record: &Taxpayer) -> impl Iterator<Item = String> {
    let estado = record.estado().map(|estado| tag("estado", estado.as_str()));
    let condicion = record.condicion().map(|condicion| tag("condicion", condicion.as_str()));
    let ubigeo = record.ubigeo().map(|ubigeo| tag("ubigeo", ubigeo));
    [estado, condicion, ubigeo].into_iter().flatten()
}

/// `{kind}_{term}` in lower case, every run of anything but ASCII letters and digits a single `_`.
fn tag(kind: &str, term: &str) -> String {
    let words = term.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.fold(kind.to_owned(), |mut tag, word| {
        tag.push('_');
        tag.push_str(&word.to_ascii_lowercase());
        tag
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::Field;

    fn record(estado: &str, condicion: &str, ubigeo: &str) -> Taxpayer {
        Taxpayer::builder("20131312955".parse().expect("a valid RUC"))
            .set(Field::EstadoDelContribuyente, estado)
            .set(Field::CondicionDeDomicilio, condicion)
            .set(Field::Ubigeo, ubigeo)
            .build()
    }

    #[test]
    fn record_is_cached_under_kind_and_number() {
        let migo = "migo".parse().expect("a service");
        let ruc = "20131312955".parse().expect("a valid RUC");
        let key = ruc_key(&migo, ruc);
        assert_eq!(key.as_str(), "migo:ruc_20131312955");
        assert_eq!(key.heap_len(), 0);
    }

    #[test]
    fn exchange_rate_is_cached_under_currency_and_day() {
        let migo = "migo".parse().expect("a service");
        let day = LimaDate::new(2026, 1, 28).expect("a date");
        let key = exchange_rate_key(&migo, "USD", day).expect("a key");
        assert_eq!(key.as_str(), "migo:exchange_rate_USD_2026-01-28");
    }

    #[test]
    fn tags_name_estado_condicion_and_ubigeo() {
        let tags: Vec<String> = tags(&record("ACTIVO", "NO HABIDO", "150101")).collect();
        assert_eq!(tags, ["estado_activo", "condicion_no_habido", "ubigeo_150101"]);
    }

    #[test]
    fn long_and_register_form_carry_the_same_tag() {
        let long: Vec<_> = tags(&record("BAJA MULT.INSCR. Y OTROS", "-", "")).collect();
        let short: Vec<_> = tags(&record("Baja mult.inscr. y o", "-", "")).collect();
        assert_eq!(long, ["estado_baja_mult_inscr_y_otros"]);
        assert_eq!(long, short);
    }
}
