//! English names of months, days, and of the time zones whose names Java prints.

pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
/// From Monday.
pub(super) const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// Abbreviations and names: standard, then in summer.
const ZONES: [(&str, &str, &str); 18] = [
    ("PST", "PDT", "Pacific"),
    ("MST", "MDT", "Mountain"),
    ("CST", "CDT", "Central"),
    ("EST", "EDT", "Eastern"),
    ("AKST", "AKDT", "Alaska"),
    ("HST", "HDT", "Hawaii-Aleutian"),
    ("CET", "CEST", "Central European"),
    ("EET", "EEST", "Eastern European"),
    ("WET", "WEST", "Western European"),
    ("GMT", "", "Greenwich Mean Time"),
    ("UTC", "", "Coordinated Universal Time"),
    ("JST", "", "Japan Standard Time"),
    ("IST", "", "India Standard Time"),
    ("KST", "", "Korean Standard Time"),
    ("BST", "", "British Summer Time"),
    ("AEST", "AEDT", "Australian Eastern"),
    ("MSK", "", "Moscow Standard Time"),
    ("SGT", "", "Singapore Standard Time"),
];

/// The full name for an abbreviation of the time zone database.
pub(super) fn zone_name(abbreviation: &str) -> Option<String> {
    ZONES.iter().find_map(|(standard, summer, name)| match abbreviation {
        _ if summer.is_empty() => (abbreviation == *standard).then(|| (*name).to_owned()),
        _ if abbreviation == *standard => Some(format!("{name} Standard Time")),
        _ if abbreviation == *summer => {
            Some(format!("{name} {}", if name.ends_with("European") { "Summer Time" } else { "Daylight Time" }))
        }
        _ => None,
    })
}

/// The zone that Java reads an abbreviation as.
pub(super) fn zone_of_abbreviation(name: &str) -> Option<&'static str> {
    Some(match name.to_ascii_uppercase().as_str() {
        "PST" | "PDT" => "America/Los_Angeles",
        "MST" | "MDT" => "America/Denver",
        "CST" | "CDT" => "America/Chicago",
        "EST" | "EDT" => "America/New_York",
        "AKST" | "AKDT" => "America/Anchorage",
        "HST" => "Pacific/Honolulu",
        "CET" | "CEST" => "Europe/Paris",
        "EET" | "EEST" => "Europe/Bucharest",
        "WET" | "WEST" => "Europe/Lisbon",
        "GMT" => "GMT",
        "UTC" => "UTC",
        "JST" => "Asia/Tokyo",
        "IST" => "Asia/Kolkata",
        "KST" => "Asia/Seoul",
        "BST" => "Europe/London",
        "MSK" => "Europe/Moscow",
        _ => return None,
    })
}
