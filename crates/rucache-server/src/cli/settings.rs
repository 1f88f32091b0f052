//! Settings from the command line, and the configuration they end up in.

use std::path::PathBuf;

use anstream::eprintln;
use rucache::Layers;

use super::exit::Failure;
use super::remote::Server;
use crate::config::{Flags, ServerConfig};

/// The variable that names a running service.
const SERVER_VARIABLE: &str = "RUCACHE_SERVER";

/// Options that stand before or after any command.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Global options")]
pub(super) struct Global {
    /// Read settings from this TOML file; without it no file is read
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "RUCACHE_CONFIG",
        hide_env_values = true
    )]
    pub(super) config: Option<PathBuf>,
    /// Keep entries in this backend: memory://?capacity=256MiB
    #[arg(long, global = true, value_name = "URL")]
    pub(super) backend: Option<String>,
    /// Keep copies of what a server has, of this size in all: 64MiB, off, auto
    #[arg(long, global = true, value_name = "SIZE")]
    local: Option<String>,
    /// Ask the service running at this URL [env: RUCACHE_SERVER]
    #[arg(long, global = true, value_name = "URL", conflicts_with = "backend")]
    server: Option<Server>,
}

impl Global {
    /// The running service to ask, if there is one. A backend on the command line goes before a
    /// service in the environment.
    pub(super) fn server(&self) -> Result<Option<Server>, Failure> {
        if let Some(server) = &self.server {
            return Ok(Some(self.with_token(server.clone())?));
        }
        match std::env::var(SERVER_VARIABLE) {
            Ok(url) if self.backend.is_none() => {
                let server: Server = url
                    .parse()
                    .map_err(|reason| Failure::new(format!("{SERVER_VARIABLE}: {reason}")))?;
                Ok(Some(self.with_token(server)?))
            }
            _ => Ok(None),
        }
    }

    /// The service that the configuration describes, on this machine.
    pub(super) fn configured_server(&self) -> Result<Server, Failure> {
        let config = self.load(None)?.into_config();
        Ok(Server::at(config.listen).with_token(config.token))
    }

    /// `server`, shown the token of the configuration.
    fn with_token(&self, server: Server) -> Result<Server, Failure> {
        let (layers, _) = ServerConfig::read(self.config.as_deref(), &Flags::new())
            .map_err(|error| Failure::from_error(&error))?;
        Ok(server.with_token(layers.into_config().token))
    }

    /// The configuration in its layers, the last one `own` flags of the command; says on standard
    /// error which environment variables look like settings and are none.
    pub(super) fn load(
        &self,
        own: impl IntoIterator<Item = (&'static str, &'static str, String)>,
    ) -> Result<Layers<ServerConfig>, Failure> {
        let flags = [
            ("--backend", "backend", self.backend.as_deref()),
            ("--local", "local", self.local.as_deref()),
        ];
        let flags: Flags = flags
            .into_iter()
            .filter_map(|(flag, key, value)| Some((flag, key, value?.to_owned())))
            .chain(own)
            .collect();
        let (layers, strangers) = ServerConfig::load(self.config.as_deref(), &flags)
            .map_err(|error| Failure::from_error(&error))?;
        for stranger in strangers {
            eprintln!("rucache: warning: {stranger} is not a setting{}", meant(&layers, &stranger));
        }
        Ok(layers)
    }
}

/// Which setting `stranger` was probably meant for.
fn meant(layers: &Layers<ServerConfig>, stranger: &str) -> String {
    let name = stranger.trim_start_matches("RUCACHE_").to_ascii_lowercase();
    let nearest = layers.nearest(&name);
    let setting =
        layers.settings().iter().find(|setting| Some(setting.key()) == nearest.as_deref());
    setting.map_or_else(String::new, |setting| format!("; did you mean {}?", setting.variable()))
}
