//! A loaded register as a source of taxpayer records.

use std::num::NonZeroUsize;
use std::sync::Arc;

use async_trait::async_trait;
use rucache_core::Timestamp;
use rucache_ruc::{Answer, Coverage, Provider, Ruc};

use crate::register::Register;

/// A register in memory that answers look-ups.
///
/// Its coverage is stated by whoever loads it: what a file does not hold says nothing about
/// whether the file is all there is.
///
/// ```
/// use rucache_padron::RegisterProvider;
/// use rucache_ruc::Coverage;
///
/// let register = rucache_padron::sample()?;
/// let provider = RegisterProvider::new("sample", register, Coverage::Partial);
/// # Ok::<(), rucache_padron::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct RegisterProvider {
    name: Arc<str>,
    register: Arc<Register>,
    coverage: Coverage,
    as_of: Option<Timestamp>,
}

impl RegisterProvider {
    /// A provider named `name`: [`Coverage::Partial`] for a sample, [`Coverage::LegalEntities`]
    /// for a register of prefix 20, [`Coverage::Full`] for all of SUNAT's.
    pub fn new(
        name: impl Into<Arc<str>>,
        register: impl Into<Arc<Register>>,
        coverage: Coverage,
    ) -> Self {
        Self { name: name.into(), register: register.into(), coverage, as_of: None }
    }

    /// The same, with the date of the data: the day SUNAT published the register.
    #[must_use]
    pub fn with_as_of(mut self, as_of: Timestamp) -> Self {
        self.as_of = Some(as_of);
        self
    }

    /// The register.
    pub fn register(&self) -> &Register {
        &self.register
    }

    fn answer(&self, ruc: Ruc) -> Answer {
        match self.register.get(ruc) {
            Some(record) => {
                Answer::Found { record: Arc::new(record), as_of: self.as_of, source: None }
            }
            // The number is there, its record is not: no proof of absence, whatever the coverage.
            None if self.register.is_damaged(ruc) => Answer::NotCovered,
            None => self.coverage.silence(ruc),
        }
    }
}

#[async_trait]
impl Provider for RegisterProvider {
    fn name(&self) -> &str {
        &self.name
    }

    fn coverage(&self) -> Coverage {
        self.coverage
    }

    /// No limit: nothing is sent anywhere.
    fn batch_limit(&self) -> NonZeroUsize {
        NonZeroUsize::MAX
    }

    async fn lookup(&self, ruc: Ruc) -> Answer {
        self.answer(ruc)
    }

    async fn lookup_many(&self, rucs: &[Ruc]) -> Vec<Answer> {
        rucs.iter().map(|&ruc| self.answer(ruc)).collect()
    }
}
