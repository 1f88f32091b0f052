//! The table of the service's own settings.

use std::fmt::Display;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use rucache::{Setting, Ttl};

use super::ServerConfig;
use super::token::Token;

const ADDRESS: &str = "an address and port such as 127.0.0.1:8080";
const NUMBER: &str = "a whole number, at least 1";

/// The service's own settings, in the order of the manual.
pub(super) fn settings() -> Vec<Setting<ServerConfig>> {
    let mut settings = vec![
        Setting::new(
            "listen",
            ADDRESS,
            "where the service answers HTTP; beyond this machine with a token only",
            |config: &mut ServerConfig, value| {
                config.listen = address(value)?;
                Ok(())
            },
            |config| config.listen.to_string(),
        ),
        Setting::new(
            "admin.listen",
            ADDRESS,
            "where administration and metrics answer instead, if set",
            |config: &mut ServerConfig, value| {
                config.admin_listen = Some(address(value)?);
                Ok(())
            },
            |config| config.admin_listen.map_or_else(|| "unset".to_owned(), |at| at.to_string()),
        ),
    ];
    settings.extend(secrets());
    settings.extend(limits());
    settings.extend(log());
    settings
}

fn secrets() -> [Setting<ServerConfig>; 3] {
    let shown = |config: &ServerConfig| match config.token {
        Some(_) => "set".to_owned(),
        None => "unset".to_owned(),
    };
    [
        Setting::new(
            "token",
            "a secret of at least 32 bytes",
            "what clients show as `Authorization: Bearer TOKEN`",
            |config: &mut ServerConfig, value| {
                config.token = Some(value.parse()?);
                Ok(())
            },
            shown,
        )
        .secret(),
        Setting::new(
            "token_file",
            "the path of a file with a secret of at least 32 bytes",
            "the same, from a file",
            |config: &mut ServerConfig, value| {
                config.token = Some(Token::read(Path::new(value))?);
                Ok(())
            },
            shown,
        ),
        Setting::new(
            "metrics.open",
            "true or false",
            "whether /metrics is answered without the token",
            |config: &mut ServerConfig, value| {
                config.metrics_open = value.parse().map_err(|_| "neither true nor false")?;
                Ok(())
            },
            |config| config.metrics_open.to_string(),
        ),
    ]
}

fn limits() -> [Setting<ServerConfig>; 5] {
    let number = |key, about, field: fn(&mut ServerConfig) -> &mut usize, most: usize| {
        Setting::new(
            key,
            NUMBER,
            about,
            move |config: &mut ServerConfig, value| {
                *field(config) = match value.parse() {
                    Ok(0) => return Err("nothing would be let through".to_owned()),
                    Ok(number) if number > most => return Err(format!("{most} at most")),
                    Ok(number) => number,
                    Err(_) => return Err("not a whole number".to_owned()),
                };
                Ok(())
            },
            move |config| field(&mut config.clone()).to_string(),
        )
    };
    [
        number("limits.body", "longest body, in bytes", |c| &mut c.limits.body, 1 << 30),
        number(
            "limits.head",
            "longest head of a request, in bytes",
            |config| &mut config.limits.head,
            // What a server keeps in memory for each connection.
            1 << 20,
        ),
        number(
            "limits.batch",
            "most numbers, keys or events in a request",
            |config| &mut config.limits.batch,
            10_000,
        ),
        number(
            "limits.connections",
            "connections open at once, and so requests under way",
            |config| &mut config.limits.connections,
            1 << 20,
        ),
        Setting::new(
            "limits.request",
            "a duration such as 30s",
            "how long a request may take until its answer begins",
            |config: &mut ServerConfig, value| {
                let span: Ttl = value.parse().map_err(|error| format!("{error}"))?;
                config.limits.request = span.as_duration();
                Ok(())
            },
            |config| Ttl::try_from(config.limits.request).unwrap_or(Ttl::MIN).to_string(),
        ),
    ]
}

fn log() -> [Setting<ServerConfig>; 3] {
    [
        Setting::new(
            "log.cache_events",
            "off, debug or info",
            "at which level hits, misses, stores and invalidations are logged, with their names",
            |config: &mut ServerConfig, value| read(value, &mut config.log.cache_events),
            |config| config.log.cache_events.as_str().to_owned(),
        ),
        Setting::new(
            "log.file",
            "the path of a file",
            "where cache events go in the place of standard error",
            |config: &mut ServerConfig, value| {
                config.log.file = (!value.is_empty()).then(|| PathBuf::from(value));
                Ok(())
            },
            |config| match &config.log.file {
                Some(file) => file.display().to_string(),
                None => "standard error".to_owned(),
            },
        ),
        Setting::new(
            "log.format",
            "text or json",
            "how lines of the log look",
            |config: &mut ServerConfig, value| read(value, &mut config.log.format),
            |config| config.log.format.as_str().to_owned(),
        ),
    ]
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "not an address and port".to_owned())
}

fn read<T: FromStr<Err: Display>>(value: &str, into: &mut T) -> Result<(), String> {
    *into = value.parse().map_err(|error| format!("{error}"))?;
    Ok(())
}
