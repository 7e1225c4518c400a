//! `epoch`, `now`, `today`, `tomorrow` and `yesterday`, which a constant may say in the place of a date or time.

use std::sync::Arc;

use datafusion::prelude::now;
use datafusion::scalar::ScalarValue;

use super::{CastMode, convert};
use crate::civil::DAY;
use crate::zone::Zone;
use crate::{DataType, Result, Settings, Typed};

/// What a constant that is one of the words stands for.
pub(super) fn relative_to_now(value: &Typed, to: &DataType, settings: &Arc<Settings>) -> Result<Option<Typed>> {
    if !matches!(to, DataType::Date | DataType::Timestamp | DataType::TimestampNtz) {
        return Ok(None);
    }
    let Some(text) = value.as_literal().and_then(crate::literal::string) else { return Ok(None) };
    let word = text.trim().to_ascii_lowercase();
    let word = word.as_str();
    if !matches!(word, "epoch" | "now" | "today" | "tomorrow" | "yesterday") {
        return Ok(None);
    }
    let zone = Zone::of(&settings.time_zone)?;
    let micros = chrono::Utc::now().timestamp_micros();
    let today = zone.local(micros).div_euclid(DAY);
    let days = match word {
        "epoch" => 0,
        "tomorrow" => today + 1,
        "yesterday" => today - 1,
        _ => today,
    };
    let literal = |value, data_type| Typed::literal(value, data_type, "");
    Ok(Some(match (to, word) {
        (DataType::Date, _) => literal(ScalarValue::Date32(i32::try_from(days).ok()), DataType::Date),
        (DataType::Timestamp, "epoch") => {
            literal(ScalarValue::TimestampMicrosecond(Some(0), Some("UTC".into())), DataType::Timestamp)
        }
        (to, "now") => {
            let expr = datafusion::logical_expr::cast(now(), DataType::Timestamp.to_arrow());
            let data_type = DataType::Timestamp;
            let instant = Typed { expr, data_type, nullable: false, name: String::new(), foldable: true };
            convert(instant, to, CastMode::Legacy, settings)?
        }
        (DataType::Timestamp, _) => {
            let instant = zone.instant(days * DAY);
            literal(ScalarValue::TimestampMicrosecond(instant, Some("UTC".into())), DataType::Timestamp)
        }
        _ => literal(ScalarValue::TimestampMicrosecond(Some(days * DAY), None), DataType::TimestampNtz),
    }))
}
