//! Why a source cannot be set up.

use std::io;

use thiserror::Error;

/// Why a source cannot be set up. No text holds a token or a password.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The environment variable that should hold the token is not set.
    #[error("no token: set environment variable {variable}, or name a file with token_file")]
    TokenUnset {
        /// The variable.
        variable: String,
    },
    /// The file that should hold the token cannot be read.
    #[error("cannot read the token from file {file}; check the path and its permissions")]
    TokenFile {
        /// The file.
        file: String,
        /// What the system says.
        source: io::Error,
    },
    /// What stands in the token's place is none.
    #[error(
        "the token in {origin} is empty, too long, or holds other than visible ASCII characters; \
         write the token alone"
    )]
    Token {
        /// Where it stands.
        origin: String,
    },
    /// Two places are named for one token.
    #[error("source {name} names both token_env and token_file; name one of them")]
    TwoTokens {
        /// The source.
        name: String,
    },
    /// The name fits no metric and no key.
    #[error("{name:?} is no name for a source; use 1 to 23 of a-z, 0-9, `.`, `_`, `-`")]
    Name {
        /// The name.
        name: String,
    },
    /// The base URL is none, holds more than a base URL may, or would send the token in the clear.
    #[error("the base_url of source {name} {problem}")]
    BaseUrl {
        /// The source.
        name: String,
        /// What is wrong with it, and what to do.
        problem: &'static str,
    },
    /// There is no certificate to trust.
    #[error("no certificates to trust for source {name}; name a PEM file with ca")]
    Certificates {
        /// The source.
        name: String,
        /// What the TLS library says, where it says something.
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// A number is out of its range.
    #[error("{setting} of source {name} must be {form}")]
    Range {
        /// The source.
        name: String,
        /// The setting.
        setting: &'static str,
        /// What it must be.
        form: &'static str,
    },
}

impl ConfigError {
    pub(crate) fn token(origin: &str) -> Self {
        Self::Token { origin: origin.to_owned() }
    }
}
