//! Dates and times as text and back, by patterns.

use std::collections::HashMap;

use arrow::array::{Int64Array, StringArray};
use arrow::datatypes::DataType as Arrow;
use datafusion::common::{Result, exec_datafusion_err};
use datafusion::logical_expr::ColumnarValue;

use super::read::Reader;
use super::write::Writer;
use crate::civil::{DAY, SECOND};
use crate::columns::{Column, each, kernels, some};
use crate::error::Error;
use crate::zone::Zone;
use crate::{Arguments, Settings};

kernels! {
    DATE_FORMAT = "spark_date_format", |a| {
        let zone = if is_local(a, 0) { None } else { Some((Zone::of(&a.settings.time_zone)?, a.settings.time_zone.clone())) };
        written(a, zone, |micros| micros)
    };
    FROM_UNIXTIME = "spark_from_unixtime", |a| {
        let zone = Some((Zone::of(&a.settings.time_zone)?, a.settings.time_zone.clone()));
        written(a, zone, |seconds| seconds.wrapping_mul(SECOND))
    };
    TO_TIMESTAMP = "spark_to_timestamp", |a| read(a, Wants::Instant, false);
    TRY_TO_TIMESTAMP = "spark_try_to_timestamp", |a| read(a, Wants::Instant, true);
    TO_TIMESTAMP_NTZ = "spark_to_timestamp_ntz", |a| read(a, Wants::Local, false);
    TO_DATE = "spark_to_date", |a| read(a, Wants::Date, false);
    // Spark cuts these towards the epoch, unlike a cast to BIGINT.
    UNIX_TIMESTAMP = "spark_unix_timestamp", |a| match a.fields.first().map(|field| field.data_type()) {
        Some(Arrow::Utf8) => read(a, Wants::Seconds, false),
        Some(Arrow::Date32) => {
            let zone = Zone::of(&a.settings.time_zone)?;
            let days = Column::<arrow::array::Int32Array>::of(a, 0)?;
            each::<Int64Array, i64>(a, |row| {
                let days = i64::from(some!(days.get(row)));
                Ok(zone.instant(days.saturating_mul(DAY)).map(|micros| micros / SECOND))
            })
        }
        _ => {
            let zone = Zone::of(&a.settings.time_zone)?;
            let local = is_local(a, 0);
            let micros = Column::<Int64Array>::of(a, 0)?;
            each::<Int64Array, i64>(a, |row| {
                let micros = some!(micros.get(row));
                Ok(if local { zone.instant(micros) } else { Some(micros) }.map(|micros| micros / SECOND))
            })
        }
    };
}

/// Whether an argument is a timestamp without a time zone.
pub(super) fn is_local(a: &Arguments<'_>, at: usize) -> bool {
    matches!(a.fields.get(at).map(|field| field.data_type()), Some(Arrow::Timestamp(_, None)))
}

/// Spark before 3 had other formats; they are not ours.
fn no_legacy(settings: &Settings) -> Result<()> {
    if settings.legacy_time_parser {
        return Err(Error::unsupported("spark.sql.legacy.timeParserPolicy=LEGACY").into());
    }
    Ok(())
}

fn written(a: &Arguments<'_>, zone: Option<(Zone, String)>, micros: fn(i64) -> i64) -> Result<ColumnarValue> {
    no_legacy(a.settings)?;
    let (value, pattern) = (Column::<Int64Array>::of(a, 0)?, Column::<StringArray>::of(a, 1)?);
    let mut writers: HashMap<String, Writer> = HashMap::new();
    each::<StringArray, String>(a, |row| {
        let (value, pattern) = (some!(value.get(row)), some!(pattern.get(row)));
        if !writers.contains_key(pattern) {
            writers.insert(pattern.to_owned(), Writer::new(pattern, zone.clone())?);
        }
        let writer = writers.get(pattern).ok_or_else(|| exec_datafusion_err!("the pattern has gone"))?;
        Ok(Some(writer.write(micros(value))?))
    })
}

#[derive(Clone, Copy, PartialEq)]
enum Wants {
    Instant,
    Local,
    Date,
    Seconds,
}

fn read(a: &Arguments<'_>, wants: Wants, tries: bool) -> Result<ColumnarValue> {
    no_legacy(a.settings)?;
    let session = Zone::of(&a.settings.time_zone)?;
    let corrected = a
        .settings
        .others
        .get("spark.sql.legacy.timeparserpolicy")
        .is_some_and(|policy| policy.eq_ignore_ascii_case("corrected"));
    let (text, pattern) = (Column::<StringArray>::of(a, 0)?, Column::<StringArray>::of(a, 1)?);
    let mut readers: HashMap<String, Reader> = HashMap::new();
    let mut value = |row: usize| -> Result<Option<i64>> {
        let (text, pattern) = (some!(text.get(row)), some!(pattern.get(row)));
        if !readers.contains_key(pattern) {
            readers.insert(pattern.to_owned(), Reader::new(pattern)?);
        }
        let reader = readers.get(pattern).ok_or_else(|| exec_datafusion_err!("the pattern has gone"))?;
        match reader.read(text) {
            Some((local, zone)) => Ok(match wants {
                Wants::Local => Some(local),
                Wants::Date => {
                    let micros = zone.map_or(Some(local), |zone| zone.instant(local).map(|micros| session.local(micros)));
                    micros.map(|micros| micros.div_euclid(DAY))
                }
                Wants::Instant => zone.unwrap_or(session).instant(local),
                Wants::Seconds => zone.unwrap_or(session).instant(local).map(|micros| micros / SECOND),
            }),
            None if tries => Ok(None),
            None if !corrected && reader.was_read_before(text) => Err(Error::new(
                "INCONSISTENT_BEHAVIOR_CROSS_VERSION.PARSE_DATETIME_BY_NEW_PARSER",
                format!(
                    "You may get a different result due to the upgrading to Spark >= 3.0: Fail to parse '{text}' in the new \
                     parser. You can set \"spark.sql.legacy.timeParserPolicy\" to \"LEGACY\" to restore the behavior before \
                     Spark 3.0, or set to \"CORRECTED\" and treat it as an invalid datetime string."
                ),
            )
            .into()),
            None if a.settings.ansi => Err(Error::new(
                "CANNOT_PARSE_TIMESTAMP",
                format!(
                    "Text '{text}' could not be parsed. If necessary set \"spark.sql.ansi.enabled\" to \"false\" to bypass this error."
                ),
            )
            .into()),
            None => Ok(None),
        }
    };
    if wants == Wants::Date {
        return each::<arrow::array::Int32Array, i32>(a, |row| {
            Ok(value(row)?.and_then(|days| i32::try_from(days).ok()))
        });
    }
    each::<Int64Array, i64>(a, value)
}
