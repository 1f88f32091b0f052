//! Where a source is: checked once, so that a token never travels in the clear.

use std::net::IpAddr;

use hyper::Uri;
use hyper::http::uri::InvalidUri;

use crate::error::ConfigError;

/// Scheme, host, port and a path before the API's own.
#[derive(Debug, Clone)]
pub(crate) struct BaseUrl(String);

impl BaseUrl {
    /// Reads `text`, which must be `https`, or `http` to this machine.
    pub(crate) fn parse(text: &str, name: &str) -> Result<Self, ConfigError> {
        let refuse = |problem| Err(ConfigError::BaseUrl { name: name.to_owned(), problem });
        let Ok(uri) = text.parse::<Uri>() else {
            return refuse("is no URL; write it as https://host/path");
        };
        let Some(host) = uri.host().filter(|host| !host.is_empty()) else {
            return refuse("names no host; write it as https://host/path");
        };
        if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            return refuse("holds a user or password; give the token by itself");
        }
        if text.contains(['?', '#']) {
            return refuse("holds a query; write scheme, host, port and path only");
        }
        match uri.scheme_str() {
            Some("https") => {}
            Some("http") if is_this_machine(host) => {}
            Some("http") => {
                return refuse("would send the token unencrypted; use https");
            }
            _ => return refuse("must begin with https://"),
        }
        Ok(Self(text.trim_end_matches('/').to_owned()))
    }

    /// The URL of `path`, which begins with `/`.
    pub(crate) fn join(&self, path: &str) -> Result<Uri, InvalidUri> {
        format!("{}{path}", self.0).parse()
    }

    /// Whether connections are encrypted.
    pub(crate) fn is_encrypted(&self) -> bool {
        self.0.starts_with("https:")
    }
}

fn is_this_machine(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_follow_the_base() {
        let url = |base: &str| {
            let base = BaseUrl::parse(base, "migo").unwrap();
            (base.join("/api/v1/ruc").unwrap().to_string(), base.is_encrypted())
        };
        assert_eq!(url("https://api.migo.pe"), ("https://api.migo.pe/api/v1/ruc".into(), true));
        assert_eq!(url("https://api.migo.pe/"), ("https://api.migo.pe/api/v1/ruc".into(), true));
        let local = url("http://127.0.0.1:8081/migo");
        assert_eq!(local, ("http://127.0.0.1:8081/migo/api/v1/ruc".into(), false));
        assert_eq!(url("http://[::1]:8081").0, "http://[::1]:8081/api/v1/ruc");
    }

    #[test]
    fn what_would_leak_or_mislead_is_refused_without_being_quoted() {
        for text in [
            "",
            "migo",
            "/api",
            "ftp://api.migo.pe",
            "http://api.migo.pe",
            "http://127.0.0.1.example",
            "https://user:s3cret@api.migo.pe",
            "https://api.migo.pe/?token=s3cret",
        ] {
            let error = BaseUrl::parse(text, "migo").unwrap_err().to_string();
            assert!(error.starts_with("the base_url of source migo "), "{text}: {error}");
            assert!(!error.contains("s3cret"), "{error}");
        }
    }
}
