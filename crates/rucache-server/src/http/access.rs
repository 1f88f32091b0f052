//! Who may ask for what: routes by kind, listeners by what they serve, and the bearer token.

use axum::http::{HeaderMap, header};

use super::live::Live;
use super::problem::{Kind, Problem};

/// Whom a route is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// Whoever restarts the process or sends it requests.
    Everybody,
    /// Whoever watches it.
    Metrics,
    /// Whoever uses it, and whoever runs it.
    UsersAndAdministrators,
    /// Whoever uses the cache.
    Users,
    /// Whoever runs the service.
    Administrators,
}

/// What a listener serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Door {
    /// Everything: there is no other listener.
    Only,
    /// What is not administration.
    Users,
    /// What is not the cache's content.
    Administrators,
}

impl Door {
    /// Whether routes of `access` are served here.
    pub(super) const fn serves(self, access: Access) -> bool {
        match self {
            Self::Only => true,
            Self::Users => !matches!(access, Access::Metrics | Access::Administrators),
            Self::Administrators => !matches!(access, Access::Users),
        }
    }
}

impl Live {
    /// Lets a request through to a route of `access`, if it shows the token that it takes.
    pub(super) fn admit(&self, access: Access, headers: &HeaderMap) -> Result<(), Problem> {
        let Some(token) = &self.token else { return Ok(()) };
        let is_open = match access {
            Access::Everybody => true,
            Access::Metrics => self.metrics_open,
            Access::Users | Access::UsersAndAdministrators | Access::Administrators => false,
        };
        let shown = headers.get(header::AUTHORIZATION).and_then(|value| bearer(value.as_bytes()));
        if is_open || shown.is_some_and(|shown| token.is(shown)) {
            return Ok(());
        }
        let detail = match shown {
            Some(_) => "this is not the service's token",
            None => "show the service's token: Authorization: Bearer TOKEN",
        };
        Err(Problem::new(Kind::Unauthorized, detail))
    }
}

/// The token in the value of `Authorization`; the scheme is in any case (RFC 9110).
fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, rest) = value.split_at_checked("Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then(|| rest.trim_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bearer_token_is_found_in_any_spelling_of_its_scheme() {
        assert_eq!(bearer(b"Bearer abc"), Some(&b"abc"[..]));
        assert_eq!(bearer(b"bearer  abc "), Some(&b"abc"[..]));
        for other in [&b""[..], b"Bearer", b"Basic abc=", b"Bearerabc"] {
            assert_eq!(bearer(other), None);
        }
    }

    #[test]
    fn two_doors_share_nothing_but_the_state_of_the_service() {
        use Access::{Administrators, Everybody, Metrics, Users, UsersAndAdministrators};
        for (access, of_users, of_administrators) in [
            (Everybody, true, true),
            (UsersAndAdministrators, true, true),
            (Users, true, false),
            (Metrics, false, true),
            (Administrators, false, true),
        ] {
            assert!(Door::Only.serves(access));
            assert_eq!(Door::Users.serves(access), of_users, "{access:?}");
            assert_eq!(Door::Administrators.serves(access), of_administrators, "{access:?}");
        }
    }
}
