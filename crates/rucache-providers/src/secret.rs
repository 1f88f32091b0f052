//! A token that is used and never shown.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use crate::error::ConfigError;

/// Longest token taken, in bytes.
const MAX_LEN: usize = 4_096;

/// Shortest token that is looked for in answers, in bytes.
const TELLING: usize = 8;

/// The token of a source. Neither `Debug` nor any error shows it, and it has no other text form.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Arc<str>);

impl Secret {
    /// The token `text`, without white space around it; `origin` says in errors where it stood.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Token`] when it is empty, longer than 4 KiB, or holds anything but visible
    /// ASCII, which no header can carry.
    pub fn new(text: &str, origin: &str) -> Result<Self, ConfigError> {
        let text = text.trim();
        let fits =
            (1..=MAX_LEN).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        if fits { Ok(Self(text.into())) } else { Err(ConfigError::token(origin)) }
    }

    /// The token in the environment variable `name`.
    ///
    /// # Errors
    ///
    /// [`ConfigError::TokenUnset`] when it is not set, otherwise as [`Secret::new`].
    pub fn from_env(name: &str) -> Result<Self, ConfigError> {
        match std::env::var(name) {
            Ok(text) => Self::new(&text, &format!("environment variable {name}")),
            Err(std::env::VarError::NotPresent) => {
                Err(ConfigError::TokenUnset { variable: name.to_owned() })
            }
            Err(std::env::VarError::NotUnicode(_)) => {
                Err(ConfigError::token(&format!("environment variable {name}")))
            }
        }
    }

    /// The token in the file `path`.
    ///
    /// # Errors
    ///
    /// [`ConfigError::TokenFile`] when it cannot be read, otherwise as [`Secret::new`].
    pub fn from_file(path: &Path) -> Result<Self, ConfigError> {
        let file = path.display().to_string();
        match std::fs::read_to_string(path) {
            Ok(text) => Self::new(&text, &format!("file {file}")),
            Err(source) => Err(ConfigError::TokenFile { file, source }),
        }
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    /// Whether `value` repeats the token; one of a few letters stands in words by chance.
    pub(crate) fn stands_in(&self, value: &Value) -> bool {
        // Both as JSON writes them.
        let token = Value::from(&*self.0).to_string();
        let token = token.get(1..token.len() - 1).unwrap_or(&self.0);
        self.0.len() >= TELLING && value.to_string().contains(token)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token_is_trimmed_and_never_shown() {
        let secret = Secret::new(" s3cret-token\n", "test").unwrap();
        assert_eq!(secret.expose(), "s3cret-token");
        assert!(!format!("{secret:?} {secret:#?}").contains("s3cret"));
    }

    #[test]
    fn token_is_found_in_values_however_json_writes_it() {
        let secret = Secret::new("s3cret\\\"token", "test").unwrap();
        assert!(secret.stands_in(&serde_json::json!({ "a": ["x s3cret\\\"token y"] })));
        assert!(!secret.stands_in(&serde_json::json!("s3cret")));
        // Half of all words.
        assert!(!Secret::new("a", "test").unwrap().stands_in(&serde_json::json!("lima")));
    }

    #[test]
    fn what_no_header_can_carry_is_refused_without_being_quoted() {
        for text in ["", "  ", "s3cret token", "s3cret\r\nx: y", "s3crét", &"s3cret".repeat(1_000)]
        {
            let error = Secret::new(text, "file /run/token").unwrap_err().to_string();
            assert!(error.contains("file /run/token"), "{error}");
            assert!(!error.contains("s3cr"), "{error}");
        }
    }
}
