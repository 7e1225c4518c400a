//! Dates and times written by a pattern.

use std::fmt::Write;

use chrono::TimeZone;
use chrono_tz::OffsetName;

use super::names::{DAYS, MONTHS, zone_name};
use super::pattern::{Piece, has_era, pieces};
use crate::civil::{DAY, HOUR, MINUTE, SECOND, date, days};
use crate::error::{Error, Result};
use crate::zone::Zone;

/// Writes instants in a zone by a pattern.
pub(crate) struct Writer {
    pieces: Vec<Piece>,
    era: bool,
    /// The zone, and its name as it was given; none for local times.
    zone: Option<(Zone, String)>,
}

struct Moment {
    year: i64,
    month: i64,
    day: i64,
    /// Days of the epoch.
    days: i64,
    /// Microseconds of the day.
    time: i64,
    offset: i64,
    instant: i64,
}

impl Writer {
    /// For instants of a zone, or for local times without one.
    ///
    /// # Errors
    /// Spark refuses the pattern.
    pub(crate) fn new(pattern: &str, zone: Option<(Zone, String)>) -> Result<Self> {
        let pieces = pieces(pattern, false)?;
        Ok(Writer { era: has_era(&pieces), pieces, zone })
    }

    /// Microseconds as text.
    pub(crate) fn write(&self, micros: i64) -> Result<String> {
        let offset = self.zone.as_ref().map_or(0, |(zone, _)| zone.offset_at(micros));
        let local = micros.saturating_add(offset * SECOND);
        let days = local.div_euclid(DAY);
        let (year, month, day) = date(days);
        let moment = Moment { year, month, day, days, time: local.rem_euclid(DAY), offset, instant: micros };
        let mut to = String::new();
        self.pieces(&self.pieces, &moment, &mut to)?;
        Ok(to)
    }

    fn pieces(&self, pieces: &[Piece], moment: &Moment, to: &mut String) -> Result<()> {
        for piece in pieces {
            match piece {
                Piece::Text(text) => to.push_str(text),
                Piece::Optional(inner) => self.pieces(inner, moment, to)?,
                Piece::Field(letter, count) => self.field(*letter, *count, moment, to)?,
            }
        }
        Ok(())
    }

    fn field(&self, letter: char, count: usize, at: &Moment, to: &mut String) -> Result<()> {
        let hour = at.time / HOUR;
        let week_day = usize::try_from((at.days + 3).rem_euclid(7)).unwrap_or(0);
        let month = usize::try_from(at.month - 1).unwrap_or(0);
        let quarter = (at.month - 1) / 3 + 1;
        let number = |value: i64, to: &mut String| {
            let _ = write!(to, "{value:0count$}");
        };
        match letter {
            'G' => to.push_str(match (at.year > 0, count == 4) {
                (true, false) => "AD",
                (true, true) => "Anno Domini",
                (false, false) => "BC",
                (false, true) => "Before Christ",
            }),
            'y' => {
                let year = if self.era && at.year <= 0 { 1 - at.year } else { at.year };
                if count == 2 {
                    let _ = write!(to, "{:02}", year.rem_euclid(100));
                } else {
                    let sign = if year < 0 {
                        "-"
                    } else if count >= 4 && year.unsigned_abs().to_string().len() > count {
                        "+"
                    } else {
                        ""
                    };
                    let _ = write!(to, "{sign}{:0count$}", year.unsigned_abs());
                }
            }
            'M' | 'L' => match count {
                3 => to.push_str(MONTHS.get(month).and_then(|name| name.get(..3)).unwrap_or_default()),
                4 => to.push_str(MONTHS.get(month).copied().unwrap_or_default()),
                _ => number(at.month, to),
            },
            'd' => number(at.day, to),
            'D' => number(at.days - days(at.year, 1, 1).unwrap_or(at.days) + 1, to),
            'Q' | 'q' => match count {
                3 => {
                    let _ = write!(to, "Q{quarter}");
                }
                4 => to.push_str(match quarter {
                    1 => "1st quarter",
                    2 => "2nd quarter",
                    3 => "3rd quarter",
                    _ => "4th quarter",
                }),
                _ => number(quarter, to),
            },
            'E' => {
                let name = DAYS.get(week_day).copied().unwrap_or_default();
                to.push_str(if count == 4 { name } else { name.get(..3).unwrap_or_default() });
            }
            'F' => number((at.day - 1) % 7 + 1, to),
            'a' => to.push_str(if hour < 12 { "AM" } else { "PM" }),
            'h' => number((hour + 11) % 12 + 1, to),
            'H' => number(hour, to),
            'k' => number((hour + 23) % 24 + 1, to),
            'K' => number(hour % 12, to),
            'm' => number(at.time % HOUR / MINUTE, to),
            's' => number(at.time % MINUTE / SECOND, to),
            'S' => {
                let nanos = format!("{:09}", at.time % SECOND * 1000);
                to.push_str(nanos.get(..count).unwrap_or(&nanos));
            }
            _ => self.zone_field(letter, count, at, to)?,
        }
        Ok(())
    }

    fn zone_field(&self, letter: char, count: usize, at: &Moment, to: &mut String) -> Result<()> {
        let Some((zone, given)) = &self.zone else {
            return Err(Error::new("java.time.DateTimeException", "Unable to extract ZoneId from temporal"));
        };
        let offset = at.offset;
        match (letter, count) {
            ('V', _) => to.push_str(&zone_id(*zone, given)),
            ('z', _) => {
                let id = zone_id(*zone, given);
                let short = match zone {
                    Zone::Region(region) => {
                        let naive = chrono::DateTime::from_timestamp_micros(at.instant).unwrap_or_default().naive_utc();
                        region.offset_from_utc_datetime(&naive).abbreviation().unwrap_or_default().to_owned()
                    }
                    Zone::Fixed(_) => id.clone(),
                };
                let named = short.chars().all(|c| c.is_ascii_alphabetic()) && !short.is_empty();
                match (named, count) {
                    (false, _) if matches!(zone, Zone::Fixed(_)) => to.push_str(&id),
                    (true, 1..=3) => to.push_str(&short),
                    (true, _) if zone_name(&short).is_some() => to.push_str(&zone_name(&short).unwrap_or_default()),
                    _ => return Err(Error::unsupported(format!("the name of the time zone {id}"))),
                }
            }
            ('O', 1) | ('Z', 4) | ('O', _) => {
                to.push_str("GMT");
                if offset != 0 {
                    let sign = if offset < 0 { '-' } else { '+' };
                    let (hours, minutes, seconds) = (offset.abs() / 3600, offset.abs() / 60 % 60, offset.abs() % 60);
                    let short = letter == 'O' && count == 1;
                    let _ = if short { write!(to, "{sign}{hours}") } else { write!(to, "{sign}{hours:02}") };
                    if !short || minutes != 0 || seconds != 0 {
                        let _ = write!(to, ":{minutes:02}");
                    }
                    if seconds != 0 {
                        let _ = write!(to, ":{seconds:02}");
                    }
                }
            }
            ('Z', 1..=3) => offset_text(offset, 2, "+0000", to),
            ('Z', _) => offset_text(offset, 5, "Z", to),
            ('X', count) => offset_text(offset, count, "Z", to),
            (_, count) => offset_text(
                offset,
                count,
                ["+00", "+00", "+0000", "+00:00", "+0000", "+00:00"].get(count).copied().unwrap_or("+00"),
                to,
            ),
        }
        Ok(())
    }
}

/// Java's id of a zone.
fn zone_id(zone: Zone, given: &str) -> String {
    match zone {
        Zone::Region(region) => region.name().to_owned(),
        Zone::Fixed(0) if matches!(given, "UTC" | "GMT" | "UT") => given.to_owned(),
        Zone::Fixed(seconds) => {
            let prefix = ["UTC", "GMT", "UT"].into_iter().find(|prefix| given.starts_with(prefix)).unwrap_or_default();
            let mut to = prefix.to_owned();
            offset_text(i64::from(seconds), 5, if prefix.is_empty() { "Z" } else { "" }, &mut to);
            to
        }
    }
}

/// By the number of letters: 1 hours (and minutes that are not zero), 2 and 3 minutes too, 4 and 5 seconds that are not zero.
fn offset_text(offset: i64, letters: usize, zero: &str, to: &mut String) {
    if offset == 0 {
        return to.push_str(zero);
    }
    let sign = if offset < 0 { '-' } else { '+' };
    let (hours, minutes, seconds) = (offset.abs() / 3600, offset.abs() / 60 % 60, offset.abs() % 60);
    let colon = if letters == 3 || letters == 5 { ":" } else { "" };
    let _ = write!(to, "{sign}{hours:02}");
    if letters > 1 || minutes != 0 {
        let _ = write!(to, "{colon}{minutes:02}");
    }
    if letters >= 4 && seconds != 0 {
        let _ = write!(to, "{colon}{seconds:02}");
    }
}
