//! What can name an entry: a plain text in the cache's service, or a whole key.

use std::borrow::Cow;

use rucache_core::{InvalidKey, Key, ServiceName};

/// The name of an entry as callers give it.
///
/// A text is a name in the service of the [`Cache`](crate::Cache) handle; a [`Key`] brings its own.
pub trait KeyName: Send {
    /// The key that is meant.
    ///
    /// # Errors
    ///
    /// [`InvalidKey`] when a text is empty or longer than 64 KiB.
    fn in_service(&self, service: &ServiceName) -> Result<Cow<'_, Key>, InvalidKey>;
}

impl KeyName for str {
    fn in_service(&self, service: &ServiceName) -> Result<Cow<'_, Key>, InvalidKey> {
        Key::new(service, self).map(Cow::Owned)
    }
}

impl KeyName for String {
    fn in_service(&self, service: &ServiceName) -> Result<Cow<'_, Key>, InvalidKey> {
        self.as_str().in_service(service)
    }
}

impl KeyName for Key {
    fn in_service(&self, _service: &ServiceName) -> Result<Cow<'_, Key>, InvalidKey> {
        Ok(Cow::Borrowed(self))
    }
}
