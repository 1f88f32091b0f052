//! Settings as data: one table says how each is called, read, checked and shown.

use std::fmt;

type Set<C> = Box<dyn Fn(&mut C, &str) -> Result<(), String> + Send + Sync>;
type Show<C> = Box<dyn Fn(&C) -> String + Send + Sync>;

/// Whether a value may be repeated where it is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Secrecy {
    Open,
    Secret,
}

/// One setting of a configuration `C`.
///
/// Its key is its name in a TOML file (`timing.soft_timeout`), and in capitals after `RUCACHE_` its
/// name in the environment (`RUCACHE_TIMING_SOFT_TIMEOUT`). One that is a table or a list in the file
/// takes its value as JSON everywhere else.
pub struct Setting<C> {
    key: &'static str,
    form: &'static str,
    about: &'static str,
    secrecy: Secrecy,
    set: Set<C>,
    show: Show<C>,
}

impl<C: 'static> Setting<C> {
    /// The setting `key`: `form` says what a value looks like, `about` what it does, `set` takes a
    /// value or says why not, `show` gives the value as it may be shown to anybody.
    pub fn new(
        key: &'static str,
        form: &'static str,
        about: &'static str,
        set: impl Fn(&mut C, &str) -> Result<(), String> + Send + Sync + 'static,
        show: impl Fn(&C) -> String + Send + Sync + 'static,
    ) -> Self {
        Self { key, form, about, secrecy: Secrecy::Open, set: Box::new(set), show: Box::new(show) }
    }

    /// The same setting, whose value is never repeated.
    #[must_use]
    pub fn secret(self) -> Self {
        Self { secrecy: Secrecy::Secret, ..self }
    }

    pub(crate) fn is_secret(&self) -> bool {
        self.secrecy == Secrecy::Secret
    }

    /// The same setting of a larger configuration that holds a `C`.
    #[must_use]
    pub fn within<D: 'static>(
        self,
        part: impl Fn(&D) -> &C + Send + Sync + 'static,
        part_mut: impl Fn(&mut D) -> &mut C + Send + Sync + 'static,
    ) -> Setting<D> {
        let Self { key, form, about, secrecy, set, show } = self;
        Setting {
            key,
            form,
            about,
            secrecy,
            set: Box::new(move |whole, value| set(part_mut(whole), value)),
            show: Box::new(move |whole| show(part(whole))),
        }
    }

    /// Its name in a file.
    #[must_use]
    pub const fn key(&self) -> &'static str {
        self.key
    }

    /// What a value looks like.
    #[must_use]
    pub const fn form(&self) -> &'static str {
        self.form
    }

    /// What it does.
    #[must_use]
    pub const fn about(&self) -> &'static str {
        self.about
    }

    /// Its name in the environment.
    #[must_use]
    pub fn variable(&self) -> String {
        format!("RUCACHE_{}", self.key.to_ascii_uppercase().replace('.', "_"))
    }

    /// Its value in `config`, as it may be shown to anybody.
    #[must_use]
    pub fn show(&self, config: &C) -> String {
        (self.show)(config)
    }

    pub(crate) fn set(&self, config: &mut C, value: &str) -> Result<(), String> {
        (self.set)(config, value)
    }
}

impl<C> fmt::Debug for Setting<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setting").field("key", &self.key).finish_non_exhaustive()
    }
}
