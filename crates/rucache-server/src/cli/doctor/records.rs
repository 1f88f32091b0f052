//! A cache under examination: what its users do with it, under names that nobody else uses.

use futures_util::StreamExt;
use rucache::core::{KeyKind, ServiceName};
use rucache::engine::Written;
use rucache::lookup::{Include, RegistryError, RucCache, Scope};
use rucache::ruc::{Field, Reason, Ruc, Taxpayer};
use rucache::{CacheError, Key, Ttl};
use serde_json::json;

use super::Found;
use super::patient::{Patient, SERVICE};
use crate::plain;

/// Numbers of legal entities begin here, and have eight digits more before the check digit.
const FIRST: u64 = 2_000_000_000;
const NUMBERS: u64 = 100_000_000;

/// Why a number is marked.
const REASON: &str = "TEST";

pub(super) struct Records<'a> {
    patient: &'a Patient,
    cache: rucache::Cache,
    rucs: RucCache,
    number: Ruc,
    /// A text that is no RUC, which the registry takes as well.
    text: String,
}

impl<'a> Records<'a> {
    pub(super) fn new(patient: &'a Patient, cache: rucache::Cache) -> Result<Self, String> {
        let service = ServiceName::from_static(SERVICE);
        let chance = patient.runtime.random();
        let number = Ruc::from_first_ten(FIRST + chance % NUMBERS).map_err(|e| e.to_string())?;
        let rucs = cache.ruc_in(&service);
        Ok(Self { patient, cache, rucs, number, text: format!("doctor-{chance:x}") })
    }

    /// What is set is read, once it is deleted it is not.
    pub(super) async fn set_get_delete(&self) -> Found {
        let (cache, key) = (&self.cache, self.key("values"));
        let value = json!({ "data": "value" });
        done(self.answer(cache.set(&key, &value, Ttl::SHORT).await)?)?;
        match self.answer(cache.get::<serde_json::Value>(&key).await)? {
            Some(read) if read == value => {}
            Some(_) => return Err("another value is read than was set".to_owned()),
            None => return Err("what was set is not read".to_owned()),
        }
        done(self.answer(cache.delete(&key).await)?.written)?;
        match self.answer(cache.get::<serde_json::Value>(&key).await)? {
            None => Ok(String::new()),
            Some(_) => Err("what was deleted is still read".to_owned()),
        }
    }

    /// The same with a taxpayer's record.
    pub(super) async fn set_get_delete_ruc(&self) -> Found {
        let (rucs, number) = (&self.rucs, self.number);
        let record = Taxpayer::builder(number).set(Field::NombreORazonSocial, "DOCTOR").build();
        done(self.answer(rucs.set(record.clone(), None).await)?)?;
        match rucs.get(&number).await {
            Some(hit) if *hit.record == record => {}
            Some(_) => return Err("another record is read than was set".to_owned()),
            None => return Err("the record that was set is not read".to_owned()),
        }
        done(self.answer(rucs.delete(&number).await)?.written)?;
        match rucs.get(&number).await {
            None => Ok(String::new()),
            Some(_) => Err("the record that was deleted is still read".to_owned()),
        }
    }

    /// Marks are there, counted, listed and taken off.
    pub(super) async fn marks(&self) -> Found {
        let (rucs, text) = (&self.rucs, &*self.text);
        for attempts in 1..=2 {
            let reason = Reason::new(REASON);
            let marked = self.answer(rucs.mark_invalid(text, reason, Some(Ttl::SHORT)).await)?;
            done(marked.written)?;
            if marked.record.attempts != attempts {
                let told = marked.record.attempts;
                return Err(format!("{told} attempts are counted after mark {attempts}"));
            }
        }
        if !rucs.is_invalid(text).await {
            return Err("a number that was marked is not invalid".to_owned());
        }
        match self.answer(rucs.invalid_info(text, Include::Active).await)? {
            Some(info) if info.attempts == 2 && info.reason.as_str() == REASON => {}
            Some(info) => return Err(format!("the mark is read as {} attempts", info.attempts)),
            None => return Err("what is known of a mark is not read".to_owned()),
        }
        let mut listed = std::pin::pin!(rucs.all_invalid());
        let mut is_listed = false;
        while let Some(record) = listed.next().await {
            is_listed |= self.answer(record)?.ruc == text;
        }
        if !is_listed {
            return Err("a number that was marked is not listed".to_owned());
        }
        self.take_off().await?;
        match rucs.is_invalid(text).await {
            false => Ok(String::new()),
            true => Err("a number is invalid still after its mark was taken off".to_owned()),
        }
    }

    /// One read that hits and one that misses are counted as that.
    pub(super) async fn statistics(&self) -> Found {
        let (cache, lookups) = (&self.cache, self.cache.lookups());
        let (key1, key2) = (self.key("key1"), self.key("key2"));
        done(self.answer(cache.set(&key1, "value1", Ttl::SHORT).await)?)?;
        lookups.reset_stats();
        let found = self.answer(cache.get::<String>(&key1).await)?;
        let missed = self.answer(cache.get::<String>(&key2).await)?;
        let stats = lookups.stats(Scope::Process).await;
        done(self.answer(cache.delete(&key1).await)?.written)?;
        match (found, missed, stats.hits, stats.misses) {
            (Some(_), None, 1, 1) => Ok(format!("backend {}", stats.backend)),
            (.., hits, misses) => {
                Err(format!("{hits} hits and {misses} misses are counted, 1 and 1 were made"))
            }
        }
    }

    /// Removes what a step left that did not come to its end.
    pub(super) async fn clean_up(&self) {
        for name in ["values", "key1"] {
            drop(self.cache.delete(&self.key(name)).await);
        }
        drop(self.rucs.delete(&self.number).await);
        drop(self.take_off().await);
    }

    async fn take_off(&self) -> Result<(), String> {
        done(self.answer(self.rucs.unmark_invalid(&self.text).await)?.written)
    }

    fn key(&self, name: &'static str) -> Key {
        let service = ServiceName::from_static(SERVICE);
        Key::of_number(&service, KeyKind::new(name), self.number.as_u64())
    }

    fn answer<T>(&self, answer: Result<T, impl Into<RegistryError>>) -> Result<T, String> {
        answer.map_err(|error| match error.into() {
            RegistryError::Cache(CacheError::Backend(error)) => self.patient.explained(error),
            error => plain::in_one_line(&error),
        })
    }
}

/// That a change was carried out.
fn done(written: Written) -> Result<(), String> {
    match written {
        Written::Done => Ok(()),
        Written::Deferred => {
            Err("the server did not confirm a change; it would be told again later".to_owned())
        }
    }
}
