//! What an API function declares, parsed once.
//!
//! [`options`] is the one table of options: parsing, error messages and the printed help are made from it. Each group of
//! options has a file, with its rows of the table and what is read from them.

mod answers;
mod failure;
mod pace;
mod security;
mod template;
mod values;
mod wire;

use arrow::datatypes::{DataType, Fields};

pub use answers::Answers;
pub use failure::{Budget, OnError, OnFailure, WhenOpen};
pub use pace::Pace;
pub use security::{Auth, OAuth2, Security, Tls};
pub use template::{BodyPart, Part, Template, Text};
pub use values::OptionRow;
use values::Values;
pub use wire::{Format, Wire};

use crate::wire::carries;

/// A declared API function: its types, where it is called and how.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ApiFunction {
    /// Name in SQL, lower case.
    pub name: String,
    /// Arguments; their names are the keys of the request.
    pub arguments: Fields,
    /// Type of the value.
    pub returns: DataType,
    /// Whether the same arguments always have the same answer, and asking has no effect: one request may serve many rows.
    pub deterministic: bool,
    /// How and where it is called.
    pub options: Options,
    /// The options that were given, as they were given; the rest are defaults.
    pub given: Vec<(String, String)>,
}

/// The options of an API function, checked and with defaults filled in.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Options {
    /// Where requests go and how rows are laid into them.
    pub wire: Wire,
    /// How often the API may be called, and how many calls at once.
    pub pace: Pace,
    /// What happens when a request fails.
    pub failure: OnFailure,
    /// How long an answer holds.
    pub answers: Answers,
    /// Who the API is told we are, and which hosts may be reached.
    pub security: Security,
}

/// Every option that `CREATE FUNCTION ... USING API OPTIONS (...)` takes.
pub fn options() -> impl Iterator<Item = &'static OptionRow> + Clone {
    [wire::ROWS, template::ROWS, pace::ROWS, answers::ROWS, failure::ROWS, security::ROWS].into_iter().flatten()
}

impl ApiFunction {
    /// The value that was given for an option.
    pub fn given(&self, key: &str) -> Option<&str> {
        self.given.iter().find(|(given, _)| given.eq_ignore_ascii_case(key)).map(|(_, value)| value.trim())
    }

    /// Checks a declaration. Options are matched without regard to case.
    ///
    /// # Errors
    /// An option is unknown, given twice, missing, malformed or of another format, or a type has no JSON form; the message
    /// names it and what is expected.
    pub fn declare(
        name: &str,
        arguments: Fields,
        returns: DataType,
        deterministic: bool,
        given: &[(String, String)],
    ) -> Result<Self, SpecError> {
        let name = name.to_lowercase();
        let read = || {
            let values = Values::new(options(), given)?;
            for argument in &arguments {
                carries(argument.data_type()).map_err(|reason| format!("argument '{}': {reason}", argument.name()))?;
            }
            carries(&returns).map_err(|reason| format!("RETURNS: {reason}"))?;
            let wire = wire::read(&values, &arguments)?;
            Ok(Options {
                security: security::read(&wire.endpoint, &values)?,
                wire,
                pace: pace::read(&name, &values)?,
                failure: failure::read(&values)?,
                answers: answers::read(deterministic, &values)?,
            })
        };
        match read() {
            Ok(options) => Ok(ApiFunction { name, arguments, returns, deterministic, options, given: given.to_vec() }),
            Err(reason) => Err(SpecError { function: name, reason }),
        }
    }
}

/// A declaration that cannot be right.
#[derive(Debug, thiserror::Error)]
#[error("API function '{function}': {reason}")]
pub struct SpecError {
    function: String,
    reason: String,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use expect_test::{Expect, expect};

    /// Declares a function with a valid endpoint and limit, and `change` on top; an empty value takes the option away.
    fn check(change: &[(&str, &str)], expected: Expect) {
        let mut options = BTreeMap::from([("endpoint", "http://api.example/x"), ("rate_limit_calls", "10")]);
        options.extend(change.iter().copied());
        let given: Vec<_> = options
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect();
        let shown = match ApiFunction::declare("Enrich", Fields::empty(), DataType::Utf8, false, &given) {
            Ok(api) => {
                format!("{} {:?} {}", api.options.pace.limits, api.options.failure.timeout, api.options.pace.quota)
            }
            Err(error) => error.to_string(),
        };
        expected.assert_eq(&shown);
    }

    #[test]
    fn what_is_not_given_has_a_default() {
        check(&[], expect!["10 calls per 1s 30s enrich"]);
    }

    #[test]
    fn times_have_units() {
        check(&[("rate_limit_period", "1 minute"), ("timeout", "500 ms")], expect!["10 calls per 1m 500ms enrich"]);
        check(&[("timeout", "1.5")], expect!["10 calls per 1s 1.5s enrich"]);
        check(
            &[("timeout", "soon")],
            expect![[
                "API function 'enrich': option 'timeout' is 'soon', expected a time above zero such as '500 ms', '1 second' or '2 minutes'"
            ]],
        );
    }

    #[test]
    fn no_limit_must_be_said() {
        check(&[("rate_limit_calls", "Unlimited")], expect!["unlimited 30s enrich"]);
        check(
            &[("rate_limit_calls", "")],
            expect!["API function 'enrich': option 'rate_limit_calls' is missing; it must be given"],
        );
        check(
            &[("rate_limit_calls", "0")],
            expect![
                "API function 'enrich': option 'rate_limit_calls' is '0', expected a whole number above zero, 'unlimited' to call without a limit, or 'adaptive' to find the API's"
            ],
        );
    }

    /// The same without `rate_limit_calls`, unless `change` gives it.
    fn check_limits(change: &[(&str, &str)], expected: Expect) {
        check(&[&[("rate_limit_calls", "")], change].concat(), expected);
    }

    #[test]
    fn several_limits_may_hold_together() {
        check_limits(
            &[("rate_limits", "1000 per DAY, 100  per second,3000 per 2 minutes")],
            expect!["100 calls per 1s, 3000 per 2m, 1000 per 1day 30s enrich"],
        );
        check_limits(&[("rate_limits", "5 per hour")], expect!["5 calls per 1h 30s enrich"]);
        for wrong in ["5", "5 per month", "5 per 0 hours", "0 per hour", "5 per second,", "5 every hour"] {
            let given = ["endpoint", "http://x/", "rate_limits", wrong].map(str::to_owned);
            let [endpoint, url, key, value] = given;
            let given = [(endpoint, url), (key, value)];
            let error = ApiFunction::declare("f", Fields::empty(), DataType::Utf8, false, &given).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!(
                    "API function 'f': option 'rate_limits' is '{wrong}': expected limits such as '100 per second, \
                     3000 per minute, 5 per 10 hours'"
                )
            );
        }
        check_limits(
            &[("rate_limits", "5 per minute, 9 per 60 seconds")],
            expect![
                "API function 'enrich': option 'rate_limits' is '5 per minute, 9 per 60 seconds': 5 calls per 1m and 9 calls per 1m have the same period: give one of them"
            ],
        );
        check(
            &[("rate_limits", "5 per hour")],
            expect![
                "API function 'enrich': options 'rate_limits' and 'rate_limit_calls' are both given: write every limit into rate_limits, or give one by rate_limit_calls and rate_limit_period"
            ],
        );
        check_limits(
            &[("rate_limits", "5 per hour"), ("rate_limit_period", "1 s")],
            expect![
                "API function 'enrich': options 'rate_limits' and 'rate_limit_period' are both given: write every limit into rate_limits, or give one by rate_limit_calls and rate_limit_period"
            ],
        );
    }

    #[test]
    fn a_limit_that_is_not_stated_needs_a_ceiling() {
        let adaptive = ("rate_limit_calls", "Adaptive");
        check(
            &[adaptive, ("adaptive_limit", "500"), ("rate_limit_period", "1 minute")],
            expect!["adaptive, 1 to 500 calls per 1m 30s enrich"],
        );
        check(&[adaptive], expect!["API function 'enrich': option 'adaptive_limit' is missing; it must be given"]);
        check(
            &[adaptive, ("adaptive_limit", "5"), ("adaptive_floor", "6")],
            expect!["API function 'enrich': option 'adaptive_floor': the floor of 6 calls is above the limit of 5"],
        );
        check(
            &[("adaptive_limit", "5")],
            expect!["API function 'enrich': option 'adaptive_limit' is of use only with rate_limit_calls 'adaptive'"],
        );
    }

    #[test]
    fn a_type_that_json_cannot_carry_is_refused() {
        let interval = DataType::Interval(arrow::datatypes::IntervalUnit::DayTime);
        let given = [("endpoint", "http://a/"), ("rate_limit_calls", "1")];
        let given = given.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let refused = |arguments: Vec<arrow::datatypes::Field>, returns| {
            ApiFunction::declare("f", arguments.into(), returns, false, &given).unwrap_err().to_string()
        };
        let since = arrow::datatypes::Field::new("since", interval.clone(), true);
        expect!["API function 'f': argument 'since': values of type Interval(DayTime) cannot be written as JSON: cast them, to a string for example"].assert_eq(&refused(vec![since], DataType::Utf8));
        expect!["API function 'f': RETURNS: values of type Interval(DayTime) cannot be written as JSON: cast them, to a string for example"].assert_eq(&refused(vec![], interval));
    }

    #[test]
    fn mistakes_are_named() {
        check(
            &[("endpoint", "ftp://x/")],
            expect![[
                "API function 'enrich': option 'endpoint' is 'ftp://x/', expected an http:// or https:// URL with a host"
            ]],
        );
        check(&[("Quota", "a"), ("quota", "b")], expect!["API function 'enrich': option 'quota' is given twice"]);
        let given = [("retries".to_owned(), "3".to_owned())];
        let error = ApiFunction::declare("f", Fields::empty(), DataType::Utf8, false, &given).unwrap_err().to_string();
        let valid: Vec<_> = options().map(|row| row.key).collect();
        let expected = format!("API function 'f': unknown option 'retries'; the options are {}", valid.join(", "));
        assert_eq!(error, expected);
    }
}
