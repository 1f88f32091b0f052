//! The source of look-ups: a register file, the bundled sample, or none.

use std::sync::Arc;

use rucache_ruc::Provider;

use crate::{Config, OpenError};

#[cfg(feature = "padron")]
pub(crate) async fn open(config: &Config) -> Result<Arc<dyn Provider>, OpenError> {
    use rucache_padron::{Register, RegisterProvider, sample};
    use rucache_ruc::Coverage;

    let Some(path) = config.register.clone() else {
        if config.coverage.is_some() {
            return Err(OpenError::RegisterUnset);
        }
        let sample = sample().map_err(OpenError::Register)?;
        return Ok(Arc::new(RegisterProvider::new("sample", sample, Coverage::Partial)));
    };
    let coverage = config.coverage.ok_or(OpenError::CoverageUnset)?;
    // Millions of lines: not on a thread that others wait for.
    let register = tokio::task::spawn_blocking(move || Register::open(path))
        .await
        .map_err(|_| OpenError::Interrupted)?
        .map_err(OpenError::Register)?;
    Ok(Arc::new(RegisterProvider::new("register", register, coverage)))
}

#[cfg(not(feature = "padron"))]
pub(crate) async fn open(_config: &Config) -> Result<Arc<dyn Provider>, OpenError> {
    use rucache_ruc::{Answer, Coverage, Ruc};

    /// Knows nothing, and says so.
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

    Ok(Arc::new(None))
}
