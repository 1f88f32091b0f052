//! What the service can be told: the cache's settings and its own.

use std::net::SocketAddr;
use std::path::Path;

use rucache::{ConfigError, Layers, Setting};

/// Environment variables of this program that are not settings of the service.
pub(crate) const OTHER_VARIABLES: &[&str] = &["RUCACHE_CONFIG", "RUCACHE_SERVER"];

/// Everything the service is told.
#[derive(Debug, Clone)]
pub(crate) struct ServerConfig {
    /// How the cache is composed.
    pub(crate) cache: rucache::Config,
    /// Address and port of the HTTP server.
    pub(crate) listen: SocketAddr,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self { cache: rucache::Config::default(), listen: SocketAddr::from(([127, 0, 0, 1], 8080)) }
    }
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
        settings.push(Setting::new(
            "listen",
            "a loopback address and port such as 127.0.0.1:8080",
            "where the service answers HTTP",
            |config: &mut Self, value| {
                let listen: SocketAddr =
                    value.parse().map_err(|_| "not an address and port".to_owned())?;
                if !listen.ip().is_loopback() {
                    // Whoever reaches the port can read and clear the cache.
                    return Err(
                        "only loopback addresses are served without authentication; put a \
                                reverse proxy in front"
                            .to_owned(),
                    );
                }
                config.listen = listen;
                Ok(())
            },
            |config| config.listen.to_string(),
        ));
        settings
    }

    /// Defaults, then `file`, then the environment, then `flags`; with the environment variables
    /// that look like settings and are none.
    pub(crate) fn load(
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
}
