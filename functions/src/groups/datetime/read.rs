//! Dates and times read by a pattern, strictly as Java's formatter does.

use super::names::{MONTHS, zone_of_abbreviation};
use super::pattern::{Piece, has_era, pieces};
use crate::civil::{DAY, HOUR, MINUTE, SECOND, days};
use crate::error::Result;
use crate::zone::Zone;

/// Reads texts by a pattern.
pub(crate) struct Reader {
    pieces: Vec<Piece>,
    era: bool,
    pattern: String,
}

#[derive(Clone, Default)]
struct Fields {
    bc: bool,
    year: Option<i64>,
    month: Option<i64>,
    day: Option<i64>,
    year_day: Option<i64>,
    hour: Option<i64>,
    half_hour: Option<i64>,
    pm: Option<bool>,
    minute: Option<i64>,
    second: Option<i64>,
    nanos: Option<i64>,
    zone: Option<Zone>,
}

impl Reader {
    /// # Errors
    /// Spark refuses the pattern.
    pub(crate) fn new(pattern: &str) -> Result<Self> {
        let pieces = pieces(pattern, true)?;
        Ok(Reader { era: has_era(&pieces), pieces, pattern: pattern.to_owned() })
    }

    /// Local microseconds, and the zone that the text has. What is not said is 1970, January, the first, and zero.
    pub(crate) fn read(&self, text: &str) -> Option<(i64, Option<Zone>)> {
        let mut fields = Fields::default();
        let rest = parse(&self.pieces, text, &mut fields)?;
        if !rest.is_empty() {
            return None;
        }
        fields.resolve(self.era)
    }

    /// Whether Java's older parser, which takes more, reads the text: then Spark does not say NULL.
    pub(crate) fn was_read_before(&self, text: &str) -> bool {
        super::legacy::reads(&self.pattern, text)
    }
}

impl Fields {
    fn resolve(self, era: bool) -> Option<(i64, Option<Zone>)> {
        let year = match self.year {
            Some(year) if era && self.bc => 1 - year,
            Some(year) => year,
            None => 1970,
        };
        let date = match self.year_day {
            Some(day) if self.month.is_none() => {
                let first = days(year, 1, 1)?;
                let next = days(year + 1, 1, 1)?;
                (1..=next - first).contains(&day).then_some(first + day - 1)?
            }
            _ => days(year, self.month.unwrap_or(1), self.day.unwrap_or(1))?,
        };
        let hour = match (self.hour, self.half_hour) {
            (Some(hour), _) => hour,
            (None, Some(hour)) => hour + if self.pm == Some(true) { 12 } else { 0 },
            (None, None) => {
                if self.pm == Some(true) {
                    12
                } else {
                    0
                }
            }
        };
        let (minute, second) = (self.minute.unwrap_or(0), self.second.unwrap_or(0));
        if !(0..24).contains(&hour) || !(0..60).contains(&minute) || !(0..60).contains(&second) {
            return None;
        }
        let time = hour * HOUR + minute * MINUTE + second * SECOND + self.nanos.unwrap_or(0) / 1000;
        Some((date.checked_mul(DAY)?.checked_add(time)?, self.zone))
    }
}

fn parse<'t>(pieces: &[Piece], mut text: &'t str, fields: &mut Fields) -> Option<&'t str> {
    for (at, piece) in pieces.iter().enumerate() {
        match piece {
            Piece::Text(want) => {
                let (start, rest) = (text.get(..want.len())?, text.get(want.len()..)?);
                if !start.eq_ignore_ascii_case(want) {
                    return None;
                }
                text = rest;
            }
            Piece::Optional(inner) => {
                let mut tried = fields.clone();
                if let Some(rest) = parse(inner, text, &mut tried) {
                    *fields = tried;
                    text = rest;
                }
            }
            Piece::Field(letter, count) => text = field(*letter, *count, reserved(&pieces[at + 1..]), text, fields)?,
        }
    }
    Some(text)
}

/// Digits that the fields of fixed width right behind need.
fn reserved(after: &[Piece]) -> usize {
    let mut sum = 0;
    for piece in after {
        match piece {
            Piece::Field('M' | 'L' | 'd' | 'H' | 'h' | 'k' | 'K' | 'm' | 's', 2) => sum += 2,
            Piece::Field('S', count) => {
                sum += count;
                break;
            }
            _ => break,
        }
    }
    sum
}

fn field<'t>(letter: char, count: usize, reserved: usize, text: &'t str, fields: &mut Fields) -> Option<&'t str> {
    let set = |slot: &mut Option<i64>, value: i64| match slot {
        Some(before) if *before != value => None,
        _ => {
            *slot = Some(value);
            Some(())
        }
    };
    match letter {
        'G' => {
            let names: [(&str, bool); 4] =
                [("Anno Domini", false), ("Before Christ", true), ("AD", false), ("BC", true)];
            let (name, bc) = names.into_iter().find(|(name, _)| begins(text, name))?;
            fields.bc = bc;
            text.get(name.len()..)
        }
        'y' if count == 2 => {
            let (value, rest) = digits(text, 2, 2, 0)?;
            set(&mut fields.year, 2000 + value)?;
            Some(rest)
        }
        'y' => {
            let (sign, body) = match text.strip_prefix('-') {
                Some(body) => (-1, body),
                None => (1, text.strip_prefix('+').filter(|_| count >= 4).unwrap_or(text)),
            };
            let (value, rest) = digits(body, count, 19, reserved)?;
            let length = body.len() - rest.len();
            let plus = body.len() < text.len() && sign > 0;
            if count >= 4 && sign > 0 && (plus != (length > count)) {
                return None;
            }
            set(&mut fields.year, sign * value)?;
            Some(rest)
        }
        'M' | 'L' if count >= 3 => {
            let short = |name: &'static str| if count == 3 { name.get(..3).unwrap_or(name) } else { name };
            let (at, name) = MONTHS.iter().enumerate().find(|(_, name)| begins(text, short(name)))?;
            set(&mut fields.month, i64::try_from(at).ok()? + 1)?;
            text.get(short(name).len()..)
        }
        'a' => {
            fields.pm = Some(if begins(text, "AM") {
                false
            } else if begins(text, "PM") {
                true
            } else {
                return None;
            });
            text.get(2..)
        }
        'S' => {
            let length = text.bytes().take(count).take_while(u8::is_ascii_digit).count();
            let (value, rest) = (text.get(..length)?, text.get(length..)?);
            if length == 0 {
                return None;
            }
            set(&mut fields.nanos, format!("{value:0<9}").parse().ok()?)?;
            Some(rest)
        }
        'V' | 'z' | 'O' | 'X' | 'x' | 'Z' => {
            let (zone, rest) = zone(letter, count, text)?;
            fields.zone = Some(zone);
            Some(rest)
        }
        _ => {
            let (least, most) = match (letter, count) {
                ('D', count) => (count, 3),
                (_, 1) => (1, 19),
                (_, count) => (count, count),
            };
            let (value, rest) = digits(text, least, most, reserved)?;
            let (slot, value, range) = match letter {
                'M' | 'L' => (&mut fields.month, value, 1..=12),
                'd' => (&mut fields.day, value, 1..=31),
                'D' => (&mut fields.year_day, value, 1..=366),
                'H' => (&mut fields.hour, value, 0..=23),
                'k' if value == 0 || value > 24 => return None,
                'h' if value == 0 || value > 12 => return None,
                'k' => (&mut fields.hour, value % 24, 0..=23),
                'h' => (&mut fields.half_hour, value % 12, 0..=11),
                'K' => (&mut fields.half_hour, value, 0..=11),
                'm' => (&mut fields.minute, value, 0..=59),
                's' => (&mut fields.second, value, 0..=59),
                _ => return None,
            };
            if !range.contains(&value) {
                return None;
            }
            set(slot, value)?;
            Some(rest)
        }
    }
}

fn begins(text: &str, name: &str) -> bool {
    text.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
}

/// As many digits as there are, but so many left for those behind.
fn digits(text: &str, least: usize, most: usize, reserved: usize) -> Option<(i64, &str)> {
    let run = text.bytes().take(most.saturating_add(reserved)).take_while(u8::is_ascii_digit).count();
    let take = if least == most { most } else { run.saturating_sub(reserved).max(least).min(most) };
    if take > run {
        return None;
    }
    Some((text.get(..take)?.parse().ok()?, text.get(take..)?))
}

fn zone(letter: char, count: usize, text: &str) -> Option<(Zone, &str)> {
    if matches!(letter, 'X') && text.starts_with(['Z', 'z'])
        || (letter == 'Z' && count == 5 && text.starts_with(['Z', 'z']))
    {
        return Some((Zone::Fixed(0), text.get(1..)?));
    }
    match letter {
        'X' | 'x' => offset(text, count == 3 || count == 5, count == 1),
        'Z' if count <= 3 => offset(text, false, false),
        'Z' if count == 5 => offset(text, true, false),
        'O' | 'Z' => {
            let rest = text.get(3..).filter(|_| begins(text, "GMT"))?;
            let length = rest.find(|c: char| !matches!(c, '+' | '-' | ':' | '0'..='9')).unwrap_or(rest.len());
            let (offset, rest) = rest.split_at(length);
            Some((if offset.is_empty() { Zone::Fixed(0) } else { Zone::parse(offset)? }, rest))
        }
        _ => {
            let is_id = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '_' | '+' | '-' | ':');
            let mut length = text.find(|c: char| !is_id(c)).unwrap_or(text.len());
            while length > 0 {
                let (name, rest) = text.split_at(length);
                let zone = match zone_of_abbreviation(name).filter(|_| letter == 'z') {
                    Some(zone) => Zone::parse(zone),
                    None if letter == 'V'
                        && name.len() <= 3
                        && zone_of_abbreviation(name).is_some()
                        && !matches!(name, "GMT" | "UTC") =>
                    {
                        None
                    }
                    None => Zone::parse(name),
                };
                if let Some(zone) = zone {
                    return Some((zone, rest));
                }
                length -= 1;
            }
            None
        }
    }
}

fn offset(text: &str, colons: bool, hours_only: bool) -> Option<(Zone, &str)> {
    let sign = match text.chars().next()? {
        '+' => 1,
        '-' => -1,
        _ => return None,
    };
    let two = |text: &str| -> Option<i32> {
        text.get(..2).filter(|text| text.bytes().all(|byte| byte.is_ascii_digit())).and_then(|text| text.parse().ok())
    };
    let mut rest = text.get(3..)?;
    let mut seconds = two(text.get(1..)?)? * 3600;
    let after = if colons { rest.strip_prefix(':').unwrap_or("") } else { rest };
    match two(after) {
        Some(minutes) if minutes < 60 => {
            seconds += minutes * 60;
            rest = after.get(2..)?;
        }
        _ if hours_only => {}
        _ => return None,
    }
    (seconds <= 18 * 3600).then_some((Zone::Fixed(sign * seconds), rest))
}
