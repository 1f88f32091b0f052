//! The secret that clients show.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use subtle::ConstantTimeEq;

/// Fewest bytes of a token: 256 bits written as hexadecimal digits have 64, as base64 44.
const SHORTEST: usize = 32;

/// A bearer token. Never shown.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Token(String);

impl Token {
    /// The token in the file at `path`, white space around it left out.
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        std::fs::read_to_string(path)
            .map_err(|error| format!("cannot read the file: {error}"))?
            .trim()
            .parse()
    }

    /// Whether `shown` is this token, in a time that tells nothing of how much of it fits.
    pub(crate) fn is(&self, shown: &[u8]) -> bool {
        self.0.as_bytes().ct_eq(shown).into()
    }

    /// The value of the header by which a client shows it.
    pub(crate) fn header(&self) -> String {
        format!("Bearer {}", self.0)
    }
}

impl FromStr for Token {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // What RFC 6750 lets stand in a header.
        let fits = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(byte);
        match text.len() {
            len if len < SHORTEST => Err(format!(
                "a token of {len} bytes is too short to be safe; make one of {SHORTEST} at least, \
                 with `openssl rand -hex 32` for example"
            )),
            _ if !text.as_bytes().iter().all(fits) => {
                Err("a token has letters, digits and - . _ ~ + / = only".to_owned())
            }
            _ => Ok(Self(text.to_owned())),
        }
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "0123456789abcdef0123456789ABCDEF";

    #[test]
    fn only_the_whole_token_fits() {
        let token: Token = GOOD.parse().expect("a token");
        assert!(token.is(GOOD.as_bytes()));
        for other in [&GOOD[1..], &GOOD[..31], "", "0123456789abcdef0123456789ABCDEG"] {
            assert!(!token.is(other.as_bytes()), "{other}");
        }
        assert_eq!(format!("{token:?}"), "Token(…)");
    }

    #[test]
    fn short_token_and_one_that_fits_no_header_are_refused() {
        let told = "secret".parse::<Token>().expect_err("short");
        assert!(told.contains("6 bytes") && !told.contains("secret"), "{told}");
        let told = format!("{GOOD} x").parse::<Token>().expect_err("a space");
        assert!(!told.contains(GOOD), "{told}");
    }
}
