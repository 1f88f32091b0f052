//! Changing entries, one by one and in groups.

use std::sync::Arc;

use rucache_core::observer::{CacheOperation, Origin};
use rucache_core::{InvalidKey, Key};

use super::{Cache, Cacheable};
use crate::engine::Engine;
use crate::name::KeyName;
use crate::{CacheError, Loaded, Only, Policy, Removed, Written};

impl Cache {
    /// Stores `value` as `name`. A load of the name that is running will not be stored over it.
    ///
    /// # Errors
    ///
    /// - [`CacheError::Key`] when the name cannot be a key.
    /// - [`CacheError::TooLarge`] or [`CacheError::Codec`] when the value cannot be stored; what was
    ///   stored before is gone then, since it is outdated.
    pub async fn set<T>(
        &self,
        name: &(impl KeyName + Sync + ?Sized),
        value: &T,
        policy: impl Into<Policy>,
    ) -> Result<Written, CacheError>
    where
        T: ToOwned + ?Sized,
        T::Owned: Cacheable,
    {
        self.put(name, Loaded::<T::Owned>::new(value.to_owned()), policy).await
    }

    /// Stores `value` as `name` without copying it; otherwise as [`set`](Self::set).
    ///
    /// # Errors
    ///
    /// Those of [`set`](Self::set).
    pub async fn set_shared<T: Cacheable>(
        &self,
        name: &(impl KeyName + Sync + ?Sized),
        value: Arc<T>,
        policy: impl Into<Policy>,
    ) -> Result<Written, CacheError> {
        self.put(name, Loaded::<T>::new(value), policy).await
    }

    /// Stores as `name` what a loader would bring: a value with tags, or a verdict that there is
    /// none, of which every one counts. [`Loaded::absent`] removes what is there.
    ///
    /// # Errors
    ///
    /// Those of [`set`](Self::set), and [`CacheError::Tags`].
    pub async fn put<T: Cacheable>(
        &self,
        name: &(impl KeyName + Sync + ?Sized),
        loaded: Loaded<T>,
        policy: impl Into<Policy>,
    ) -> Result<Written, CacheError> {
        let key = name.in_service(&self.service)?.into_owned();
        let (loaded, policy) = (loaded.measured(), policy.into());
        let put = |engine: Arc<Engine>| async move { engine.put(&key, loaded, policy).await };
        self.change(CacheOperation::Set, put).await
    }

    /// Removes the value of `name`. A load of the name that is running will not be stored.
    ///
    /// # Errors
    ///
    /// [`CacheError::Key`] when the name cannot be a key.
    pub async fn delete(
        &self,
        name: &(impl KeyName + Sync + ?Sized),
    ) -> Result<Removed, CacheError> {
        let key = name.in_service(&self.service)?.into_owned();
        let remove = |engine: Arc<Engine>| async move { engine.remove(&key, Origin::Local).await };
        self.change(CacheOperation::Delete, remove).await
    }

    /// Removes what stands under `name` if it is a value, or if it is a verdict, as `only` says.
    ///
    /// # Errors
    ///
    /// Those of [`delete`](Self::delete).
    pub async fn delete_only(
        &self,
        name: &(impl KeyName + Sync + ?Sized),
        only: Only,
    ) -> Result<Removed, CacheError> {
        let key = name.in_service(&self.service)?.into_owned();
        let remove = |engine: Arc<Engine>| async move { engine.remove_only(&key, only).await };
        self.change(CacheOperation::Delete, remove).await
    }

    /// Keeps the value of `name` only as a fallback, for as long as it would have been kept. A load
    /// of the name that is running will not be stored.
    ///
    /// # Errors
    ///
    /// [`CacheError::Key`] when the name cannot be a key.
    pub async fn expire(
        &self,
        name: &(impl KeyName + Sync + ?Sized),
    ) -> Result<Removed, CacheError> {
        let key = name.in_service(&self.service)?.into_owned();
        let expire = |engine: Arc<Engine>| async move { engine.expire(&key, Origin::Local).await };
        self.change(CacheOperation::Delete, expire).await
    }

    /// Removes every value of this handle's service that carries `tag`, however many they are: two
    /// changes at each node of the backend. Loads that are running will not be stored with it.
    ///
    /// # Errors
    ///
    /// [`CacheError::Key`] when the tag is empty or longer than 256 bytes.
    pub async fn invalidate_tag(&self, tag: &str) -> Result<Written, CacheError> {
        let len = tag.len();
        if len > rucache_core::envelope::MAX_TAG_LEN {
            return Err(InvalidKey::NameTooLong { len }.into());
        }
        let tag = Key::new(&self.service, tag)?;
        let raise =
            |engine: Arc<Engine>| async move { engine.invalidate_tag(&tag, Origin::Local).await };
        self.change(CacheOperation::Invalidate, raise).await
    }

    /// Removes every value of this handle's service, however many they are: one change at each node
    /// of the backend. Loads that are running will not be stored.
    ///
    /// # Errors
    ///
    /// [`CacheError::Backend`] when the backend cannot do that at all.
    pub async fn clear(&self) -> Result<Written, CacheError> {
        let service = self.service.clone();
        let raise =
            |engine: Arc<Engine>| async move { engine.clear(&service, Origin::Local).await };
        self.change(CacheOperation::Clear, raise).await
    }

    /// Removes every value of every service, as [`clear`](Self::clear) does those of one.
    ///
    /// # Errors
    ///
    /// [`CacheError::Backend`] when the backend cannot do that at all.
    pub async fn clear_all(&self) -> Result<Written, CacheError> {
        let raise = |engine: Arc<Engine>| async move { engine.clear_all().await };
        self.change(CacheOperation::Clear, raise).await
    }

    /// A change to its end, and told.
    async fn change<T: Send + 'static, F>(
        &self,
        operation: CacheOperation,
        change: impl FnOnce(Arc<Engine>) -> F,
    ) -> Result<T, CacheError>
    where
        F: Future<Output = Result<T, CacheError>> + Send + 'static,
    {
        let began = self.engine.timed(None);
        let changed = self.engine.apart(change).await;
        self.engine.called(operation, self.engine.reach_of_change(), began);
        changed
    }
}
