//! One key at a time, and JSON values: the backend as a plain typed cache.

use async_trait::async_trait;
use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::backend::{Answers, Companions};
use crate::{
    Backend, Error, ErrorKind, Key, Operation, Precondition, Stored, Ttl, Write, WriteOutcome,
};

/// Conveniences over every [`Backend`]: a team can use an adapter with these alone.
///
/// Values written here are bare, without the envelope: an engine on the same store does not read
/// them, nor does this read an engine's.
#[async_trait]
pub trait BackendExt: Backend {
    /// The entry of one key.
    ///
    /// # Errors
    ///
    /// The backend's, when it cannot answer.
    async fn get(&self, key: &Key) -> Result<Option<Stored>, Error> {
        let answers = self.get_many(std::slice::from_ref(key), Companions::None).await;
        Ok(self.only(answers, Operation::Get)?.entry)
    }

    /// Writes one entry in any case.
    ///
    /// # Errors
    ///
    /// The backend's, when it cannot write or does not say that it has.
    async fn set(&self, key: &Key, value: Bytes, ttl: Ttl) -> Result<(), Error> {
        self.write(Write { key: key.clone(), value, ttl, when: Precondition::Always }).await?;
        Ok(())
    }

    /// Writes one entry under its precondition.
    ///
    /// # Errors
    ///
    /// The backend's, when it cannot write or does not say that it has.
    async fn write(&self, write: Write) -> Result<WriteOutcome, Error> {
        let answers = self.write_many(&[write]).await;
        self.only(answers, Operation::Write)
    }

    /// Deletes one entry; `true` when there was one.
    ///
    /// # Errors
    ///
    /// The backend's, when it cannot delete or does not say that it has.
    async fn delete(&self, key: &Key) -> Result<bool, Error> {
        let answers = self.delete_many(std::slice::from_ref(key)).await;
        self.only(answers, Operation::Delete)
    }

    /// The value of one key, read from JSON; an entry kept as stale is no value.
    ///
    /// # Errors
    ///
    /// The backend's, or [`ErrorKind::Codec`] when the bytes are no `T`.
    async fn get_json<T: DeserializeOwned>(&self, key: &Key) -> Result<Option<T>, Error> {
        let Some(stored) = self.get(key).await?.filter(|stored| !stored.stale) else {
            return Ok(None);
        };
        serde_json::from_slice(&stored.value)
            .map(Some)
            .map_err(|source| self.codec_error(Operation::Get, source))
    }

    /// Writes one value as JSON in any case.
    ///
    /// # Errors
    ///
    /// The backend's, or [`ErrorKind::Codec`] when `value` has no JSON form.
    async fn set_json<T: Serialize + Sync>(
        &self,
        key: &Key,
        value: &T,
        ttl: Ttl,
    ) -> Result<(), Error> {
        let json = serde_json::to_vec(value)
            .map_err(|source| self.codec_error(Operation::Write, source))?;
        self.set(key, json.into(), ttl).await
    }

    #[doc(hidden)]
    fn only<T>(&self, mut answers: Answers<T>, operation: Operation) -> Result<T, Error> {
        answers.pop().unwrap_or_else(|| {
            Err(Error::new(ErrorKind::Protocol, self.capabilities().name, operation))
        })
    }

    #[doc(hidden)]
    fn codec_error(&self, operation: Operation, source: serde_json::Error) -> Error {
        Error::new(ErrorKind::Codec, self.capabilities().name, operation).with_source(source)
    }
}

impl<B: Backend + ?Sized> BackendExt for B {}
