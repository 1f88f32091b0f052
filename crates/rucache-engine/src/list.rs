//! Listing what is cached, where the backend can.

use rucache_core::{Error, ErrorKind, Key, KeyPage, Operation};

use crate::shared::Answer;
use crate::{Cache, CacheError};

impl Cache {
    /// The names of this handle's service, from the beginning or from a page's cursor: about `limit`
    /// a page, those of entries that are good for nothing any more left out.
    ///
    /// # Errors
    ///
    /// [`CacheError::Backend`], of kind [`Unsupported`](rucache_core::ErrorKind::Unsupported) where
    /// names cannot be listed.
    pub async fn names(&self, cursor: Option<&str>, limit: usize) -> Result<KeyPage, CacheError> {
        let Some(shared) = &self.engine().shared else {
            return Err(Error::new(ErrorKind::Unsupported, "memory", Operation::Scan).into());
        };
        let page = shared.backend.scan(self.service_name(), cursor, limit).await?;
        let answers = shared.read(&page.keys).await;
        let good = |(key, answer): (Key, Answer)| match answer {
            Answer::Read { found, .. } => found.map(|_| key),
            // What cannot be told is listed.
            Answer::Newer | Answer::Failed(_) => Some(key),
        };
        let keys = page.keys.into_iter().zip(answers).filter_map(good).collect();
        Ok(KeyPage { keys, next: page.next })
    }
}
