//! Time zones as Spark names them, and the two ways between local and universal microseconds.

use chrono::{MappedLocalTime, NaiveDateTime, Offset, TimeZone};
use chrono_tz::Tz;

use crate::civil::{DAY, SECOND, date, days};
use crate::{Error, Result};

/// A zone of the time zone database, or a fixed offset in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Zone {
    Region(Tz),
    Fixed(i32),
}

/// Java's short ids that are not the database's.
const SHORT: [(&str, &str); 28] = [
    ("ACT", "Australia/Darwin"),
    ("AET", "Australia/Sydney"),
    ("AGT", "America/Argentina/Buenos_Aires"),
    ("ART", "Africa/Cairo"),
    ("AST", "America/Anchorage"),
    ("BET", "America/Sao_Paulo"),
    ("BST", "Asia/Dhaka"),
    ("CAT", "Africa/Harare"),
    ("CNT", "America/St_Johns"),
    ("CST", "America/Chicago"),
    ("CTT", "Asia/Shanghai"),
    ("EAT", "Africa/Addis_Ababa"),
    ("ECT", "Europe/Paris"),
    ("IET", "America/Indiana/Indianapolis"),
    ("IST", "Asia/Kolkata"),
    ("JST", "Asia/Tokyo"),
    ("MIT", "Pacific/Apia"),
    ("NET", "Asia/Yerevan"),
    ("NST", "Pacific/Auckland"),
    ("PLT", "Asia/Karachi"),
    ("PNT", "America/Phoenix"),
    ("PRT", "America/Puerto_Rico"),
    ("PST", "America/Los_Angeles"),
    ("SST", "Pacific/Guadalcanal"),
    ("VST", "Asia/Ho_Chi_Minh"),
    ("EST", "-05:00"),
    ("MST", "-07:00"),
    ("HST", "-10:00"),
];

/// Whether there is a zone of this name.
pub fn is_zone(name: &str) -> bool {
    Zone::parse(name).is_some()
}

impl Zone {
    /// The zone of a name: a region, `Z`, `UTC`, `+8`, `+08:30`, `GMT+1`, or one of Java's short ids.
    pub(crate) fn parse(name: &str) -> Option<Zone> {
        let name = name.trim();
        if let Some((_, long)) = SHORT.iter().find(|(short, _)| *short == name) {
            return Zone::parse(long);
        }
        match name {
            "Z" | "UTC" | "GMT" | "UT" => return Some(Zone::Fixed(0)),
            _ => {}
        }
        let offset = ["UTC", "GMT", "UT"].iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(name);
        if offset.starts_with(['+', '-']) {
            return fixed(offset).map(Zone::Fixed);
        }
        name.parse().ok().map(Zone::Region)
    }

    /// As [`Zone::parse`], for the session's zone.
    ///
    /// # Errors
    /// There is no such zone.
    pub(crate) fn of(name: &str) -> Result<Zone> {
        Zone::parse(name).ok_or_else(|| {
            Error::new("INVALID_TIMEZONE", format!("The timezone: {name} is invalid. The timezone must be either a region-based zone ID or a zone offset."))
        })
    }

    /// Seconds that local time is ahead at an instant.
    pub(crate) fn offset_at(self, micros: i64) -> i64 {
        match self {
            Zone::Fixed(seconds) => i64::from(seconds),
            Zone::Region(zone) => {
                let naive = naive(micros.saturating_sub(beyond(micros)));
                i64::from(zone.offset_from_utc_datetime(&naive).fix().local_minus_utc())
            }
        }
    }

    /// Local microseconds of an instant.
    pub(crate) fn local(self, micros: i64) -> i64 {
        micros.saturating_add(self.offset_at(micros) * SECOND)
    }

    /// The instant of local microseconds. Those that a gap left out are as far behind it as they were in it; of two instants
    /// with the same local time it is the first.
    pub(crate) fn instant(self, local: i64) -> Option<i64> {
        let offset = match self {
            Zone::Fixed(seconds) => i64::from(seconds),
            Zone::Region(zone) => match zone.offset_from_local_datetime(&naive(local.saturating_sub(beyond(local)))) {
                MappedLocalTime::Single(offset) | MappedLocalTime::Ambiguous(offset, _) => {
                    i64::from(offset.fix().local_minus_utc())
                }
                MappedLocalTime::None => {
                    let day = crate::civil::DAY;
                    self.offset_at(local.saturating_sub(day + self.offset_at(local) * SECOND))
                }
            },
        };
        local.checked_sub(offset * SECOND)
    }
}

/// `+8`, `+08`, `+8:30`, `+08:30`, `+0830`, `+08:30:15`
fn fixed(text: &str) -> Option<i32> {
    let negative = text.starts_with('-');
    let rest = text.get(1..)?;
    let parts: Vec<&str> = if rest.contains(':') {
        rest.split(':').collect()
    } else {
        if !rest.is_ascii() {
            return None;
        }
        match rest.len() {
            1 | 2 => vec![rest],
            4 => vec![&rest[..2], &rest[2..]],
            6 => vec![&rest[..2], &rest[2..4], &rest[4..]],
            _ => return None,
        }
    };
    let mut seconds = 0;
    for (at, unit) in [3600, 60, 1].into_iter().enumerate() {
        let Some(part) = parts.get(at) else { continue };
        if part.is_empty() || part.len() > 2 || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let value: i32 = part.parse().ok()?;
        if at > 0 && value > 59 {
            return None;
        }
        seconds += value * unit;
    }
    (parts.len() <= 3 && seconds <= 18 * 3600).then_some(if negative { -seconds } else { seconds })
}

/// The time zone database knows the changes of each year up to 2099, after which they go on by the last rule. A year beyond has those of
/// a year that the calendar is the same in: as leap years and weekdays come again after 28 years where no year of a century is left
/// out, one of 2060 to 2087. This is how far apart the two are.
fn beyond(micros: i64) -> i64 {
    const FIRST: i64 = 2090;
    if micros < 3_786_912_000 * SECOND {
        return 0;
    }
    let (year, ..) = date(micros.div_euclid(DAY));
    let january = |year: i64| days(year, 1, 1).unwrap_or_default();
    let length = |year: i64| january(year + 1) - january(year);
    let same = |other: &i64| length(*other) == length(year) && (january(year) - january(*other)) % 7 == 0;
    match (2060..2088).find(same) {
        Some(other) if year >= FIRST => (january(year) - january(other)).saturating_mul(DAY),
        _ => 0,
    }
}

fn naive(micros: i64) -> NaiveDateTime {
    // What chrono cannot hold has the rules of the last or first year that it can.
    let micros = micros.clamp(-8_000_000_000_000_000_000, 8_000_000_000_000_000_000);
    chrono::DateTime::from_timestamp_micros(micros).unwrap_or_default().naive_utc()
}
