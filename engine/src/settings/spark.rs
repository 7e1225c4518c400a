//! What Spark's own settings come to in a session: each is mapped, or has a warning that says why not.
//! Says nothing itself: whoever talks to a person asks for the warnings.

use std::num::NonZeroUsize;

use paceline_sql::catalog::{check_setting, find_setting};

use super::Settings;
use crate::EngineError;
use crate::cluster::sizing::{SparkKey, Treated, Warning, find_spark_key};

/// What all of them begin with.
pub(super) const PREFIX: &str = "spark.";
const SHUFFLE: &str = "spark.sql.shuffle.partitions";
const PARALLELISM: &str = "spark.default.parallelism";
const OWN_PARTITIONS: &str = "paceline.partitions";

/// Checks a setting of Spark; one that is not known is no error, as in Spark.
///
/// # Errors
/// The value is not of its key's form.
pub(super) fn check(name: &str, value: &str) -> Result<(), EngineError> {
    check_setting(name, value).map_err(|error| EngineError::Setting(error.to_string()))?;
    find_spark_key(name)
        .map_or(Ok(()), |key| key.check(value))
        .map_err(|expected| EngineError::Setting(format!("setting '{name}' is '{value}', expected {expected}")))
}

/// What a list of settings says of a key: the last counts.
fn last<'a>(given: &'a [(String, String)], name: &str) -> Option<&'a str> {
    given.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

/// The partitions that Spark's settings ask for, where Paceline's own does not say. DataFusion knows one number for the scans
/// of files and for what is shuffled, so the larger of Spark's two stands for both: the smaller would make tasks larger than
/// the user has sized memory for.
pub(super) fn partitions(given: &[(String, String)]) -> Option<NonZeroUsize> {
    if last(given, OWN_PARTITIONS).is_some() {
        return None;
    }
    let number = |name| last(given, name).and_then(|value| value.trim().parse::<NonZeroUsize>().ok());
    number(SHUFFLE).max(number(PARALLELISM))
}

impl Settings {
    /// What of Spark's settings was not taken as it was given, at most one warning for each key.
    pub fn spark_warnings(&self) -> Vec<Warning> {
        let is_last = |at: usize, name: &str| self.given.iter().skip(at + 1).all(|(other, _)| other != name);
        let of_spark =
            self.given.iter().enumerate().filter(|(at, (name, _))| name.starts_with(PREFIX) && is_last(*at, name));
        let warning = |(name, said): &(String, String)| {
            let done = self.instead(name, said)?;
            Some(Warning { key: name.clone(), said: said.clone(), done })
        };
        of_spark.filter_map(|(_, pair)| warning(pair)).collect()
    }

    /// What is done instead of a setting of Spark; `None` where it is done.
    fn instead(&self, name: &str, value: &str) -> Option<String> {
        if find_setting(name).is_some() {
            return None;
        }
        let Some(key) = find_spark_key(name) else {
            return Some("has no effect: it is not known to Paceline".to_owned());
        };
        if name == SHUFFLE || name == PARALLELISM {
            return self.other_partitions(value);
        }
        let SparkKey { treated, meaning, .. } = key;
        match treated {
            Treated::KeptOff if key.stays_at(value) => None,
            Treated::KeptOff => Some((*meaning).to_owned()),
            Treated::Mapped | Treated::Clamped => Some(
                "has no effect here: it sizes a cluster, so give it to paceline cluster or paceline executor"
                    .to_owned(),
            ),
            Treated::Elsewhere => Some((*meaning).to_owned()),
        }
    }

    fn other_partitions(&self, value: &str) -> Option<String> {
        if let Some(own) = last(&self.given, OWN_PARTITIONS) {
            return Some(format!("has no effect: {OWN_PARTITIONS} is {own}"));
        }
        let chosen = partitions(&self.given)?;
        let is_chosen = value.trim().parse() == Ok(chosen);
        (!is_chosen).then(|| {
            format!("raised to {chosen}: files and shuffles are cut into one number of partitions, the larger")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(pairs: &[(&str, &str)], expected: Expect) {
        let mut settings = Settings { partitions: NonZeroUsize::MIN, ..Settings::default() };
        let set = pairs.iter().try_for_each(|(name, value)| settings.set(name, value));
        let said = match set {
            Ok(()) => {
                let lines: Vec<_> = settings.spark_warnings().iter().map(|warning| format!("{warning}\n")).collect();
                format!("{} partitions\n{}", settings.partitions, lines.concat())
            }
            Err(error) => format!("error: {error}\n"),
        };
        expected.assert_eq(&said);
    }

    #[test]
    fn the_larger_of_spark_s_two_numbers_cuts_files_and_shuffles() {
        check(&[("spark.sql.shuffle.partitions", "200")], expect![["200 partitions\n"]]);
        check(
            &[("spark.default.parallelism", "7"), ("spark.sql.shuffle.partitions", "7")],
            expect![["7 partitions\n"]],
        );
        check(
            &[("spark.sql.shuffle.partitions", "9"), ("spark.default.parallelism", "30")],
            expect![[r#"
                30 partitions
                spark.sql.shuffle.partitions 9: raised to 30: files and shuffles are cut into one number of partitions, the larger
            "#]],
        );
        for own_at in [0, 1] {
            let mut pairs = vec![("spark.sql.shuffle.partitions", "9")];
            pairs.insert(own_at, ("paceline.partitions", "4"));
            check(
                &pairs,
                expect![[r#"
                    4 partitions
                    spark.sql.shuffle.partitions 9: has no effect: paceline.partitions is 4
                "#]],
            );
        }
    }

    #[test]
    fn the_python_job_s_settings_run_and_nothing_is_ignored_in_silence() {
        check(
            &[
                ("spark.memory.fraction", "0.8"),
                ("spark.memory.storageFraction", "0.3"),
                ("spark.memory.offHeap.enabled", "true"),
                ("spark.memory.offHeap.size", "10g"),
                ("spark.default.parallelism", "200"),
                ("spark.sql.shuffle.partitions", "200"),
                ("spark.speculation", "true"),
                ("spark.sql.adaptive.enabled", "false"),
                ("spark.sql.session.timeZone", "Europe/Berlin"),
                ("spark.sql.ansi.enabled", "true"),
                ("spark.sql.files.maxRecordsPerFile", "10"),
                ("spark.app.name", "nightly"),
                ("spark.foo", "1"),
                ("spark.foo", "2"),
            ],
            expect![[r#"
                200 partitions
                spark.memory.fraction 0.8: has no effect here: it sizes a cluster, so give it to paceline cluster or paceline executor
                spark.memory.storageFraction 0.3: kept off: Paceline caches no tables, so the whole pool is for running queries
                spark.memory.offHeap.enabled true: has no effect here: it sizes a cluster, so give it to paceline cluster or paceline executor
                spark.memory.offHeap.size 10g: has no effect here: it sizes a cluster, so give it to paceline cluster or paceline executor
                spark.speculation true: kept off: a second attempt beside the first would buy a task's answers twice
                spark.app.name nightly: is the job's name in event logs and in CloudWatch; its id is --job-id
                spark.foo 2: has no effect: it is not known to Paceline
            "#]],
        );
    }

    #[test]
    fn a_value_of_another_form_is_an_error() {
        check(
            &[("spark.sql.shuffle.partitions", "0")],
            expect![["error: setting 'spark.sql.shuffle.partitions' is '0', expected a whole number above zero\n"]],
        );
    }
}
