//! Times of the wall clock, as they are kept and shown.

use std::time::{Duration, SystemTime};

/// Milliseconds since 1970.
pub fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// As RFC 3339 has it.
pub fn text(ms: u64) -> String {
    let at = SystemTime::UNIX_EPOCH + Duration::from_millis(ms.min(MOST));
    humantime::format_rfc3339_millis(at).to_string()
}

/// The end of the year 9999, behind which there is no text.
const MOST: u64 = 253_402_300_799_000;
