//! The table of settings of a composed cache.

#[cfg(any(feature = "padron", feature = "providers"))]
mod coverage;
#[cfg(feature = "padron")]
mod register;
#[cfg(feature = "providers")]
mod sources;

use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

use rucache_core::{KeyPrefix, Ttl};
use rucache_engine::Timing;

use crate::{Config, Layers, Setting};

const DURATION: &str = "a duration such as 500ms, 10s or 1min";

const TTL: &str = "seconds, or a duration such as 15min";

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
        settings.extend(names());
        #[cfg(feature = "lookup")]
        settings.push(Setting::new(
            "ttl",
            "a table of names, or beginnings of names with a *, and lives: user_profile_* = 3600",
            "how long entries live by their names, where nobody says",
            |config: &mut Self, value| {
                config.ttls = serde_json::from_str(value).map_err(|error| error.to_string())?;
                Ok(())
            },
            |config| {
                let shown = |(name, ttl)| format!("{name} = {ttl}");
                let patterns: Vec<_> = config.ttls.patterns().into_iter().map(shown).collect();
                if patterns.is_empty() { "none".to_owned() } else { patterns.join(", ") }
            },
        ));
        #[cfg(feature = "lookup")]
        settings.push(Setting::new(
            "ruc_services",
            "a list of services such as [\"migo\", \"nubefact\"]",
            "services that hold taxpayer records: the domain's rules are theirs",
            |config: &mut Self, value| {
                config.ruc_services = serde_json::from_str(value).map_err(|e| e.to_string())?;
                Ok(())
            },
            |config| serde_json::to_string(&config.ruc_services).unwrap_or_default(),
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
        #[cfg(feature = "providers")]
        settings.push(sources::order());
        #[cfg(feature = "padron")]
        settings.extend(register::settings());
        #[cfg(feature = "providers")]
        settings.extend(sources::apis());
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

/// What entries are called, how long they live, and what makes them outdated.
fn names() -> [Setting<Config>; 3] {
    [
        Setting::new(
            "key_prefix",
            "1 to 32 of A-Z a-z 0-9 . _ -, the first a letter or digit",
            "what stands before every name at a server, so that several deployments can share it",
            |config: &mut Config, value| {
                config.key_prefix = match value {
                    "" => None,
                    value => {
                        KeyPrefix::new(value).map_err(|error| error.to_string())?;
                        Some(value.to_owned())
                    }
                };
                Ok(())
            },
            |config| config.key_prefix.clone().unwrap_or_else(|| "none".to_owned()),
        ),
        Setting::new(
            "default_ttl",
            TTL,
            "how long an entry lives where nobody says and no pattern of ttl fits",
            |config: &mut Config, value| read(value, &mut config.default_ttl),
            |config| config.default_ttl.to_string(),
        ),
        Setting::new(
            "rules",
            "a list of [[rules]] with entity, actions and remove, expire, refresh or warm",
            "what is invalidated when something happens, beside the rules of the domain",
            |config: &mut Config, value| {
                config.rules = serde_json::from_str(value).map_err(|error| error.to_string())?;
                config.rule_set().map(drop).map_err(|error| error.to_string())
            },
            |config| match config.rules.len() {
                0 => "none".to_owned(),
                rules => format!("{rules} of the configuration"),
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
