//! What the service can be told: the cache's settings and its own.

mod limits;
mod log;
mod settings;
mod token;

use std::net::SocketAddr;
use std::path::Path;

use rucache::{ConfigError, Layers, Setting};
use thiserror::Error;

pub(crate) use limits::Limits;
pub(crate) use log::{CacheEvents, Format, LogConfig};
pub(crate) use token::Token;

/// Environment variables of this program that are not settings of the service.
pub(crate) const OTHER_VARIABLES: &[&str] = &["RUCACHE_CONFIG", "RUCACHE_SERVER"];

/// Everything the service is told.
#[derive(Debug, Clone)]
pub(crate) struct ServerConfig {
    /// How the cache is composed.
    pub(crate) cache: rucache::Config,
    /// Address and port of the HTTP server.
    pub(crate) listen: SocketAddr,
    /// The same for administration and metrics, where they are apart.
    pub(crate) admin_listen: Option<SocketAddr>,
    /// What clients have to show.
    pub(crate) token: Option<Token>,
    /// Whether metrics are for everybody.
    pub(crate) metrics_open: bool,
    /// What one client may ask.
    pub(crate) limits: Limits,
    /// What is logged.
    pub(crate) log: LogConfig,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            cache: rucache::Config::default(),
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            admin_listen: None,
            token: None,
            metrics_open: true,
            limits: Limits::default(),
            log: LogConfig::default(),
        }
    }
}

/// What is wrong with a configuration.
#[derive(Debug, Error)]
pub(crate) enum Wrong {
    /// A setting by itself.
    #[error(transparent)]
    Setting(#[from] ConfigError),
    /// The service would be open to everybody.
    #[error(
        "{key} = {address} is reached from beyond this machine, and there is no token; set \
         token_file (RUCACHE_TOKEN_FILE) to a file with a secret of at least 32 bytes, or listen \
         on 127.0.0.1"
    )]
    Open {
        /// The setting.
        key: &'static str,
        /// Its value.
        address: SocketAddr,
    },
}

/// Values from the command line, each with the flag it came from.
pub(crate) type Flags = Vec<(&'static str, &'static str, String)>;

impl ServerConfig {
    /// The cache's settings, then the service's own.
    pub(crate) fn settings() -> Vec<Setting<Self>> {
        let lift = |setting: Setting<rucache::Config>| {
            setting.within(|server: &Self| &server.cache, |server| &mut server.cache)
        };
        let mut settings: Vec<_> = rucache::Config::settings().into_iter().map(lift).collect();
        settings.extend(settings::settings());
        settings
    }

    /// Defaults, then `file`, then the environment, then `flags`; with the environment variables
    /// that look like settings and are none.
    pub(crate) fn load(
        file: Option<&Path>,
        flags: &Flags,
    ) -> Result<(Layers<Self>, Vec<String>), Wrong> {
        let loaded = Self::read(file, flags)?;
        loaded.0.config().check()?;
        Ok(loaded)
    }

    /// As [`load`](Self::load), for a client: whether the settings go together is the service's
    /// affair.
    pub(crate) fn read(
        file: Option<&Path>,
        flags: &Flags,
    ) -> Result<(Layers<Self>, Vec<String>), ConfigError> {
        let mut layers = Layers::new(Self::settings(), Self::default());
        if let Some(file) = file {
            layers.file(file)?;
        }
        let strangers = layers.environment(std::env::vars(), OTHER_VARIABLES)?;
        for (name, key, value) in flags {
            layers.flag(name, key, value)?;
        }
        Ok((layers, strangers))
    }

    /// Whoever reaches a port can read and clear the cache: beyond this machine it takes a token.
    fn check(&self) -> Result<(), Wrong> {
        let listens = [("listen", Some(self.listen)), ("admin.listen", self.admin_listen)];
        let open = listens.into_iter().find_map(|(key, address)| {
            let address = address.filter(|address| !address.ip().is_loopback())?;
            Some(Wrong::Open { key, address })
        });
        match open.filter(|_| self.token.is_none()) {
            Some(open) => Err(open),
            None => Ok(()),
        }
    }
}
