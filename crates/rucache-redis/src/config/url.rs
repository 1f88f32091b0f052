//! The URL form of the settings.

use std::time::Duration;

use percent_encoding::percent_decode_str;
use rucache_core::{KeyPrefix, Ttl};

use super::{
    Address, InvalidConfig, Login, Protocol, RedisConfig, SENTINEL_PORT, SERVER_PORT, Servers, Tls,
};

/// The parameters there are.
const PARAMETERS: [&str; 9] = [
    "timeout",
    "bulk_timeout",
    "connect_timeout",
    "protocol",
    "prefix",
    "max_value",
    "ca",
    "sentinel_user",
    "sentinel_password",
];

/// The limits of `max_value`: what core's contract asks for, and what Redis takes.
const MAX_VALUE: std::ops::RangeInclusive<usize> = 1_024..=512_000_000;

/// How the servers are arranged, by the scheme.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    One,
    Sentinel,
    Cluster,
}

/// Reads a URL.
pub(super) fn parse(text: &str) -> Result<RedisConfig, InvalidConfig> {
    let (scheme, rest) = text.split_once("://").ok_or(InvalidConfig::Scheme)?;
    let (kind, tls) = match scheme {
        "redis" => (Kind::One, None),
        "rediss" => (Kind::One, Some(Tls::default())),
        "redis+sentinel" => (Kind::Sentinel, None),
        "rediss+sentinel" => (Kind::Sentinel, Some(Tls::default())),
        "redis+cluster" => (Kind::Cluster, None),
        "rediss+cluster" => (Kind::Cluster, Some(Tls::default())),
        _ => return Err(InvalidConfig::Scheme),
    };
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, path) = place.split_once('/').unwrap_or((place, ""));
    let (login, hosts) = match authority.rsplit_once('@') {
        Some((userinfo, hosts)) => (login(userinfo)?, hosts),
        None => (Login::default(), authority),
    };
    let (servers, database) = servers(kind, hosts, path)?;
    let mut config = RedisConfig { login, database, tls, ..RedisConfig::new(servers) };
    read_parameters(&mut config, query)?;
    Ok(config)
}

fn login(userinfo: &str) -> Result<Login, InvalidConfig> {
    let (user, password) = match userinfo.split_once(':') {
        Some((user, password)) => (user, Some(password)),
        None => (userinfo, None),
    };
    let decoded = |text: &str| decoded(text).ok_or(InvalidConfig::Login);
    let user = Some(decoded(user)?).filter(|user| !user.is_empty());
    Ok(Login { user, password: password.map(decoded).transpose()? })
}

fn servers(kind: Kind, hosts: &str, path: &str) -> Result<(Servers, u32), InvalidConfig> {
    let port = if kind == Kind::Sentinel { SENTINEL_PORT } else { SERVER_PORT };
    let addresses = hosts.split(',').enumerate();
    let addresses = addresses
        .map(|(at, host)| address(host, port).ok_or(InvalidConfig::Host { number: at + 1 }))
        .collect::<Result<Vec<_>, _>>()?;
    match kind {
        Kind::One => match <[Address; 1]>::try_from(addresses) {
            Ok([address]) => Ok((Servers::One(address), database(path)?)),
            Err(_) => Err(InvalidConfig::Hosts),
        },
        Kind::Cluster if path.is_empty() => Ok((Servers::Cluster(addresses), 0)),
        Kind::Cluster => Err(InvalidConfig::ClusterPath),
        Kind::Sentinel => {
            let (service, rest) = path.split_once('/').unwrap_or((path, ""));
            let service = decoded(service).filter(|service| !service.is_empty());
            let service = service.ok_or(InvalidConfig::Service)?;
            let login = Login::default();
            Ok((Servers::Sentinel { sentinels: addresses, service, login }, database(rest)?))
        }
    }
}

/// `host`, `host:port`, `[v6]` or `[v6]:port`.
fn address(text: &str, default_port: u16) -> Option<Address> {
    let (host, port) = if let Some(rest) = text.strip_prefix('[') {
        let (host, rest) = rest.split_once(']')?;
        (host, rest.strip_prefix(':').or(rest.is_empty().then_some(""))?)
    } else {
        text.split_once(':').unwrap_or((text, ""))
    };
    let port = if port.is_empty() { default_port } else { port.parse().ok()? };
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '%');
    (!host.is_empty() && host.chars().all(fits)).then(|| Address::new(host, port))
}

fn database(path: &str) -> Result<u32, InvalidConfig> {
    match path {
        "" => Ok(0),
        path => path.parse().map_err(|_| InvalidConfig::Database),
    }
}

fn read_parameters(config: &mut RedisConfig, query: &str) -> Result<(), InvalidConfig> {
    // An unencoded `?` in the password: its rest is here.
    if query.contains('@') {
        return Err(InvalidConfig::Login);
    }
    let mut seen = Vec::new();
    for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let known = PARAMETERS.into_iter().find(|known| *known == name);
        let name = known.ok_or_else(|| unknown(name))?;
        if seen.contains(&name) {
            return Err(InvalidConfig::Repeated { name });
        }
        seen.push(name);
        let value = decoded(value).filter(|value| !value.is_empty());
        set(config, name, &value.ok_or(InvalidConfig::Encoding { name })?)?;
    }
    Ok(())
}

fn set(config: &mut RedisConfig, name: &'static str, value: &str) -> Result<(), InvalidConfig> {
    match name {
        "timeout" => config.timeout = span(name, value)?,
        "bulk_timeout" => config.bulk_timeout = span(name, value)?,
        "connect_timeout" => config.connect_timeout = span(name, value)?,
        "protocol" => {
            config.protocol = match value {
                "2" => Protocol::Resp2,
                "3" => Protocol::Resp3,
                _ => return Err(InvalidConfig::Protocol),
            }
        }
        "prefix" => {
            let prefix = KeyPrefix::new(value);
            config.prefix = Some(prefix.map_err(|reason| InvalidConfig::Prefix { reason })?);
        }
        "max_value" => {
            let len = value.parse().ok().filter(|len| MAX_VALUE.contains(len));
            config.max_value_len = len.ok_or(InvalidConfig::MaxValue)?;
        }
        "ca" => match &mut config.tls {
            Some(tls) => tls.ca = Some(value.into()),
            None => return Err(InvalidConfig::Misplaced { name, takes: "rediss://" }),
        },
        "sentinel_user" => sentinel_login(config, name)?.user = Some(value.to_owned()),
        _ => sentinel_login(config, name)?.password = Some(value.to_owned()),
    }
    Ok(())
}

fn sentinel_login<'c>(
    config: &'c mut RedisConfig,
    name: &'static str,
) -> Result<&'c mut Login, InvalidConfig> {
    match &mut config.servers {
        Servers::Sentinel { login, .. } => Ok(login),
        _ => Err(InvalidConfig::Misplaced { name, takes: "redis+sentinel://" }),
    }
}

fn span(name: &'static str, value: &str) -> Result<Duration, InvalidConfig> {
    let ttl: Ttl = value.parse().map_err(|reason| InvalidConfig::Span { name, reason })?;
    Ok(ttl.as_duration())
}

fn unknown(name: &str) -> InvalidConfig {
    // What is no word may be a part of something secret.
    let showable = name.len() <= 30 && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    let nearest = PARAMETERS
        .into_iter()
        .map(|known| (strsim::damerau_levenshtein(known, name), known))
        .min()
        .filter(|(distance, _)| showable && *distance <= 3);
    let hint = match nearest {
        Some((_, known)) => format!("did you mean {known}?"),
        None => format!("known: {}", PARAMETERS.join(", ")),
    };
    let name = if showable { format!("{name:?}") } else { "of this name".to_owned() };
    InvalidConfig::Unknown { name, hint }
}

fn decoded(text: &str) -> Option<String> {
    percent_decode_str(text).decode_utf8().ok().map(Into::into)
}
