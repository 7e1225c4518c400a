//! Whether a text is a date or timestamp as Spark reads them. What point in time it is depends on the session.

/// Where regions with a time zone are.
const AREAS: &[&str] = &[
    "Africa",
    "America",
    "Antarctica",
    "Arctic",
    "Asia",
    "Atlantic",
    "Australia",
    "Brazil",
    "Canada",
    "Chile",
    "Etc",
    "Europe",
    "Indian",
    "Mexico",
    "Pacific",
    "SystemV",
    "US",
];

const SPECIAL: &[&str] = &["epoch", "now", "today", "tomorrow", "yesterday"];

/// `[+-]yyyy[-m[-d]]`, perhaps with more behind a space or `T`, or a word as `today`.
pub(super) fn is_date(text: &str) -> bool {
    let text = text.trim_matches(|char: char| char <= ' ');
    if is_special(text) {
        return true;
    }
    let signed = usize::from(text.starts_with(['-', '+']));
    let Some(unsigned) = text.get(signed..) else { return false };
    let end = unsigned.find([' ', 'T']).unwrap_or(unsigned.len());
    let parts = unsigned[..end].split('-').count();
    let day = date(&unsigned[..end], signed > 0);
    day && (end == unsigned.len() || parts == 3)
}

/// A date, a date with a time, or, if `time_alone`, a time.
pub(super) fn is_timestamp(text: &str, time_alone: bool) -> bool {
    let text = text.trim_matches(|char: char| char <= ' ');
    if is_special(text) {
        return true;
    }
    let signed = text.starts_with(['-', '+']);
    let unsigned = text.get(usize::from(signed)..).unwrap_or_default();
    let colon = unsigned.find(':');
    let dash = unsigned.find('-');
    let alone =
        unsigned.starts_with('T') || (colon.is_some_and(|at| at <= 2) && dash.is_none_or(|at| Some(at) > colon));
    if alone {
        return time_alone && !signed && time(unsigned.trim_start_matches('T'));
    }
    match unsigned.split_once([' ', 'T']) {
        Some((day, rest)) => day.split('-').count() == 3 && date(day, signed) && time(rest),
        None => date(unsigned, signed),
    }
}

fn is_special(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let word = lower.split(|char: char| !char.is_ascii_alphabetic()).next().unwrap_or_default();
    let zone = lower.get(word.len()..).unwrap_or_default().trim();
    SPECIAL.contains(&word) && (zone.is_empty() || is_zone(text[word.len()..].trim()))
}

fn digits(text: &str, from: usize, to: usize) -> Option<u32> {
    let valid = (from..=to).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| valid)
}

fn date(text: &str, _signed: bool) -> bool {
    let mut parts = text.split('-');
    let Some(year) = parts.next().and_then(|year| digits(year, 4, 7)) else { return false };
    let month = parts.next().map_or(Some(1), |month| digits(month, 1, 2));
    let day = parts.next().map_or(Some(1), |day| digits(day, 1, 2));
    match (month, day) {
        (Some(month @ 1..=12), Some(day)) => parts.next().is_none() && (1..=days_of(year, month)).contains(&day),
        _ => false,
    }
}

fn days_of(year: u32, month: u32) -> u32 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// `h[:m[:s[.fraction]]][zone]`
fn time(text: &str) -> bool {
    let end = text.find(|char: char| !char.is_ascii_digit() && char != ':' && char != '.').unwrap_or(text.len());
    let (clock, zone) = text.split_at(end);
    let mut parts = clock.split(':');
    let hour = parts.next().and_then(|hour| digits(hour, 1, 2));
    let minute = parts.next().map_or(Some(0), |minute| digits(minute, 1, 2));
    let second = parts.next().unwrap_or("0");
    let (second, fraction) = second.split_once('.').unwrap_or((second, ""));
    let fits = hour.is_some_and(|hour| hour < 24) && minute.is_some_and(|minute| minute < 60);
    let fraction = fraction.bytes().all(|byte| byte.is_ascii_digit());
    let second = digits(second, 1, 2).is_some_and(|second| second < 60);
    fits && second && fraction && parts.next().is_none() && (zone.is_empty() || is_zone(zone.trim()))
}

/// `Z`, `+1:30`, `UTC+3`, or the name of a region, of which only the form is looked at.
fn is_zone(zone: &str) -> bool {
    if let Some(offset) = zone.strip_prefix(['+', '-']) {
        let parts: Vec<_> = offset.split(':').collect();
        let two = |text: &str, most| digits(text, 1, 2).is_some_and(|value| value <= most);
        return match parts[..] {
            [hours] if hours.len() > 2 => hours.len() % 2 == 0 && digits(hours, 4, 6).is_some(),
            [hours] => two(hours, 18),
            [hours, minutes] => two(hours, 18) && two(minutes, 59),
            [hours, minutes, seconds] => {
                two(hours, 18)
                    && [minutes, seconds].iter().all(|part| part.len() == 2 && two(part, 59))
                    && hours.len() == 2
            }
            _ => false,
        };
    }
    let region = zone.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/_+-:".contains(&byte));
    let prefixes = ["UTC", "GMT", "UT", "Z", "EST", "MST", "HST", "CET", "PST", "CST", "EET", "MET", "WET", "JST"];
    region
        && (zone.split_once('/').is_some_and(|(area, _)| AREAS.contains(&area))
            || prefixes.iter().any(|prefix| zone.to_ascii_uppercase().starts_with(prefix)))
}
