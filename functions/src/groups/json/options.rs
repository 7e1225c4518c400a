//! Options of the JSON and CSV functions. They travel to the kernel as a constant text, a key and a value in turn.

use std::sync::OnceLock;

use arrow::array::{Array, MapArray, StringArray};

use crate::checks::text;
use crate::constant::constant;
use crate::error::{Error, Result};
use crate::groups::datetime::read::Reader;
use crate::zone::Zone;
use crate::{Call, DataType, Settings, Typed};

use super::read::How;

const SEPARATOR: char = '\u{1}';

/// Options by name, lower case.
pub(crate) struct Options(Vec<(String, String)>);

impl Options {
    /// Takes the argument that gives them, if the call has it; only these keys are known.
    pub(crate) fn take(call: &mut Call<'_>, at: usize, known: &[&str]) -> Result<Options> {
        let pairs = match call.arguments.get(at) {
            Some(argument) => pairs(argument)?,
            None => Vec::new(),
        };
        call.arguments.truncate(at);
        if let Some((key, _)) = pairs.iter().find(|(key, _)| !known.contains(&key.as_str())) {
            return Err(Error::unsupported(format!("the option {key} of {}", call.name)));
        }
        Ok(Options(pairs))
    }

    /// Those that were given otherwise than to a function; the last of two wins.
    pub(crate) fn given(pairs: &[(String, String)]) -> Options {
        Options(pairs.iter().rev().map(|(key, value)| (key.to_lowercase(), value.clone())).collect())
    }

    /// As an argument of the kernel.
    pub(crate) fn argument(&self) -> Typed {
        let parts: Vec<&str> = self.0.iter().flat_map(|(key, value)| [key.as_str(), value.as_str()]).collect();
        text(&parts.join(&SEPARATOR.to_string()))
    }

    /// From the kernel's argument.
    pub(crate) fn of_text(text: &str) -> Options {
        let parts: Vec<&str> = text.split(SEPARATOR).collect();
        Options(parts.chunks_exact(2).map(|pair| (pair[0].to_owned(), pair[1].to_owned())).collect())
    }

    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    pub(crate) fn is_true(&self, key: &str, default: bool) -> bool {
        self.get(key).map_or(default, |value| value.eq_ignore_ascii_case("true"))
    }

    /// Whether a record that is malformed is an error.
    pub(crate) fn fails_fast(&self) -> bool {
        self.get("mode").is_some_and(|mode| mode.eq_ignore_ascii_case("failfast"))
    }

    /// The zone of these options, else the session's, with its name.
    pub(crate) fn zone(&self, settings: &Settings) -> Result<(Zone, String)> {
        let name = self.get("timezone").unwrap_or(&settings.time_zone);
        Ok((Zone::of(name)?, name.to_owned()))
    }

    /// How texts are read.
    pub(crate) fn how(&self, settings: &Settings) -> Result<How> {
        let reader = |key: &str| self.get(key).map(Reader::new).transpose();
        Ok(How {
            zone: self.zone(settings)?.0,
            date: reader("dateformat")?,
            timestamp: reader("timestampformat")?,
            timestamp_ntz: reader("timestampntzformat")?,
            changed: OnceLock::new(),
        })
    }
}

/// The pairs of a map of strings, keys in lower case: how functions are given options.
///
/// # Errors
/// It is not such a map.
fn pairs(typed: &Typed) -> Result<Vec<(String, String)>> {
    let wrong = || {
        Error::new(
            "INVALID_OPTIONS.NON_STRING_TYPE",
            format!(
                "Invalid options: A type of keys and values in `map()` must be string, but got \"{}\".",
                typed.data_type.sql()
            ),
        )
    };
    match &typed.data_type {
        DataType::Map(key, value, _) if **key == DataType::String && **value == DataType::String => {}
        DataType::Map(..) => return Err(wrong()),
        _ => {
            return Err(Error::new(
                "INVALID_OPTIONS.NON_MAP_FUNCTION",
                "Invalid options: Must use the `map()` function for options.",
            ));
        }
    }
    let array = constant(typed)?.to_array()?;
    let map = array.as_any().downcast_ref::<MapArray>().ok_or_else(wrong)?;
    let text = |array: &dyn Array| array.as_any().downcast_ref::<StringArray>().cloned();
    let (keys, values) = (text(map.keys()).ok_or_else(wrong)?, text(map.values()).ok_or_else(wrong)?);
    let pairs = keys.iter().zip(values.iter());
    Ok(pairs.filter_map(|(key, value)| Some((key?.to_lowercase(), value?.to_owned()))).collect())
}
