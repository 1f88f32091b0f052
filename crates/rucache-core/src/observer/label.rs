//! What happened, as closed sets of stable labels.

use crate::Change;
use crate::labels::labels;

labels! {
    /// How a read was answered.
    RequestResult {
        /// With a fresh value.
        Hit = "hit",
        /// With a value past its soft deadline.
        StaleHit = "stale_hit",
        /// With a remembered verdict that there is none.
        NegativeHit = "negative_hit",
        /// With nothing, or with what a load brought.
        Miss = "miss",
        /// Past the cache, because the caller wished so.
        Bypass = "bypass",
        /// With an error.
        Error = "error",
    }
}

labels! {
    /// How a load ended.
    LoadResult {
        /// With a value.
        Success = "success",
        /// With the answer that there is none.
        Negative = "negative",
        /// With the loader's error.
        Error = "error",
        /// At its deadline.
        Timeout = "timeout",
        /// In a panic of the loader.
        Panic = "panic",
        /// Dropped with its runtime.
        Cancelled = "cancelled",
        /// With the answer that the value has not changed.
        NotModified = "not_modified",
        /// Not begun, because as many as allowed were running.
        Overloaded = "overloaded",
        /// Not begun, because it was asked for by a load of the same key.
        Recursive = "recursive",
    }
}

labels! {
    /// A place where entries live.
    Tier {
        /// This process's memory.
        Local = "local",
        /// A backend.
        Shared = "shared",
    }
}

labels! {
    /// What a tier had when it was asked for an entry.
    TierResult {
        /// An entry that could answer, or a fallback.
        Hit = "hit",
        /// Nothing of use.
        Miss = "miss",
        /// It failed.
        Error = "error",
        /// It did not answer in time.
        Timeout = "timeout",
        /// It was not asked: its circuit is open.
        Skipped = "skipped",
    }
}

labels! {
    /// Why a stale value was served.
    StaleReason {
        /// The caller said that it would do.
        Allowed = "allowed",
        /// The load took longer than the soft timeout; it goes on.
        SoftTimeout = "soft_timeout",
        /// The load failed.
        LoadError = "load_error",
        /// Another process is loading it.
        Refreshing = "refreshing",
        /// The caller said that it would do, and the shared tier could not be asked.
        BackendDown = "backend_down",
    }
}

labels! {
    /// What started a refresh in the background.
    RefreshTrigger {
        /// A read past the early point.
        Early = "early",
        /// A rule.
        Rule = "rule",
    }
}

labels! {
    /// How a refresh in the background ended.
    RefreshResult {
        /// With a value of the loader.
        Loaded = "loaded",
        /// With a value that another process had stored.
        Shared = "shared",
        /// With the answer that the value has not changed.
        NotModified = "not_modified",
        /// With nothing: another process is at it.
        Elsewhere = "elsewhere",
        /// With a failure of the load.
        Failed = "failed",
    }
}

labels! {
    /// What became of a value to be stored.
    StoreResult {
        /// It is stored.
        Stored = "stored",
        /// Something newer happened to its key while it was loaded.
        Superseded = "superseded",
        /// It is over the limit.
        TooLarge = "too_large",
        /// The store refused it.
        Refused = "refused",
        /// The store failed.
        Error = "error",
    }
}

labels! {
    /// How much an invalidation covers.
    Scope {
        /// One key.
        Key = "key",
        /// All entries with a tag.
        Tag = "tag",
        /// All entries of a service.
        Namespace = "namespace",
        /// Everything.
        All = "all",
    }
}

labels! {
    /// Where an invalidation came from.
    Origin {
        /// A caller of this process.
        Local = "local",
        /// The shared tier's push.
        Push = "push",
        /// A rule.
        Rule = "rule",
    }
}

labels! {
    /// Something that a caller asks of a cache.
    CacheOperation {
        /// Reading an entry.
        Get = "get",
        /// Reading several entries.
        GetMany = "get_many",
        /// Reading an entry, or loading it.
        GetOrLoad = "get_or_load",
        /// Reading several entries, or loading them.
        GetOrLoadMany = "get_or_load_many",
        /// Storing an entry.
        Set = "set",
        /// Storing several entries.
        SetMany = "set_many",
        /// Deleting or expiring entries.
        Delete = "delete",
        /// Invalidating a tag.
        Invalidate = "invalidate",
        /// Clearing a service, or everything.
        Clear = "clear",
    }
}

labels! {
    /// The farthest that a call had to go for its answer.
    Reach {
        /// This process's memory.
        Local = "local",
        /// The shared tier.
        Shared = "shared",
        /// The loader.
        Origin = "origin",
    }
}

labels! {
    /// What a shared tier pushed.
    PushChange {
        /// Entries may have changed.
        Entries = "entries",
        /// Markers may have changed.
        Markers = "markers",
        /// Anything of a service may have changed.
        Service = "service",
        /// Anything may have changed.
        Everything = "everything",
        /// A node may have forgotten what it had confirmed.
        Rewound = "rewound",
        /// Changes are no longer told.
        Lost = "lost",
        /// Changes are told again.
        Restored = "restored",
    }
}

impl From<&Change> for PushChange {
    fn from(change: &Change) -> Self {
        match change {
            Change::Entries(_) => Self::Entries,
            Change::Markers(_) => Self::Markers,
            Change::Service(_) => Self::Service,
            Change::Everything => Self::Everything,
            Change::Rewound => Self::Rewound,
            Change::PushLost => Self::Lost,
            Change::PushRestored => Self::Restored,
        }
    }
}
