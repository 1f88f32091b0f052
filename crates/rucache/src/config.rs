//! What a composed cache can be told, and its table of settings.

use std::fmt::Display;
#[cfg(feature = "padron")]
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use rucache_core::Ttl;
use rucache_engine::Timing;

use crate::layers::without_password;
use crate::{Layers, Setting};

/// What [`open_with`](crate::open_with) composes a cache from.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// The backend's URL: `memory://?capacity=256MiB`, `redis://host/1`, `memcached://a,b`.
    pub backend: BackendUrl,
    /// Copies in this process of what a server has.
    #[cfg(feature = "memory")]
    pub local: LocalTier,
    /// How long callers and loads may take.
    pub timing: Timing,
    /// Longest value as JSON, in bytes.
    pub max_value_len: usize,
    /// How fresh taxpayer records are.
    #[cfg(feature = "lookup")]
    pub profile: rucache_ruc::Profile,
    /// A register file as the source of look-ups; the bundled sample without one.
    #[cfg(feature = "padron")]
    pub register: Option<PathBuf>,
    /// For which numbers the register's silence proves that they do not exist.
    #[cfg(feature = "padron")]
    pub coverage: Option<rucache_ruc::Coverage>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            backend: BackendUrl::default(),
            #[cfg(feature = "memory")]
            local: LocalTier::default(),
            timing: Timing::default(),
            max_value_len: rucache_core::Capabilities::DEFAULT_MAX_VALUE_LEN,
            #[cfg(feature = "lookup")]
            profile: rucache_ruc::Profile::default(),
            #[cfg(feature = "padron")]
            register: None,
            #[cfg(feature = "padron")]
            coverage: None,
        }
    }
}

/// Whether a local tier stands before a backend that is a server. A memory backend is one itself.
#[cfg(feature = "memory")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LocalTier {
    /// 64 MiB before a backend that tells what changes, which is Redis; none before others.
    #[default]
    Auto,
    /// None: every read asks the server.
    Off,
    /// One of this capacity. Before a backend that does not tell what changes, copies are good for
    /// two seconds.
    Of(rucache_memory::Capacity),
}

#[cfg(feature = "memory")]
impl LocalTier {
    /// Its capacity before a backend that tells what changes, or does not.
    pub(crate) const fn capacity(self, tells: bool) -> Option<rucache_memory::Capacity> {
        match self {
            Self::Auto if tells => Some(rucache_memory::Capacity::bytes(64 << 20)),
            Self::Auto | Self::Off => None,
            Self::Of(capacity) => Some(capacity),
        }
    }
}

#[cfg(feature = "memory")]
impl FromStr for LocalTier {
    type Err = rucache_memory::InvalidCapacity;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "auto" => Ok(Self::Auto),
            "off" => Ok(Self::Off),
            size => size.parse().map(Self::Of),
        }
    }
}

#[cfg(feature = "memory")]
impl Display for LocalTier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Off => f.write_str("off"),
            Self::Of(capacity) => capacity.fmt(f),
        }
    }
}

/// The URL of a backend, checked when it is read. `Debug` and `Display` mask a password.
#[derive(Clone, PartialEq, Eq)]
pub struct BackendUrl(String);

impl BackendUrl {
    /// The URL, password included.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for BackendUrl {
    fn default() -> Self {
        Self("memory://".to_owned())
    }
}

impl FromStr for BackendUrl {
    type Err = String;

    fn from_str(url: &str) -> Result<Self, String> {
        crate::backend::check(url)?;
        Ok(Self(url.to_owned()))
    }
}

impl Display for BackendUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&without_password(&self.0))
    }
}

impl std::fmt::Debug for BackendUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "BackendUrl({self})")
    }
}

const DURATION: &str = "a duration such as 500ms, 10s or 1min";

impl Config {
    /// The settings of a composed cache, in the order of the manual.
    #[must_use]
    pub fn settings() -> Vec<Setting<Self>> {
        let mut settings = vec![Setting::new(
            "backend",
            "a URL such as memory://?capacity=256MiB, redis://host:6379/1 or memcached://a,b",
            "where entries live",
            |config: &mut Self, value| read(value, &mut config.backend),
            |config| config.backend.to_string(),
        )];
        #[cfg(feature = "memory")]
        settings.push(Setting::new(
            "local",
            "a size such as 64MiB, off, or auto",
            "copies in this process of what a server has; auto is 64MiB before redis, off before \
             memcached",
            |config: &mut Self, value| read(value, &mut config.local),
            |config| config.local.to_string(),
        ));
        #[cfg(feature = "lookup")]
        settings.push(Setting::new(
            "profile",
            "reference or register",
            "how fresh taxpayer records are: one life for all, or by what the record says",
            |config: &mut Self, value| {
                config.profile = match value {
                    "reference" => rucache_ruc::Profile::Reference,
                    "register" => rucache_ruc::Profile::Register,
                    _ => return Err("there is no such profile".to_owned()),
                };
                Ok(())
            },
            |config| config.profile.as_str().to_owned(),
        ));
        #[cfg(feature = "padron")]
        settings.extend(register_settings());
        settings.push(Setting::new(
            "max_value_len",
            "a whole number of bytes, at least 1",
            "longest value as JSON that is stored",
            |config: &mut Self, value| {
                config.max_value_len = match value.parse() {
                    Ok(0) => return Err("nothing could be stored".to_owned()),
                    Ok(len) => len,
                    Err(_) => return Err("not a whole number".to_owned()),
                };
                Ok(())
            },
            |config| config.max_value_len.to_string(),
        ));
        settings.extend([
            duration(
                "timing.soft_timeout",
                "how long a caller with a stale value waits for a newer one",
                |timing| &mut timing.soft_timeout,
            ),
            duration("timing.hard_timeout", "how long any caller waits for a load", |timing| {
                &mut timing.hard_timeout
            }),
            duration(
                "timing.load_deadline",
                "how long a load may run before it is dropped",
                |timing| &mut timing.load_deadline,
            ),
            duration(
                "timing.back_off",
                "how long a failed load answers for its key; doubled by each further failure",
                |timing| &mut timing.back_off,
            ),
            duration("timing.max_back_off", "the longest back-off", |timing| {
                &mut timing.max_back_off
            }),
        ]);
        settings
    }

    /// The defaults, ready for a file, the environment and flags.
    #[must_use]
    pub fn layers() -> Layers<Self> {
        Layers::new(Self::settings(), Self::default())
    }
}

#[cfg(feature = "padron")]
fn register_settings() -> [Setting<Config>; 2] {
    use rucache_ruc::Coverage;

    const NAMES: [(&str, Coverage); 3] = [
        ("full", Coverage::Full),
        ("legal_entities", Coverage::LegalEntities),
        ("partial", Coverage::Partial),
    ];
    [
        Setting::new(
            "source.register",
            "the path of a register file, zip or text",
            "SUNAT's register as the source of look-ups; the bundled sample without it",
            |config: &mut Config, value| {
                if value.is_empty() {
                    return Err("the path is empty".to_owned());
                }
                config.register = Some(PathBuf::from(value));
                Ok(())
            },
            |config| {
                let path = config.register.as_deref();
                path.map_or_else(|| "bundled sample".to_owned(), |path| path.display().to_string())
            },
        ),
        Setting::new(
            "source.coverage",
            "full, legal_entities or partial",
            "which numbers do not exist if the register lacks them: all, those of legal entities, \
             or none; needed with source.register",
            |config: &mut Config, value| {
                let known = NAMES.iter().find(|(name, _)| *name == value);
                let (_, coverage) = known.ok_or("there is no such coverage")?;
                config.coverage = Some(*coverage);
                Ok(())
            },
            |config| {
                let known = NAMES.iter().find(|(_, coverage)| Some(*coverage) == config.coverage);
                known.map_or("unset", |(name, _)| name).to_owned()
            },
        ),
    ]
}

fn duration(
    key: &'static str,
    about: &'static str,
    field: impl Fn(&mut Timing) -> &mut Duration + Copy + Send + Sync + 'static,
) -> Setting<Config> {
    Setting::new(
        key,
        DURATION,
        about,
        move |config: &mut Config, value| {
            let ttl: Ttl = value.parse().map_err(|error| format!("{error}"))?;
            *field(&mut config.timing) = ttl.as_duration();
            Ok(())
        },
        move |config| {
            let mut timing = config.timing;
            Ttl::try_from(*field(&mut timing)).unwrap_or(Ttl::MIN).to_string()
        },
    )
}

fn read<T: FromStr<Err: Display>>(value: &str, into: &mut T) -> Result<(), String> {
    *into = value.parse().map_err(|error| format!("{error}"))?;
    Ok(())
}
