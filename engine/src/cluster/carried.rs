//! What a statement takes along to the executors beside its plan. It travels as settings, which anybody who reaches the
//! scheduler can read: no secret may ever be among them.

use std::any::Any;

use datafusion::common::config::{ConfigEntry, ConfigExtension, ExtensionOptions};
use datafusion::common::{Result, config_err};

/// A statement, as its tasks know it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Carried {
    /// Sets its keys apart from those of other statements; equal when the job is resumed.
    pub scope: String,
    /// Tells this run of it from others of the same scope, which a resumed job has.
    pub attempt: String,
    /// Where its answers are written down, as a URL; empty for nowhere.
    pub journal: String,
    /// The client's settings as a JSON array of [name, value].
    pub settings: String,
    /// Whether rows may be given up without bound.
    pub unlimited_failures: bool,
}

impl ConfigExtension for Carried {
    const PREFIX: &'static str = "paceline";
}

impl ExtensionOptions for Carried {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }

    fn cloned(&self) -> Box<dyn ExtensionOptions> {
        Box::new(self.clone())
    }

    fn set(&mut self, key: &str, value: &str) -> Result<()> {
        match key {
            "scope" => value.clone_into(&mut self.scope),
            "attempt" => value.clone_into(&mut self.attempt),
            "journal" => value.clone_into(&mut self.journal),
            "settings" => value.clone_into(&mut self.settings),
            "unlimited_failures" => self.unlimited_failures = value == "true",
            _ => return config_err!("a statement takes no '{key}' along"),
        }
        Ok(())
    }

    fn entries(&self) -> Vec<ConfigEntry> {
        let entry = |name: &str, value: &str, description| ConfigEntry {
            key: format!("{}.{name}", Self::PREFIX),
            value: Some(value.to_owned()),
            description,
        };
        vec![
            entry("scope", &self.scope, "sets the keys of a statement apart"),
            entry("attempt", &self.attempt, "tells runs of one scope apart"),
            entry("journal", &self.journal, "where answers are written down"),
            entry("settings", &self.settings, "the client's settings"),
            entry("unlimited_failures", &self.unlimited_failures.to_string(), "whether any number of rows may fail"),
        ]
    }
}

#[cfg(test)]
mod tests {
    use datafusion::config::ConfigOptions;

    use super::*;

    #[test]
    fn it_survives_the_way_as_settings() {
        let sent = Carried {
            scope: "run/1".to_owned(),
            attempt: "a".to_owned(),
            journal: "s3://b/out/_paceline/j/journal-1".to_owned(),
            settings: r#"[["paceline.s3.region","eu-west-1"]]"#.to_owned(),
            unlimited_failures: true,
        };
        let mut options = ConfigOptions::new();
        options.extensions.insert(sent.clone());
        let mut arrived = ConfigOptions::new();
        arrived.extensions.insert(Carried::default());
        for entry in options.entries() {
            if let Some(value) = entry.value.filter(|_| entry.key.starts_with("paceline.")) {
                arrived.set(&entry.key, &value).unwrap();
            }
        }
        assert_eq!(arrived.extensions.get::<Carried>(), Some(&sent));
    }
}
