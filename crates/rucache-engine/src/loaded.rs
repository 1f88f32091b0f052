//! What loaders bring.

use std::error::Error;
use std::io;
use std::sync::Arc;

use rucache_core::Value;

use crate::cache::Cacheable;
use crate::{LoadError, Policy};

/// What a loader brings: a value, with its tags and how long it is good where the value itself
/// decides; or the certainty that there is none.
#[derive(Debug)]
pub struct Loaded<T> {
    content: Content<T>,
    policy: Option<Policy>,
    tags: Vec<String>,
}

#[derive(Debug)]
enum Content<T> {
    Value(Arc<T>),
    Absent,
    Negative(String),
    NotModified,
}

impl<T> Loaded<T> {
    const fn of(content: Content<T>) -> Self {
        Self { content, policy: None, tags: Vec::new() }
    }

    /// A value under the policy of the call.
    #[must_use]
    pub fn new(value: impl Into<Arc<T>>) -> Self {
        Self::of(Content::Value(value.into()))
    }

    /// The source is sure that there is no value: what the cache held is dropped, and callers get
    /// [`LoadError::Absent`] instead of a stale value. The next read past the back-off asks again.
    #[must_use]
    pub const fn absent() -> Self {
        Self::of(Content::Absent)
    }

    /// The source is sure that there is no value, and that is remembered in the value's place:
    /// callers get [`LoadError::Negative`] until it lapses. A reason over 256 bytes is cut.
    ///
    /// Unless it has a policy of its own it lasts as [`Policy::NEGATIVE`] says.
    pub fn negative(reason: impl Into<String>) -> Self {
        Self::of(Content::Negative(reason.into()))
    }

    /// The value is as it was: what the cache has lives on as if it had been loaded now. Without
    /// anything kept it is a failed load.
    #[must_use]
    pub const fn not_modified() -> Self {
        Self::of(Content::NotModified)
    }

    /// The same under a policy of its own.
    #[must_use]
    pub fn with_policy(mut self, policy: impl Into<Policy>) -> Self {
        self.policy = Some(policy.into());
        self
    }

    /// The same with tags, by which it can be invalidated together with others of its service: at
    /// most 16, each of 1 to 256 bytes.
    #[must_use]
    pub fn with_tags<S: Into<String>>(mut self, tags: impl IntoIterator<Item = S>) -> Self {
        self.tags.extend(tags.into_iter().map(Into::into));
        self
    }
}

impl<T> From<T> for Loaded<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

/// What a loader brought, with its type forgotten.
#[derive(Clone)]
pub(crate) struct LoadedValue {
    pub(crate) brings: Brings,
    pub(crate) policy: Option<Policy>,
    pub(crate) tags: Vec<String>,
}

#[derive(Clone)]
pub(crate) enum Brings {
    /// A value and its length as JSON.
    Value(Arc<dyn Value>, Result<usize, Arc<serde_json::Error>>),
    /// Why there is none.
    Negative(String),
    /// What was there before.
    Same,
}

impl<T: Cacheable> Loaded<T> {
    /// The same with its type forgotten; an error where there is no value to speak of.
    pub(crate) fn measured(self) -> Result<LoadedValue, LoadError> {
        let Self { content, policy, tags } = self;
        let brings = match content {
            Content::Value(value) => {
                let len = json_len(&*value).map_err(Arc::new);
                Brings::Value(value, len)
            }
            Content::Negative(reason) => Brings::Negative(reason),
            Content::NotModified => Brings::Same,
            Content::Absent => return Err(LoadError::Absent),
        };
        Ok(LoadedValue { brings, policy, tags })
    }
}

/// The answer of a loader with its type forgotten.
pub(crate) fn forget_type<T: Cacheable, E>(
    answer: Result<Loaded<T>, E>,
) -> Result<LoadedValue, LoadError>
where
    E: Into<Box<dyn Error + Send + Sync>>,
{
    answer.map_err(LoadError::failed)?.measured()
}

/// Length of `value` as JSON, in bytes.
fn json_len<T: serde::Serialize + ?Sized>(value: &T) -> serde_json::Result<usize> {
    struct Counter(usize);

    impl io::Write for Counter {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    let mut counter = Counter(0);
    serde_json::to_writer(&mut counter, value)?;
    Ok(counter.0)
}
