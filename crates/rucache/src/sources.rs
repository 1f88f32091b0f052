//! The sources of look-ups in their order: which there are, and how they are opened.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use rucache_core::Runtime;
use rucache_engine::Cache as Engine;
use rucache_providers::{ApiKind, Source, SourceConfig, Sources, fit_deadlines};
use rucache_ruc::Provider;

use crate::source::{self, Opened};
use crate::{Config, OpenError};

/// A source of look-ups, as the configuration names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SourceName {
    /// The bundled sample of the register.
    #[cfg(feature = "padron")]
    Sample,
    /// SUNAT's register from a file.
    #[cfg(feature = "padron")]
    Register,
    /// A look-up API.
    Api(ApiKind),
    /// Invented records, for who wants to see a source at work without a token.
    Demo,
}

impl SourceName {
    /// Every source that this build has.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let mut all = Vec::new();
        #[cfg(feature = "padron")]
        all.extend([Self::Register, Self::Sample]);
        all.extend(ApiKind::ALL.map(Self::Api));
        all.push(Self::Demo);
        all
    }

    /// Its name: `register`, `sample`, `migo`, `decolecta`, `apis_net_pe`, `apiperu`, `demo`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            #[cfg(feature = "padron")]
            Self::Sample => "sample",
            #[cfg(feature = "padron")]
            Self::Register => "register",
            Self::Api(kind) => kind.as_str(),
            Self::Demo => "demo",
        }
    }
}

impl fmt::Display for SourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for SourceName {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let all = Self::all();
        let known = all.iter().find(|known| known.as_str() == name).copied();
        known.ok_or_else(|| {
            let names: Vec<&str> = all.iter().map(|known| known.as_str()).collect();
            format!("there is no source {name:?}; known are {}", names.join(", "))
        })
    }
}

impl Config {
    /// Who is asked, in this order. Unless [`sources`](Self::sources) says it: the register, if
    /// there is one, then every API that has a token; the bundled sample where there is neither.
    #[must_use]
    pub fn source_order(&self) -> Vec<SourceName> {
        if let Some(chosen) = &self.sources {
            return chosen.clone();
        }
        let mut order = Vec::new();
        #[cfg(feature = "padron")]
        if self.register.is_some() {
            order.push(SourceName::Register);
        }
        let with_token = self.apis.iter().filter(|(_, api)| api.token.is_some());
        order.extend(with_token.map(|(kind, _)| SourceName::Api(*kind)));
        #[cfg(feature = "padron")]
        if order.is_empty() {
            order.push(SourceName::Sample);
        }
        order
    }

    /// What is set of the API `kind`, and the defaults of the rest.
    #[must_use]
    pub fn api(&self, kind: ApiKind) -> SourceConfig {
        self.apis.get(&kind).cloned().unwrap_or_else(|| SourceConfig::new(kind))
    }

    /// The APIs in the order in which they are asked, with deadlines that leave the last one its
    /// time before a load ends.
    fn asked_apis(&self) -> Vec<SourceConfig> {
        let kinds = self.source_order().into_iter().filter_map(|name| match name {
            SourceName::Api(kind) => Some(kind),
            _ => None,
        });
        let mut apis: Vec<SourceConfig> = kinds.map(|kind| self.api(kind)).collect();
        fit_deadlines(&mut apis, self.timing.load_deadline * 4 / 5);
        apis
    }
}

/// The sources that `config` names. Their calls are counted where the entries of `engine` are
/// shared, if they are.
pub(crate) async fn open(config: &Config, engine: &Engine) -> Result<Opened, OpenError> {
    #[cfg(feature = "padron")]
    source::check(config)?;
    let apis = config.asked_apis();
    #[cfg_attr(
        not(feature = "padron"),
        expect(unused_mut, reason = "there is no register in this build")
    )]
    let mut published = None;
    let mut members: Vec<Arc<dyn Provider>> = Vec::new();
    for name in config.source_order() {
        members.push(match name {
            #[cfg(feature = "padron")]
            SourceName::Sample => source::sample()?,
            #[cfg(feature = "padron")]
            SourceName::Register => {
                let register = source::register(config).await?;
                published = register.published;
                register.provider
            }
            SourceName::Api(kind) => {
                let api = apis.iter().find(|api| api.api == kind);
                Arc::new(open_api(&api.cloned().unwrap_or_else(|| config.api(kind)), engine)?)
            }
            SourceName::Demo => Arc::new(demo(config, engine)?),
        });
    }
    let provider = match &members[..] {
        [] => source::none(),
        [one] => one.clone(),
        _ => Arc::new(Sources::new(members)),
    };
    Ok(Opened { provider, published })
}

fn open_api(api: &SourceConfig, engine: &Engine) -> Result<Source, OpenError> {
    let Some(token) = api.token.clone() else {
        return Err(OpenError::TokenUnset { api: api.api, variable: api.token_variable() });
    };
    let runtime: Arc<dyn Runtime> = engine.runtime().clone();
    Ok(Source::with_token(api, token, runtime, engine.backend().cloned())?)
}

/// Invented records stay in this process: others would take them for true.
fn demo(config: &Config, engine: &Engine) -> Result<Source, OpenError> {
    if engine.backend().is_some() {
        return Err(OpenError::DemoShared { backend: config.backend.to_string() });
    }
    Ok(Source::demo(&config.api(ApiKind::Migo), engine.runtime().clone())?)
}
