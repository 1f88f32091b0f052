//! Values as they may be shown: without passwords.

/// `value` with the passwords of a URL masked, if it may be one, at 200 characters at most.
///
/// Masked are what stands between `:` and `@` of the address, parameters whose name holds
/// `password`, and, in a text that is no URL, everything before an `@`.
#[must_use]
pub fn without_password(value: &str) -> String {
    let (url, query) = match value.split_once('?') {
        Some((url, query)) => (url, Some(query)),
        None => (value, None),
    };
    let mut shown = match url.split_once("://") {
        None => match url.rsplit_once('@') {
            Some((_, place)) => format!("***@{place}"),
            None => url.to_owned(),
        },
        Some((scheme, rest)) => match rest.rsplit_once('@') {
            // A user may hold no `:`, a password anything.
            Some((login, place)) => {
                let user = login.split(':').next().unwrap_or_default();
                format!("{scheme}://{user}:***@{place}")
            }
            None => url.to_owned(),
        },
    };
    for (at, parameter) in query.into_iter().flat_map(|query| query.split('&')).enumerate() {
        shown.push(if at == 0 { '?' } else { '&' });
        match parameter.split_once('=') {
            Some((name, _)) if name.contains("password") => {
                shown.push_str(name);
                shown.push_str("=***");
            }
            // A password with a `?` in it leaves its rest here.
            _ if parameter.contains('@') => shown.push_str("***"),
            _ => shown.push_str(parameter),
        }
    }
    shown.chars().take(200).collect()
}
