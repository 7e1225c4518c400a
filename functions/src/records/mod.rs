//! The records of text files as Spark's readers and writers have them: texts in, arrays out, and back.
//! Options come by name; what is no option of these is not looked at.

mod json;
mod texts;

pub use json::{JsonReader, JsonRows, JsonTypes};
pub use texts::{TextWriter, Times};

use crate::DataType;
use crate::error::{Error, Result};
use crate::groups::json::read::How;

/// The type that a text such as `decimal(10,2)` or `array<int>` names.
///
/// # Errors
/// It names none.
pub fn type_of(text: &str) -> Result<DataType> {
    crate::schema_text::data_type(text)
}

/// The microseconds of `2026-01-02T03:04:05` in a time zone.
pub fn instant(text: &str, zone: &str) -> Option<i64> {
    crate::cast::parse_timestamp(text, Some(crate::zone::Zone::parse(zone)?))
}

/// What Spark says of a text that only Java's older parser reads.
fn unchanged(how: &How) -> Result<()> {
    match how.changed.get() {
        None => Ok(()),
        Some(text) => Err(Error::new(
            "INCONSISTENT_BEHAVIOR_CROSS_VERSION.PARSE_DATETIME_BY_NEW_PARSER",
            format!(
                "You may get a different result due to the upgrading to Spark >= 3.0: Fail to parse '{text}' in the new parser. \
                 You can set \"spark.sql.legacy.timeParserPolicy\" to \"LEGACY\" to restore the behavior before Spark 3.0, or \
                 set to \"CORRECTED\" and treat it as an invalid datetime string."
            ),
        )),
    }
}
