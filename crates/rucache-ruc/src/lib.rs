//! Peru's taxpayer numbers (RUC): the number, the record, its freshness and invalidation rules.
//!
//! Pure data and rules: no store, no runtime, no clock. Moments come in as plain values.
//!
//! # Example
//!
//! ```
//! use rucache_ruc::{Field, Fitness, Ruc, Taxpayer};
//!
//! let sunat: Ruc = "20131312955".parse()?;
//! let record = Taxpayer::builder(sunat)
//!     .set(Field::EstadoDelContribuyente, "ACTIVO")
//!     .set(Field::CondicionDeDomicilio, "HABIDO")
//!     .build();
//! assert_eq!(record.fitness(), Fitness::Fit);
//!
//! let wrong = "20131312956".parse::<Ruc>().unwrap_err();
//! assert_eq!((wrong.rule().as_str(), wrong.expected()), ("check_digit", Some(5)));
//! # Ok::<(), rucache_ruc::InvalidRuc>(())
//! ```

mod condicion;
mod estado;
mod exchange;
mod field;
mod fitness;
mod freshness;
mod invalid;
mod keys;
mod lima;
mod number;
mod outcome;
mod prefix;
mod provider;
mod reason;
mod register_form;
mod rules;
mod taxpayer;

pub use condicion::Condicion;
pub use estado::Estado;
pub use exchange::{Currency, Decimal, ExchangeRate, InvalidDecimal, RateQuery};
pub use field::Field;
pub use fitness::{Fitness, Impediment};
pub use freshness::{Freshness, Profile};
pub use invalid::{InvalidRuc, Rule};
pub use keys::{exchange_rate_key, ruc_key, tags};
pub use lima::{InvalidDate, LimaDate};
pub use number::Ruc;
pub use outcome::{Found, NotFound, Outcome, Unanswered};
pub use prefix::{Prefix, PrefixPolicy};
pub use provider::{
    Account, Allowance, Answer, CallResult, Cause, Coverage, Provider, Quote, Reply, SourceStatus,
    Unavailable,
};
pub use reason::{Reason, ReasonKind};
pub use rules::{RegisterChange, difference, rules};
pub use taxpayer::{RecordError, Taxpayer, TaxpayerBuilder};

/// Holds the README's examples to the truth.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
