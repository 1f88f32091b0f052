//! The source of look-ups: a register file, the bundled sample, or none.

use std::sync::Arc;

use rucache_core::Timestamp;
use rucache_ruc::Provider;

#[cfg(feature = "padron")]
use crate::{Config, OpenError};

/// A source that is ready, and when its register was published.
pub(crate) struct Opened {
    pub(crate) provider: Arc<dyn Provider>,
    pub(crate) published: Option<Timestamp>,
}

/// The register that `config` names, else the sample.
#[cfg(all(feature = "padron", not(feature = "providers")))]
pub(crate) async fn open(config: &Config) -> Result<Opened, OpenError> {
    check(config)?;
    match config.register {
        Some(_) => register(config).await,
        None => Ok(Opened { provider: sample()?, published: None }),
    }
}

/// What a register covers is said of one that there is.
#[cfg(feature = "padron")]
pub(crate) const fn check(config: &Config) -> Result<(), OpenError> {
    match (&config.register, config.coverage) {
        (None, Some(_)) => Err(OpenError::RegisterUnset),
        _ => Ok(()),
    }
}

/// The bundled sample.
#[cfg(feature = "padron")]
pub(crate) fn sample() -> Result<Arc<dyn Provider>, OpenError> {
    use rucache_padron::RegisterProvider;
    use rucache_ruc::Coverage;

    let sample = rucache_padron::sample().map_err(OpenError::Register)?;
    Ok(Arc::new(RegisterProvider::new("sample", sample, Coverage::Partial)))
}

/// The register from its file. It was published when the file says: archives and downloads keep
/// that time.
#[cfg(feature = "padron")]
pub(crate) async fn register(config: &Config) -> Result<Opened, OpenError> {
    use rucache_padron::{Register, RegisterProvider};

    let path = config.register.clone().ok_or(OpenError::RegisterUnnamed)?;
    let coverage = config.coverage.ok_or(OpenError::CoverageUnset)?;
    // Millions of lines: not on a thread that others wait for.
    let loading = tokio::task::spawn_blocking(move || {
        let published = modified(&path);
        Register::open(path).map(|register| (register, published))
    });
    let (register, published) =
        loading.await.map_err(|_| OpenError::Interrupted)?.map_err(OpenError::Register)?;
    let provider = RegisterProvider::new("register", register, coverage);
    let provider = match published {
        Some(published) => provider.with_as_of(published),
        None => provider,
    };
    Ok(Opened { provider: Arc::new(provider), published })
}

/// When the file at `path` was changed last, where the system knows.
#[cfg(feature = "padron")]
fn modified(path: &std::path::Path) -> Option<Timestamp> {
    let modified = std::fs::metadata(path).and_then(|file| file.modified()).ok()?;
    let since_epoch = modified.duration_since(std::time::UNIX_EPOCH).ok()?;
    u64::try_from(since_epoch.as_millis()).ok().map(Timestamp::from_millis)
}

/// A source that knows nothing, and says so.
#[cfg(any(feature = "providers", not(feature = "padron")))]
pub(crate) fn none() -> Arc<dyn Provider> {
    use rucache_ruc::{Answer, Coverage, Ruc};

    struct None;

    #[async_trait::async_trait]
    impl Provider for None {
        fn name(&self) -> &str {
            "none"
        }

        fn coverage(&self) -> Coverage {
            Coverage::Partial
        }

        async fn lookup(&self, ruc: Ruc) -> Answer {
            self.coverage().silence(ruc)
        }
    }

    Arc::new(None)
}
