//! The name of a node.

use std::fmt;
use std::str::FromStr;

use super::InvalidConfig;

/// memcached's port.
const PORT: &str = "11211";

/// A node's `host:port`: where it is reached, and its name in routing, errors and events.
///
/// Lower case; an IPv6 address stands in brackets; the port is 11211 where none is given.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Server(String);

impl Server {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Server {
    type Err = InvalidConfig;

    fn from_str(text: &str) -> Result<Self, InvalidConfig> {
        let invalid = || InvalidConfig::Server { found: text.chars().take(80).collect() };
        let host_end = match text.strip_prefix('[') {
            Some(rest) => rest.find(']').ok_or_else(invalid)? + 2,
            None => text.find(':').unwrap_or(text.len()),
        };
        let (host, port) = text.split_at(host_end);
        let port = match port {
            "" => PORT,
            port => port.strip_prefix(':').ok_or_else(invalid)?,
        };
        let digits = port.bytes().all(|byte| byte.is_ascii_digit());
        if !digits || !port.parse::<u16>().is_ok_and(|port| port > 0) || !is_host(host) {
            return Err(invalid());
        }
        Ok(Self(format!("{}:{port}", host.to_ascii_lowercase())))
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_host(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        return address.parse::<std::net::Ipv6Addr>().is_ok();
    }
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    !host.is_empty() && host.len() <= 253 && host.bytes().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        let found = text.parse::<Server>().ok();
        assert_eq!(found.as_ref().map(Server::as_str), expected, "{text:?}");
    }

    #[test]
    fn name_is_host_and_port() {
        check("10.0.0.1:11212", Some("10.0.0.1:11212"));
        check("Cache-1.Example", Some("cache-1.example:11211"));
        check("[::1]", Some("[::1]:11211"));
        check("[2001:db8::1]:7", Some("[2001:db8::1]:7"));
    }

    #[test]
    fn what_is_no_host_and_port_is_refused() {
        for text in [
            "", ":1", "a:", "a:0", "a:65536", "a:+1", "a b", "a:1:2", "::1", "[::1", "[x]",
            "[::1]1",
        ] {
            check(text, None);
        }
    }
}
