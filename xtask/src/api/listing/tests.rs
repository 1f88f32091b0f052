//! Listings of small crates.

use crate::files::Files;

use super::*;

fn listing(files: &[(&str, &str)]) -> Vec<String> {
    let file = |(name, text): &(&str, &str)| (format!("crates/a/src/{name}"), (*text).to_owned());
    let files: Files = files.iter().map(file).collect();
    let modules = Modules::read(&files, "crates/a", "a").unwrap();
    list(&modules).into_iter().collect()
}

#[test]
fn items_are_listed_with_their_signatures() {
    let found = listing(&[(
        "lib.rs",
        "
        /// A function.
        pub async fn open(
            url: &str,
        ) -> Result<(), Error> { todo() }
        pub const LIMIT: usize = 4;
        fn private() {}
        pub(crate) struct Inner;
        #[derive(Clone, Debug)]
        #[non_exhaustive]
        pub struct Options<T: Clone> where T: Send { pub size: T, rest: u8 }
        pub struct Pair(pub u8, u8);
        pub enum Error { Full { limit: usize }, Other(String), Gone }
        pub trait Store: Send {
            type Item;
            fn get(&self) -> Self::Item;
            fn name(&self) -> &str { \"store\" }
        }
        #[doc(hidden)]
        pub fn hidden() {}
        #[cfg(test)]
        mod tests;
        ",
    )]);
    assert_eq!(
        found,
        [
            "a::Error: pub enum Error",
            "a::Error: variant Full { limit: usize }",
            "a::Error: variant Gone",
            "a::Error: variant Other(String)",
            "a::LIMIT: pub const LIMIT: usize",
            "a::Options: #[derive(Clone, Debug)]",
            "a::Options: #[non_exhaustive]",
            "a::Options: pub size: T",
            "a::Options: pub struct Options<T: Clone> where T: Send",
            "a::Pair: 0: pub u8",
            "a::Pair: pub struct Pair",
            "a::Store: fn get(&self) -> Self::Item",
            "a::Store: fn name(&self) -> &str { … }",
            "a::Store: pub trait Store: Send",
            "a::Store: type Item",
            "a::open: pub async fn open(url: &str) -> Result<(), Error>",
        ]
    );
}

#[test]
fn re_exports_are_listed_where_users_see_them() {
    let found = listing(&[
        (
            "lib.rs",
            "mod key; pub mod time; pub use key::{Key, codec as wire}; pub use time::*; pub use bytes::Bytes;",
        ),
        ("key.rs", "pub mod codec; pub use self::codec::Key; pub struct Unseen;"),
        ("key/codec.rs", "pub struct Key; pub fn encode() {}"),
        ("time.rs", "pub struct Ttl;"),
    ]);
    assert_eq!(
        found,
        [
            "a::Bytes: pub use bytes::Bytes",
            "a::Key: pub struct Key",
            "a::Ttl: pub struct Ttl",
            "a::time: pub mod time",
            "a::time::Ttl: pub use a::Ttl",
            "a::wire::Key: pub use a::Key",
            "a::wire::encode: pub fn encode()",
        ]
    );
}

#[test]
fn methods_and_traits_belong_to_the_public_type_wherever_written() {
    let found = listing(&[
        (
            "lib.rs",
            "mod key; mod forward; pub use key::Key; pub trait Store {} struct Inner; impl Inner { pub fn no() {} }",
        ),
        (
            "key.rs",
            "pub struct Key;
             impl Key { pub const MAX: u8 = 1; pub fn new() -> Self { Key } fn private() {} }
             impl std::fmt::Display for Key { fn fmt(&self) {} }",
        ),
        (
            "forward.rs",
            "impl<S: Store + ?Sized> crate::Store for Box<S> {}
             impl Iterator for crate::Key { type Item = u8; fn next(&mut self) {} }",
        ),
    ]);
    assert_eq!(
        found,
        [
            "a::Key: impl Iterator for crate::Key",
            "a::Key: impl Iterator for crate::Key { type Item = u8 }",
            "a::Key: impl std::fmt::Display for Key",
            "a::Key: pub const MAX: u8",
            "a::Key: pub fn new() -> Self",
            "a::Key: pub struct Key",
            "a::Store: impl<S: Store + ?Sized> crate::Store for Box<S>",
            "a::Store: pub trait Store",
        ]
    );
}

#[test]
fn types_of_one_name_keep_their_own_methods() {
    let found = listing(&[
        ("lib.rs", "pub mod cache; pub mod rule; mod display;"),
        ("cache.rs", "pub struct Change; impl Change { pub fn key() {} }"),
        ("rule.rs", "pub struct Change; impl Change { pub fn field() {} }"),
        ("display.rs", "use crate::rule::Change; impl Clone for Change {}"),
    ]);
    assert_eq!(
        found,
        [
            "a::cache: pub mod cache",
            "a::cache::Change: pub fn key()",
            "a::cache::Change: pub struct Change",
            "a::rule: pub mod rule",
            "a::rule::Change: impl Clone for Change",
            "a::rule::Change: pub fn field()",
            "a::rule::Change: pub struct Change",
        ]
    );
}

#[test]
fn a_module_that_shows_itself_is_listed_once() {
    let found = listing(&[(
        "lib.rs",
        "pub struct Key; pub mod prelude { pub use crate::*; pub use super::Key as K; }",
    )]);
    assert_eq!(
        found,
        ["a::Key: pub struct Key", "a::prelude: pub mod prelude", "a::prelude::K: pub use a::Key"]
    );
}

#[test]
fn exported_macros_stand_at_the_root() {
    let found = listing(&[
        ("lib.rs", "mod clauses;"),
        (
            "clauses.rs",
            "#[macro_export] macro_rules! clauses { () => {} } macro_rules! inner { () => {} }",
        ),
    ]);
    assert_eq!(found, ["a::clauses: macro clauses!"]);
}
