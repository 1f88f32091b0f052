//! A record as it stands in the cache: the taxpayer's own fields, and where they came from.

use std::sync::Arc;

use rucache_core::Timestamp;
use rucache_ruc::{Found, Taxpayer};
use serde::{Deserialize, Serialize};

/// What is cached under a RUC.
///
/// As JSON it is the record itself with up to two fields more, so that whoever reads the name
/// without knowing this type finds the record, and a bare record written there is read as one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CachedRecord {
    /// The record.
    #[serde(flatten, with = "shared")]
    pub record: Arc<Taxpayer>,
    /// Date of the data, where the source stated one; milliseconds since the epoch.
    #[serde(rename = "_as_of", default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<Timestamp>,
    /// Name of the source that gave the record; none when a caller stored it.
    #[serde(rename = "_source", default, skip_serializing_if = "Option::is_none", with = "name")]
    pub source: Option<Arc<str>>,
}

impl From<&CachedRecord> for Found {
    fn from(cached: &CachedRecord) -> Self {
        let CachedRecord { record, as_of, source } = cached.clone();
        Self { record, as_of, source }
    }
}

mod shared {
    //! A shared record, written and read like a plain one.

    use std::sync::Arc;

    use rucache_ruc::Taxpayer;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(
        record: &Arc<Taxpayer>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        record.as_ref().serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Arc<Taxpayer>, D::Error> {
        Taxpayer::deserialize(deserializer).map(Arc::new)
    }
}

mod name {
    //! A shared name, written and read like a plain one.

    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(
        name: &Option<Arc<str>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        name.as_deref().serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Arc<str>>, D::Error> {
        Ok(Option::<String>::deserialize(deserializer)?.map(Arc::from))
    }
}
