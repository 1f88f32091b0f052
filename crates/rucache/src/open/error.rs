//! Why a cache could not be opened.

use rucache_core::rule::InvalidRule;
use rucache_engine::CacheError;
use thiserror::Error;

use crate::ConfigError;

/// Why a cache could not be opened.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// An invalidation rule cannot be used.
    #[error(transparent)]
    Rule(#[from] InvalidRule),
    /// The cache could not be built.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// The URL of the backend is wrong.
    #[error("backend {url:?}: {reason}")]
    Backend {
        /// The URL, without a password.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The backend could not be opened. That its server is down is no reason.
    #[error(transparent)]
    Open(#[from] rucache_core::Error),
    /// The register file could not be loaded.
    #[cfg(feature = "padron")]
    #[error("source.register cannot be used")]
    Register(#[source] rucache_padron::Error),
    /// A register file is given, but not what its silence means.
    #[cfg(feature = "padron")]
    #[error(
        "source.register is set without source.coverage; say full for the whole register, \
         legal_entities for one of prefix 20, partial for a part"
    )]
    CoverageUnset,
    /// It is said what a register's silence means, but no register is given.
    #[cfg(feature = "padron")]
    #[error("source.coverage is set without source.register; give the path of the register's file")]
    RegisterUnset,
    /// The register is to be asked, but no file is given.
    #[cfg(feature = "padron")]
    #[error(
        "sources names the register, and source.register is not set; give the path of its file"
    )]
    RegisterUnnamed,
    /// A look-up API is to be asked, but there is no token for it.
    #[cfg(feature = "providers")]
    #[error(
        "sources names {api}, and there is no token for it; set {variable}, or {api}.token_file \
         to the path of a file that holds it",
        api = api.as_str()
    )]
    TokenUnset {
        /// The API.
        api: rucache_providers::ApiKind,
        /// The environment variable that may hold the token.
        variable: String,
    },
    /// A look-up API cannot be used as it is configured.
    #[cfg(feature = "providers")]
    #[error(transparent)]
    Api(#[from] rucache_providers::ConfigError),
    /// Invented records would be left for others to read.
    #[cfg(feature = "providers")]
    #[error(
        "the source demo invents records and would leave them in {backend}, for others to take for \
         true; use it with memory://"
    )]
    DemoShared {
        /// The backend's URL, without a password.
        backend: String,
    },
    /// The task that was loading the register was ended with its runtime.
    #[error("loading the register was interrupted")]
    Interrupted,
}
