//! The URL form of the settings.

use std::str::FromStr;
use std::time::Duration;

use rucache_core::{KeyPrefix, Ttl};

use super::{ITEM_OVERHEAD, InvalidConfig, MemcachedConfig, Server};

const SPAN: &str = "write 1ms to 1min, as in 50ms";
const COUNT: &str = "write 1 to 1024";
const BYTES: &str = "write bytes, or a whole number of KiB or MiB, 1KiB to 1024MiB";
const PREFIX: &str =
    "write 1 to 32 of A-Z, a-z, 0-9, '.', '_', '-', starting with a letter or digit";

impl FromStr for MemcachedConfig {
    type Err = InvalidConfig;

    fn from_str(url: &str) -> Result<Self, InvalidConfig> {
        if url.starts_with("memcacheds://") {
            return Err(InvalidConfig::Tls);
        }
        let rest = url.strip_prefix("memcached://").ok_or(InvalidConfig::Scheme)?;
        // Anywhere: a password may hold any separator, and must not be repeated as something else.
        if rest.contains('@') {
            return Err(InvalidConfig::Credentials);
        }
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (servers, path) = place.split_once('/').unwrap_or((place, ""));
        if !path.is_empty() {
            return Err(InvalidConfig::Path);
        }
        if servers.is_empty() {
            return Err(InvalidConfig::NoServer);
        }
        let servers = servers.split(',').map(Server::from_str).collect::<Result<_, _>>()?;
        let mut config = Self::new(servers)?;
        config.read_query(query)?;
        Ok(config)
    }
}

impl MemcachedConfig {
    fn read_query(&mut self, query: &str) -> Result<(), InvalidConfig> {
        let mut parameters = Parameters::split(query)?;
        if let Some(span) = parameters.take("timeout", SPAN, span)? {
            self.timeout = span;
        }
        if let Some(span) = parameters.take("connect_timeout", SPAN, span)? {
            self.connect_timeout = span;
        }
        if let Some(count) = parameters.take("max_connections", COUNT, count)? {
            self.max_connections = count;
        }
        self.prefix = parameters.take("prefix", PREFIX, |text| KeyPrefix::new(text).ok())?;
        if let Some(size) = parameters.take("item_size", BYTES, bytes)? {
            self.item_size = size;
        }
        let max_value = parameters.take("max_value", BYTES, bytes)?;
        if let Some((name, _)) = parameters.0.first() {
            return Err(InvalidConfig::Unknown { name: name.chars().take(40).collect() });
        }
        let room = self.item_size.saturating_sub(ITEM_OVERHEAD);
        self.max_value = match max_value {
            Some(max_value) if max_value > room => {
                let item_size = self.item_size;
                return Err(InvalidConfig::MaxValue { max_value, item_size, room });
            }
            Some(max_value) => max_value,
            None => self.max_value_len(),
        };
        Ok(())
    }
}

/// The parameters that nobody has asked for yet.
struct Parameters<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Parameters<'a> {
    fn split(query: &'a str) -> Result<Self, InvalidConfig> {
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        Ok(Self(pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).collect()))
    }

    fn take<T>(
        &mut self,
        name: &'static str,
        expected: &'static str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, InvalidConfig> {
        let mut found = self.0.extract_if(.., |(found, _)| *found == name);
        let first = found.next();
        if found.count() > 0 {
            return Err(InvalidConfig::Repeated { name });
        }
        let Some((_, text)) = first else { return Ok(None) };
        let refused =
            || InvalidConfig::Value { name, found: text.chars().take(40).collect(), expected };
        read(text).map(Some).ok_or_else(refused)
    }
}

fn span(text: &str) -> Option<Duration> {
    let span: Ttl = text.parse().ok()?;
    (span <= Ttl::secs(60)).then(|| span.as_duration())
}

fn count(text: &str) -> Option<usize> {
    text.parse().ok().filter(|count| (1..=1024).contains(count))
}

fn bytes(text: &str) -> Option<usize> {
    let unit_at = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_at);
    let unit = match unit {
        "" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        _ => return None,
    };
    let size = number.parse::<usize>().ok()?.checked_mul(unit)?;
    (1 << 10..=1 << 30).contains(&size).then_some(size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn read(url: &str) -> MemcachedConfig {
        url.parse().unwrap_or_else(|refused| panic!("{url}: {refused}"))
    }

    #[track_caller]
    fn check_refused(url: &str, message: &str) {
        let refused = url.parse::<MemcachedConfig>().unwrap_err().to_string();
        assert!(refused.contains(message), "{url}: {refused}");
        assert!(!refused.contains("secret"), "{url}: {refused}");
    }

    #[test]
    fn url_names_the_nodes_and_the_rest_has_defaults() {
        let config = read("memcached://a,B:11212,[::1]:3");
        let names: Vec<_> = config.servers.iter().map(Server::as_str).collect();
        assert_eq!(names, ["a:11211", "b:11212", "[::1]:3"]);
        assert_eq!(config.timeout, Duration::from_millis(50));
        assert_eq!(config.connect_timeout, Duration::from_millis(200));
        assert_eq!(config.max_connections, 16);
        assert_eq!(config.prefix, None);
        assert_eq!((config.max_value, config.item_size), (1_000_000, 1_048_576));
        assert_eq!(read("memcached://a/?"), read("memcached://a"));
    }

    #[test]
    fn url_sets_everything() {
        let config = read(
            "memcached://a?timeout=80ms&connect_timeout=1s&max_connections=4&prefix=shop\
             &max_value=3MiB&item_size=4MiB",
        );
        assert_eq!(config.timeout, Duration::from_millis(80));
        assert_eq!(config.connect_timeout, Duration::from_millis(1_000));
        assert_eq!(config.max_connections, 4);
        assert_eq!(config.prefix.as_ref().map(KeyPrefix::as_str), Some("shop"));
        assert_eq!((config.max_value, config.item_size), (3 << 20, 4 << 20));
    }

    #[test]
    fn small_items_lower_the_longest_value() {
        assert_eq!(read("memcached://a?item_size=512KiB").max_value, (512 << 10) - 320);
        check_refused("memcached://a?max_value=1MiB", "has room for 1048256; lower max_value");
    }

    #[test]
    fn what_memcached_cannot_do_is_refused_with_what_to_do() {
        check_refused("memcacheds://a", "through a tunnel");
        check_refused("memcached://user:secret@a", "no SASL");
        check_refused("memcached://user:sec?ret/secret@a", "no SASL");
        check_refused("redis://:secret@a", "must begin with memcached://");
        check_refused("memcached://a/3", "no path or database number");
        check_refused("memcached://", "names no server");
        check_refused("memcached://a,,b", "\"\" is no server");
        check_refused("memcached://a,A", "server a:11211 stands twice");
    }

    #[test]
    fn wrong_parameters_are_refused_with_their_value() {
        check_refused("memcached://a?timeot=1s", "no parameter \"timeot\"; known: timeout,");
        check_refused(
            "memcached://a?timeout=1s&timeout=2s",
            "timeout of memcached:// stands twice",
        );
        check_refused("memcached://a?timeout=0ms", "timeout of memcached:// is \"0ms\"; write 1ms");
        check_refused("memcached://a?connect_timeout=2min", "is \"2min\"; write 1ms to 1min");
        check_refused("memcached://a?max_connections=0", "is \"0\"; write 1 to 1024");
        check_refused("memcached://a?max_value=1MB", "is \"1MB\"; write bytes");
        check_refused("memcached://a?item_size", "item_size of memcached:// is \"\"");
        check_refused("memcached://a?prefix=~x", "prefix of memcached:// is \"~x\"");
    }
}
