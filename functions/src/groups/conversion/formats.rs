//! Formats of numbers, as `S999,990.99`.

use crate::Error;

/// Where a format has a sign.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Sign {
    None,
    /// `S`: plus or minus.
    Before,
    /// `S`: plus or minus.
    After,
    /// `MI`: minus or nothing.
    MinusBefore,
    /// `MI`: minus or nothing.
    MinusAfter,
    /// `PR`: in angle brackets if negative.
    Brackets,
}

/// A format that was read.
#[derive(Debug)]
pub(super) struct Format {
    /// As it was written.
    pub(super) text: String,
    pub(super) sign: Sign,
    pub(super) dollar: bool,
    /// Before the point: `0`, `9` and `,`.
    pub(super) whole: String,
    /// Behind the point: `0` and `9`; `None` if there is no point.
    pub(super) fraction: Option<String>,
}

impl Format {
    /// Reads a format.
    pub(super) fn parse(text: &str) -> Result<Format, Error> {
        let upper = text.to_uppercase();
        let mut rest = upper.as_str();
        let mut sign = Sign::None;
        let mut dollar = false;
        if let Some(behind) = rest.strip_prefix("MI") {
            (sign, rest) = (Sign::MinusBefore, behind);
        } else if let Some(behind) = rest.strip_prefix('S') {
            (sign, rest) = (Sign::Before, behind);
        }
        if let Some(behind) = rest.strip_prefix('$') {
            (dollar, rest) = (true, behind);
        }
        let end = [("MI", Sign::MinusAfter), ("PR", Sign::Brackets), ("S", Sign::After)];
        for (word, meaning) in end {
            if sign == Sign::None
                && let Some(before) = rest.strip_suffix(word)
            {
                (sign, rest) = (meaning, before);
            }
        }
        let body = rest.replace('G', ",").replace('D', ".");
        if !body.contains(['0', '9']) {
            return Err(invalid("WRONG_NUM_DIGIT", &upper, "The format string requires at least one number digit."));
        }
        let (whole, fraction) = match body.split_once('.') {
            Some((whole, fraction)) => (whole.to_owned(), Some(fraction.to_owned())),
            None => (body, None),
        };
        if fraction.as_ref().is_some_and(|fraction| fraction.contains('.')) {
            return Err(invalid("WRONG_NUM_TOKEN", &upper, "At most one . or D is allowed in the number format."));
        }
        let digits = |part: &str, comma: bool| part.chars().all(|c| c == '0' || c == '9' || (comma && c == ','));
        if !digits(&whole, true) || fraction.as_ref().is_some_and(|fraction| !digits(fraction, false)) {
            return Err(invalid("UNEXPECTED_TOKEN", &upper, "Found an unexpected character in the format string."));
        }
        if whole.contains(',') && whole.split(',').any(str::is_empty) {
            return Err(invalid(
                "CONT_THOUSANDS_SEPS",
                &upper,
                "Thousands separators (, or G) must have digits in between them in the number format.",
            ));
        }
        Ok(Format { text: text.to_owned(), sign, dollar, whole, fraction })
    }

    /// Digits before and behind the point.
    pub(super) fn digits(&self) -> (usize, usize) {
        let whole = self.whole.chars().filter(|c| *c != ',').count();
        (whole, self.fraction.as_ref().map_or(0, String::len))
    }
}

fn invalid(class: &str, format: &str, why: &str) -> Error {
    Error::new(format!("INVALID_FORMAT.{class}"), format!("The format is invalid: '{format}'. {why}"))
}
