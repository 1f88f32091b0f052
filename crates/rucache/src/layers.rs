//! Configuration in layers: defaults, then a TOML file, then the environment, then flags.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use thiserror::Error;
use toml::de::{DeTable, DeValue};

use crate::Setting;
use crate::password::without_password;

/// Where a setting's value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// A line of a file.
    File {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// An environment variable.
    Environment {
        /// Its name.
        variable: String,
    },
    /// A flag of the command line.
    Flag {
        /// Its name, with the dashes.
        name: &'static str,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Environment { variable } => f.write_str(variable),
            Self::Flag { name } => f.write_str(name),
        }
    }
}

/// What is wrong with a configuration. The text says where, with which value, and what is expected.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read configuration file {}; check the path and its permissions", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is no TOML.
    #[error("{}:{line}: not valid TOML: {reason}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What the parser says.
        reason: String,
    },
    /// There is no such setting.
    #[error("{origin}: there is no setting {key:?}{}", hint(nearest.as_deref()))]
    Unknown {
        /// Where it stands.
        origin: Origin,
        /// Its name.
        key: String,
        /// The name that was probably meant.
        nearest: Option<String>,
    },
    /// The value is not one that the setting takes.
    #[error("{origin}: {key} = {value:?}: {reason}; expected {form}")]
    Value {
        /// Where it stands.
        origin: Origin,
        /// The setting.
        key: &'static str,
        /// The value, without a password.
        value: String,
        /// What is wrong with it.
        reason: String,
        /// What is expected.
        form: &'static str,
    },
}

fn hint(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |nearest| format!("; did you mean {nearest:?}?"))
}

/// A configuration under construction, and then with the origin of each value.
#[derive(Debug)]
pub struct Layers<C> {
    settings: Vec<Setting<C>>,
    config: C,
    origins: BTreeMap<&'static str, Origin>,
}

impl<C: 'static> Layers<C> {
    /// The defaults.
    #[must_use]
    pub fn new(settings: Vec<Setting<C>>, defaults: C) -> Self {
        Self { settings, config: defaults, origins: BTreeMap::new() }
    }

    /// Takes in a TOML file.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] with the file and line of the first fault.
    pub fn file(&mut self, path: &Path) -> Result<(), ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
        let line_at =
            |offset: usize| 1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count();
        let table = DeTable::parse(&text).map_err(|error| ConfigError::Syntax {
            path: path.to_owned(),
            line: line_at(error.span().map_or(0, |span| span.start)),
            reason: error.message().to_owned(),
        })?;
        let origin = |offset| Origin::File { path: path.to_owned(), line: line_at(offset) };
        self.table("", table.get_ref(), &origin)
    }

    fn table(
        &mut self,
        prefix: &str,
        table: &DeTable<'_>,
        origin: &impl Fn(usize) -> Origin,
    ) -> Result<(), ConfigError> {
        for (name, value) in table {
            let key = format!("{prefix}{}", name.get_ref());
            let origin_here = origin(name.span().start);
            let whole = self.settings.iter().any(|setting| setting.key() == key);
            let text = match value.get_ref() {
                // A setting that is a table or a list is read as JSON, as in the environment.
                DeValue::Table(_) | DeValue::Array(_) if whole => json(value.get_ref()).to_string(),
                DeValue::Table(inner) => {
                    let prefix = format!("{key}.");
                    if !self.settings.iter().any(|setting| setting.key().starts_with(&prefix)) {
                        return Err(self.unknown(key, origin_here));
                    }
                    self.table(&prefix, inner, origin)?;
                    continue;
                }
                DeValue::String(text) => text.to_string(),
                DeValue::Integer(number) => number.to_string(),
                DeValue::Float(number) => number.to_string(),
                DeValue::Boolean(truth) => truth.to_string(),
                DeValue::Datetime(moment) => moment.to_string(),
                DeValue::Array(_) => "an array".to_owned(),
            };
            self.set(&key, &text, origin_here)?;
        }
        Ok(())
    }

    /// Takes in environment variables, and gives back those that begin with `RUCACHE_` and are
    /// neither settings nor in `others`: worth a warning, since one may be a misspelt setting, but
    /// container platforms make up such names too.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Value`] for a value that its setting does not take.
    pub fn environment(
        &mut self,
        variables: impl IntoIterator<Item = (String, String)>,
        others: &[&str],
    ) -> Result<Vec<String>, ConfigError> {
        let mut strangers = Vec::new();
        for (variable, value) in variables {
            if !variable.starts_with("RUCACHE_") || others.contains(&&*variable) {
                continue;
            }
            let setting = self.settings.iter().find(|setting| setting.variable() == variable);
            match setting.map(Setting::key) {
                Some(key) => self.set(key, &value, Origin::Environment { variable })?,
                None => strangers.push(variable),
            }
        }
        Ok(strangers)
    }

    /// Takes in one value from the flag `name`.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Value`] for a value that the setting does not take.
    pub fn flag(&mut self, name: &'static str, key: &str, value: &str) -> Result<(), ConfigError> {
        self.set(key, value, Origin::Flag { name })
    }

    fn set(&mut self, key: &str, value: &str, origin: Origin) -> Result<(), ConfigError> {
        let Some(setting) = self.settings.iter().find(|setting| setting.key() == key) else {
            return Err(self.unknown(key.to_owned(), origin));
        };
        setting.set(&mut self.config, value).map_err(|reason| ConfigError::Value {
            origin: origin.clone(),
            key: setting.key(),
            value: if setting.is_secret() { "***".to_owned() } else { without_password(value) },
            reason,
            form: setting.form(),
        })?;
        self.origins.insert(setting.key(), origin);
        Ok(())
    }

    fn unknown(&self, key: String, origin: Origin) -> ConfigError {
        let nearest = self.nearest(&key);
        ConfigError::Unknown { origin, key, nearest }
    }

    /// The setting whose key is most like `name`, if one is like it at all.
    #[must_use]
    pub fn nearest(&self, name: &str) -> Option<String> {
        let likeness = |setting: &Setting<C>| strsim::jaro_winkler(setting.key(), name);
        let nearest = self.settings.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)))?;
        (likeness(nearest) > 0.75).then(|| nearest.key().to_owned())
    }

    /// The settings, in the order of the manual.
    #[must_use]
    pub fn settings(&self) -> &[Setting<C>] {
        &self.settings
    }

    /// Where the value of `setting` comes from.
    #[must_use]
    pub fn origin(&self, setting: &Setting<C>) -> &Origin {
        self.origins.get(setting.key()).unwrap_or(&Origin::Default)
    }

    /// The configuration as it stands.
    #[must_use]
    pub const fn config(&self) -> &C {
        &self.config
    }

    /// The configuration, without the origins.
    #[must_use]
    pub fn into_config(self) -> C {
        self.config
    }
}

/// A value of a TOML document as JSON.
fn json(value: &DeValue<'_>) -> serde_json::Value {
    use serde_json::Value;

    match value {
        DeValue::String(text) => Value::from(text.to_string()),
        DeValue::Boolean(truth) => Value::from(*truth),
        DeValue::Integer(number) => text_or_number(number.to_string()),
        DeValue::Float(number) => text_or_number(number.to_string()),
        DeValue::Datetime(moment) => Value::from(moment.to_string()),
        DeValue::Array(items) => items.iter().map(|item| json(item.get_ref())).collect(),
        DeValue::Table(table) => {
            let member = |(name, value): (&toml::Spanned<_>, &toml::Spanned<DeValue<'_>>)| {
                (ToString::to_string(name.get_ref()), json(value.get_ref()))
            };
            Value::Object(table.iter().map(member).collect())
        }
    }
}

/// TOML writes some numbers as JSON does not: hexadecimal ones, infinity.
fn text_or_number(text: String) -> serde_json::Value {
    serde_json::from_str(&text).unwrap_or(serde_json::Value::String(text))
}
