//! Options of API functions that come from settings: `paceline.api.<function>.<option>` for one function,
//! `paceline.api.default.<option>` for every function. The declaration wins over both, and the first over the second.

use std::collections::BTreeMap;

use datafusion::arrow::datatypes::{DataType, Fields};
use paceline_sql::SqlError;
use paceline_udfs::{ApiFunction, spec};

use crate::EngineError;

/// What the names of these settings begin with.
pub(crate) const PREFIX: &str = "paceline.api.";

/// Stands for every function in the name of a setting.
const EVERY: &str = "default";

/// The names of these settings and what they do.
pub const PATTERNS: &[(&str, &str)] = &[
    (
        "paceline.api.<function>.<option>",
        "an option of this API function, where its declaration does not give it (the options are listed below)",
    ),
    (
        "paceline.api.default.<option>",
        "an option of every API function, where neither its declaration nor a setting with its name gives it",
    ),
];

/// Values for options that declarations do not give.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApiDefaults(BTreeMap<(String, &'static str), String>);

impl ApiDefaults {
    /// Sets what `name` stands for; `name` is what follows [`PREFIX`].
    pub(crate) fn set(&mut self, name: &str, value: &str) -> Result<(), EngineError> {
        let Some((function, option)) = name.rsplit_once('.').filter(|(function, _)| !function.is_empty()) else {
            let patterns: Vec<_> = PATTERNS.iter().map(|(name, _)| *name).collect();
            let patterns = patterns.join(" or ");
            return Err(EngineError::Setting(format!("there is no setting '{PREFIX}{name}'; it is {patterns}")));
        };
        let Some(row) = spec::options().find(|row| row.key.eq_ignore_ascii_case(option)) else {
            let valid: Vec<_> = spec::options().map(|row| row.key).collect();
            let valid = valid.join(", ");
            return Err(EngineError::Setting(format!(
                "setting '{PREFIX}{name}': there is no option '{option}' of an API function; the options are {valid}"
            )));
        };
        self.0.insert((function.to_lowercase(), row.key), value.trim().to_owned());
        Ok(())
    }

    /// Declares a function with the options given and, where it gives none, those of the settings.
    pub(crate) fn declare(
        &self,
        name: &str,
        arguments: Fields,
        returns: DataType,
        deterministic: bool,
        given: &[(String, String)],
    ) -> Result<ApiFunction, EngineError> {
        let from_settings = self.missing_in(given, &name.to_lowercase(), deterministic);
        let options: Vec<_> = given.iter().cloned().chain(from_settings.iter().map(|(_, pair)| pair.clone())).collect();
        ApiFunction::declare(name, arguments, returns, deterministic, &options).map_err(|error| {
            // The statement may be right, so its author must hear of what came from elsewhere.
            if from_settings.is_empty() {
                return SqlError::from(error).into();
            }
            let settings: Vec<_> = from_settings.iter().map(|(setting, _)| setting.as_str()).collect();
            EngineError::Setting(format!("{error}; options also came from the settings {}", settings.join(", ")))
        })
    }

    /// The options that are not given and have a setting, each with the setting's name.
    fn missing_in(
        &self,
        given: &[(String, String)],
        function: &str,
        deterministic: bool,
    ) -> Vec<(String, (String, String))> {
        let missing = spec::options().filter(|row| !given.iter().any(|(key, _)| key.eq_ignore_ascii_case(row.key)));
        let setting = |row: &'static spec::OptionRow| {
            let own = self.0.get(&(function.to_owned(), row.key)).map(|value| (function, value));
            // What is meant for every function is left out where it has no meaning.
            let for_every = || self.0.get(&(EVERY.to_owned(), row.key)).filter(|_| row.applies_to(deterministic));
            let (scope, value) = own.or_else(|| for_every().map(|value| (EVERY, value)))?;
            Some((format!("{PREFIX}{scope}.{}", row.key), (row.key.to_owned(), value.clone())))
        };
        missing.filter_map(setting).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(settings: &[(&str, &str)], declared: &[(&str, &str)], expected: Expect) {
        let mut defaults = ApiDefaults::default();
        let set = settings.iter().try_for_each(|(name, value)| defaults.set(name, value));
        let given: Vec<_> = [("endpoint", "http://a/")].iter().chain(declared).collect();
        let given: Vec<_> = given.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let api = set.and_then(|()| defaults.declare("F", Fields::empty(), DataType::Utf8, false, &given));
        expected.assert_eq(&api.map_or_else(
            |error| error.to_string(),
            |api| format!("{}, {:?}", api.options.pace.limits, api.options.failure.timeout),
        ));
    }

    #[test]
    fn the_declaration_wins_over_the_functions_setting_and_that_over_the_one_for_all() {
        let settings = [
            ("f.rate_limit_calls", "7"),
            ("default.rate_limit_calls", "8"),
            ("default.Timeout", "2 s"),
            ("g.timeout", "3 s"),
        ];
        check(&settings, &[], expect!["7 calls per 1s, 2s"]);
        check(&settings, &[("Rate_Limit_Calls", "9"), ("timeout", "1 s")], expect!["9 calls per 1s, 1s"]);
    }

    #[test]
    fn what_only_deterministic_functions_take_may_be_set_for_all() {
        check(&[("default.cache_ttl", "1 day"), ("f.rate_limit_calls", "7")], &[], expect!["7 calls per 1s, 30s"]);
        check(
            &[("f.cache_ttl", "1 day"), ("f.rate_limit_calls", "7")],
            &[],
            expect![
                "API function 'f': option 'cache_ttl' is for functions that are declared DETERMINISTIC: only there may an answer serve two rows; options also came from the settings paceline.api.f.rate_limit_calls, paceline.api.f.cache_ttl"
            ],
        );
    }

    #[test]
    fn mistakes_are_named() {
        check(
            &[("timeout", "1 s")],
            &[],
            expect![
                "there is no setting 'paceline.api.timeout'; it is paceline.api.<function>.<option> or paceline.api.default.<option>"
            ],
        );
        check(
            &[("f.timeout", "soon"), ("f.rate_limit_calls", "7")],
            &[],
            expect![
                "API function 'f': option 'timeout' is 'soon', expected a time above zero such as '500 ms', '1 second' or '2 minutes'; options also came from the settings paceline.api.f.rate_limit_calls, paceline.api.f.timeout"
            ],
        );
        let error = ApiDefaults::default().set("f.retries", "3").unwrap_err().to_string();
        let start = "setting 'paceline.api.f.retries': there is no option 'retries' of an API function; the options are endpoint, ";
        assert!(error.starts_with(start), "{error}");
    }
}
