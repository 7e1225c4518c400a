//! The decimal digits of floating-point numbers, and rounding of digits.

use crate::text::java_digits;

/// `0.d1d2d3... × 10^point`: digits as they are printed, without zeros around.
#[derive(Clone, Debug)]
pub(crate) struct Digits {
    pub(crate) negative: bool,
    pub(crate) digits: Vec<u8>,
    pub(crate) point: i32,
}

impl Digits {
    /// The digits that Java has for this number.
    pub(crate) fn of_double(value: f64) -> Self {
        let (digits, point) = java_digits(value.abs());
        Digits { negative: value.is_sign_negative(), digits, point }.without_zeros()
    }

    /// Of a plain decimal, `-12.50`.
    pub(crate) fn of_plain(text: &str) -> Self {
        let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = whole.bytes().chain(fraction.bytes()).filter(u8::is_ascii_digit).map(|byte| byte - b'0').collect();
        Digits { negative, digits, point: i32::try_from(whole.len()).unwrap_or(0) }.without_zeros()
    }

    fn without_zeros(mut self) -> Self {
        let leading = self.digits.iter().take_while(|digit| **digit == 0).count();
        self.digits.drain(..leading);
        self.point -= i32::try_from(leading).unwrap_or(0);
        while self.digits.last() == Some(&0) {
            self.digits.pop();
        }
        if self.digits.is_empty() {
            self.point = 0;
        }
        self
    }

    /// Whether it is nothing.
    pub(crate) fn is_zero(&self) -> bool {
        self.digits.is_empty()
    }

    /// Rounded to so many places after the point, halves as `up` says of the last digit that stays.
    pub(crate) fn rounded(self, places: i32, up: impl Fn(u8) -> bool) -> Self {
        let keep = self.point.saturating_add(places);
        let Ok(keep) = usize::try_from(keep) else {
            return Digits { digits: Vec::new(), point: 0, ..self };
        };
        if keep >= self.digits.len() {
            return self;
        }
        let mut digits = self.digits;
        let dropped = digits.split_off(keep);
        let last = digits.last().copied().unwrap_or(0);
        let is_half = dropped.first() == Some(&5) && dropped.len() == 1;
        let carries = if is_half { up(last) } else { dropped.first().is_some_and(|digit| *digit >= 5) };
        let mut point = self.point;
        if carries {
            let mut at = digits.len();
            loop {
                if at == 0 {
                    digits.insert(0, 1);
                    point += 1;
                    break;
                }
                at -= 1;
                if digits[at] == 9 {
                    digits[at] = 0;
                } else {
                    digits[at] += 1;
                    break;
                }
            }
        }
        Digits { negative: self.negative, digits, point }.without_zeros()
    }

    /// The digits before the point (at least one), and exactly so many after it.
    pub(crate) fn plain(&self, places: usize) -> (String, String) {
        let digit = |at: i64| {
            usize::try_from(at).ok().and_then(|at| self.digits.get(at)).map_or('0', |digit| char::from(b'0' + digit))
        };
        let point = i64::from(self.point);
        let whole: String = if point <= 0 { "0".to_owned() } else { (0..point).map(digit).collect() };
        let fraction = (0..i64::try_from(places).unwrap_or(0)).map(|at| digit(point + at)).collect();
        (whole, fraction)
    }
}

/// `1234567` as `1,234,567`.
pub(crate) fn grouped(whole: &str, size: usize) -> String {
    if size == 0 {
        return whole.to_owned();
    }
    let mut to = String::new();
    for (at, c) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(size) {
            to.push(',');
        }
        to.push(c);
    }
    to
}
