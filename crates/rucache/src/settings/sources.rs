//! Settings of the sources of look-ups: who is asked, and how each API is.

use std::num::{NonZeroU32, NonZeroU64};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rucache_core::Ttl;
use rucache_providers::{ApiKind, ConfigError, Secret, SourceConfig};

use super::coverage;
use crate::{Config, Setting, SourceName};

const DURATION: &str = "a duration such as 500ms or 3s";

/// Who is asked.
pub(super) fn order() -> Setting<Config> {
    Setting::new(
        "sources",
        "auto, or a list such as [\"register\", \"migo\"] of register, sample, migo, decolecta, \
         apis_net_pe, apiperu, demo",
        "who is asked, in this order; auto is the register and every API that has a token, or the \
         bundled sample where there is neither",
        |config: &mut Config, value| {
            config.sources = match value {
                "auto" => None,
                _ => Some(names(value)?),
            };
            Ok(())
        },
        |config| match &config.sources {
            None => "auto".to_owned(),
            Some(names) => {
                let names: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
                serde_json::to_string(&names).unwrap_or_default()
            }
        },
    )
}

fn names(value: &str) -> Result<Vec<SourceName>, String> {
    let texts: Vec<String> = serde_json::from_str(value).map_err(|error| error.to_string())?;
    let mut names = Vec::new();
    for text in texts {
        let name: SourceName = text.parse()?;
        if names.contains(&name) {
            return Err(format!("{name} stands twice"));
        }
        names.push(name);
    }
    match names.is_empty() {
        true => Err("nobody would be asked".to_owned()),
        false => Ok(names),
    }
}

/// The settings of every API.
pub(super) fn apis() -> Vec<Setting<Config>> {
    // Keys are literals, so each API has its own.
    macro_rules! api {
        ($kind:ident, $name:literal) => {
            [
                token(ApiKind::$kind, concat!($name, ".token")),
                token_file(ApiKind::$kind, concat!($name, ".token_file")),
                base_url(ApiKind::$kind, concat!($name, ".base_url")),
                ca(ApiKind::$kind, concat!($name, ".ca")),
                covers(ApiKind::$kind, concat!($name, ".coverage")),
                per_minute(ApiKind::$kind, concat!($name, ".per_minute")),
                per_month(ApiKind::$kind, concat!($name, ".per_month")),
                reserve(ApiKind::$kind, concat!($name, ".reserve")),
                duration(
                    ApiKind::$kind,
                    concat!($name, ".connect_timeout"),
                    "how long making a connection may take, 10s at most",
                    |api| &mut api.connect_timeout,
                ),
                duration(
                    ApiKind::$kind,
                    concat!($name, ".timeout"),
                    "how long one call may take",
                    |api| &mut api.timeout,
                ),
                duration(
                    ApiKind::$kind,
                    concat!($name, ".deadline"),
                    "how long an answer may take with all that is tried for it; all sources \
                     together get four fifths of timing.load_deadline",
                    |api| &mut api.deadline,
                ),
                duration(
                    ApiKind::$kind,
                    concat!($name, ".gather"),
                    "how long a number waits at most for others to travel in its call, while they \
                     keep coming",
                    |api| &mut api.gather,
                ),
                retries(ApiKind::$kind, concat!($name, ".retries")),
            ]
        };
    }
    [
        api!(Migo, "migo"),
        api!(Decolecta, "decolecta"),
        api!(ApisNetPe, "apis_net_pe"),
        api!(Apiperu, "apiperu"),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A setting of the API `kind`. What `set` makes of it is checked as a whole.
fn setting(
    kind: ApiKind,
    key: &'static str,
    form: &'static str,
    about: &'static str,
    set: impl Fn(&mut SourceConfig, &str) -> Result<(), String> + Send + Sync + 'static,
    show: impl Fn(&SourceConfig) -> String + Send + Sync + 'static,
) -> Setting<Config> {
    Setting::new(
        key,
        form,
        about,
        move |config: &mut Config, value| {
            let mut api = config.api(kind);
            set(&mut api, value)?;
            api.check().map_err(told)?;
            config.apis.insert(kind, api);
            Ok(())
        },
        move |config| show(&config.api(kind)),
    )
}

/// What is wrong, without the name of the setting: that is told beside it.
fn told(error: ConfigError) -> String {
    match error {
        ConfigError::Range { form, .. } => format!("it must be {form}"),
        ConfigError::BaseUrl { problem, .. } => format!("it {problem}"),
        error => match std::error::Error::source(&error) {
            Some(cause) => format!("{error}: {cause}"),
            None => error.to_string(),
        },
    }
}

fn is_set(api: &SourceConfig) -> String {
    if api.token.is_some() { "set".to_owned() } else { "unset".to_owned() }
}

fn token(kind: ApiKind, key: &'static str) -> Setting<Config> {
    setting(
        kind,
        key,
        "the token alone, of visible ASCII characters",
        "the token that the API knows this customer by",
        |api, value| {
            api.token = Some(Secret::new(value, "this place").map_err(told)?);
            Ok(())
        },
        is_set,
    )
    .secret()
}

fn token_file(kind: ApiKind, key: &'static str) -> Setting<Config> {
    setting(
        kind,
        key,
        "the path of a file with the token alone",
        "the same, from a file",
        |api, value| {
            api.token = Some(Secret::from_file(Path::new(value)).map_err(told)?);
            Ok(())
        },
        is_set,
    )
}

/// Never repeated where it is wrong: it may hold a token.
fn base_url(kind: ApiKind, key: &'static str) -> Setting<Config> {
    setting(
        kind,
        key,
        "a URL such as https://host/path; http to this machine only",
        "where the API is served",
        |api, value| {
            api.base_url = Some(value.to_owned());
            Ok(())
        },
        |api| api.base_url().to_owned(),
    )
    .secret()
}

fn ca(kind: ApiKind, key: &'static str) -> Setting<Config> {
    setting(
        kind,
        key,
        "the path of a PEM file, or nothing",
        "certificates to trust in the place of the system's",
        |api, value| {
            api.ca = (!value.is_empty()).then(|| PathBuf::from(value));
            Ok(())
        },
        |api| {
            let file = api.ca.as_deref();
            file.map_or_else(|| "the system's".to_owned(), |file| file.display().to_string())
        },
    )
}

fn covers(kind: ApiKind, key: &'static str) -> Setting<Config> {
    setting(
        kind,
        key,
        "full, legal_entities or partial",
        "which numbers do not exist if it says that it has none: all, those of legal entities, or \
         none",
        |api, value| {
            api.coverage = coverage::read(value)?;
            Ok(())
        },
        |api| coverage::name(api.coverage).to_owned(),
    )
}

fn per_minute(kind: ApiKind, key: &'static str) -> Setting<Config> {
    setting(
        kind,
        key,
        "a whole number from 1 to 100000, or none",
        "calls that the plan allows in any 60 seconds, of all processes that share a backend",
        |api, value| {
            api.plan.per_minute = limit(value, NonZeroU32::new)?;
            Ok(())
        },
        |api| api.plan.per_minute.map_or_else(|| "none".to_owned(), |limit| limit.to_string()),
    )
}

fn per_month(kind: ApiKind, key: &'static str) -> Setting<Config> {
    setting(
        kind,
        key,
        "a whole number, at least 1, or none",
        "calls that the plan allows in a calendar month of Lima, of all processes that share a \
         backend",
        |api, value| {
            api.plan.per_month = limit(value, NonZeroU64::new)?;
            Ok(())
        },
        |api| api.plan.per_month.map_or_else(|| "none".to_owned(), |limit| limit.to_string()),
    )
}

fn limit<N: std::str::FromStr, Z>(
    value: &str,
    non_zero: impl Fn(N) -> Option<Z>,
) -> Result<Option<Z>, String> {
    if value == "none" {
        return Ok(None);
    }
    let number = value.parse().map_err(|_| "not such a whole number")?;
    non_zero(number).map(Some).ok_or_else(|| "nothing would be asked".to_owned())
}

fn reserve(kind: ApiKind, key: &'static str) -> Setting<Config> {
    setting(
        kind,
        key,
        "a percentage from 0 to 100",
        "how much of the plan look-ups of many leave to single ones",
        |api, value| {
            api.plan.reserve_percent = value.parse().map_err(|_| "not such a whole number")?;
            Ok(())
        },
        |api| api.plan.reserve_percent.to_string(),
    )
}

fn duration(
    kind: ApiKind,
    key: &'static str,
    about: &'static str,
    field: impl Fn(&mut SourceConfig) -> &mut Duration + Copy + Send + Sync + 'static,
) -> Setting<Config> {
    setting(
        kind,
        key,
        DURATION,
        about,
        move |api, value| {
            let span: Ttl = value.parse().map_err(|error| format!("{error}"))?;
            *field(api) = span.as_duration();
            Ok(())
        },
        move |api| Ttl::try_from(*field(&mut api.clone())).unwrap_or(Ttl::MIN).to_string(),
    )
}

fn retries(kind: ApiKind, key: &'static str) -> Setting<Config> {
    setting(
        kind,
        key,
        "a whole number from 0 to 10",
        "how often a call that failed without a verdict is made again; each counts",
        |api, value| {
            api.retries = match value.parse() {
                Ok(retries) if retries <= 10 => retries,
                _ => return Err("not such a whole number".to_owned()),
            };
            Ok(())
        },
        |api| api.retries.to_string(),
    )
}
