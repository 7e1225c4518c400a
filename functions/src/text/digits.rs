//! The decimal digits that Java 17 writes of a binary floating-point number.
//!
//! Up to Java 18 these are not always the fewest that are read back as the same number: Java takes the distance to the neighbours for the same on
//! both sides, wants two digits where there is an exponent, and rounds whole numbers of more bits than the mantissa has to fewer digits.
//! Spark 3.5 runs on Java 8 to 17, and `CAST(2E23 AS STRING)` is `1.9999999999999998E23` there.

use bigdecimal::num_bigint::BigUint;

/// About the decimal logarithm of two, with as many digits as Java takes.
const ESTIMATE: f64 = 301_029_995_663_981.0 / 1e15;

/// A positive number as `mantissa · 2^exponent`; the mantissa has all bits that the type holds for it.
pub(super) struct Binary {
    mantissa: u64,
    exponent: i32,
}

impl Binary {
    /// Of a finite double that is not zero; its sign is passed over.
    pub(super) fn of_double(value: f64) -> Binary {
        let bits = value.to_bits() & (u64::MAX >> 1);
        let (exponent, fraction) = ((bits >> 52) as i32, bits & ((1 << 52) - 1));
        match exponent {
            0 => Binary { mantissa: fraction, exponent: -1074 },
            _ => Binary { mantissa: fraction | 1 << 52, exponent: exponent - 1075 },
        }
    }

    /// Of a finite float that is not zero; its sign is passed over.
    pub(super) fn of_float(value: f32) -> Binary {
        let bits = value.to_bits() & (u32::MAX >> 1);
        let (exponent, fraction) = ((bits >> 23) as i32, u64::from(bits & ((1 << 23) - 1)));
        match exponent {
            0 => Binary { mantissa: fraction, exponent: -149 },
            _ => Binary { mantissa: fraction | 1 << 23, exponent: exponent - 150 },
        }
    }

    /// How many bits the mantissa has.
    fn bits(&self) -> i32 {
        64 - self.mantissa.leading_zeros() as i32
    }

    /// The digits without zeros behind, and where the point stands: `12`, 4 is 1200.
    pub(super) fn digits(&self) -> (Vec<u8>, i32) {
        let leading = self.bits() - 1 + self.exponent;
        let whole = self.exponent >= 0 || self.mantissa.trailing_zeros() as i32 >= -self.exponent;
        if whole && leading <= 62 { self.whole(leading) } else { self.developed(leading) }
    }

    /// A whole number below 2^63. Digits that the bits behind the mantissa would make are rounded away.
    fn whole(&self, leading: i32) -> (Vec<u8>, i32) {
        let mut value = if self.exponent >= 0 {
            self.mantissa.checked_shl(self.exponent.unsigned_abs()).unwrap_or(0)
        } else {
            self.mantissa >> self.exponent.unsigned_abs()
        };
        let behind = leading - self.bits() - 1;
        let mut dropped = 0;
        if behind > 1 {
            dropped = (f64::from(behind) * std::f64::consts::LOG10_2) as u32;
            let unit = 10u64.pow(dropped);
            let rest = value % unit;
            value /= unit;
            if dropped > 0 && rest >= unit / 2 {
                value += 1;
            }
        }
        let text = value.to_string();
        let point = (text.len() + dropped as usize) as i32;
        (text.trim_end_matches('0').bytes().map(|it| it - b'0').collect(), point)
    }

    /// Any other number: digit after digit of `numerator / denominator`, until what is left is less than half of the distance to the next
    /// number above or below.
    fn developed(&self, leading: i32) -> (Vec<u8>, i32) {
        let fraction = self.mantissa as f64 / (1u64 << (self.bits() - 1)) as f64;
        let estimate = (fraction - 1.5) * 0.289_529_654 + 0.176_091_259 + f64::from(leading) * ESTIMATE;
        let decimal = estimate.floor() as i32;
        // All in quarters, so that half of the distance, or a quarter of it below a power of two, is whole.
        let (up, down) = (self.exponent.max(0).unsigned_abs(), (-self.exponent).max(0).unsigned_abs());
        let (times, by) = ((-decimal).max(0).unsigned_abs(), decimal.max(0).unsigned_abs());
        let near = if self.mantissa.is_power_of_two() { 1u64 } else { 2 };
        // A power of two has but one bit; its distance is that of the bits its type has for it.
        let widest = self.bits() as u32 + 2 + up + (times * 10).div_ceil(3) + 4;
        let deepest = 2 + down + (by * 10).div_ceil(3) + 8;
        if widest < 127 && deepest < 127 {
            let ten = |power: u32| 10u128.pow(power);
            let scale = |value: u64| (u128::from(value) << up) * ten(times);
            let denominator = (4u128 << down) * ten(by);
            develop(Small(scale(self.mantissa * 4)), &Small(denominator), Small(scale(near)), decimal)
        } else {
            let ten = |power: u32| BigUint::from(10u8).pow(power);
            let scale = |value: u64| (BigUint::from(value) << up) * ten(times);
            let denominator = (BigUint::from(4u8) << down) * ten(by);
            develop(Large(scale(self.mantissa * 4)), &Large(denominator), Large(scale(near)), decimal)
        }
    }
}

/// Whole numbers as long as they have to be.
trait Number: Ord + Sized {
    /// The quotient, a digit; ten times the rest stays.
    fn divide(&mut self, by: &Self) -> u8;
    fn times_ten(&mut self);
    fn plus(&self, other: &Self) -> Self;
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Small(u128);

impl Number for Small {
    fn divide(&mut self, by: &Self) -> u8 {
        let quotient = self.0 / by.0;
        self.0 = self.0 % by.0 * 10;
        quotient as u8
    }

    fn times_ten(&mut self) {
        self.0 *= 10;
    }

    fn plus(&self, other: &Self) -> Self {
        Small(self.0 + other.0)
    }
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Large(BigUint);

impl Number for Large {
    fn divide(&mut self, by: &Self) -> u8 {
        let mut quotient = 0;
        while self.0 >= by.0 {
            self.0 -= &by.0;
            quotient += 1;
        }
        self.0 *= 10u8;
        quotient
    }

    fn times_ten(&mut self) {
        self.0 *= 10u8;
    }

    fn plus(&self, other: &Self) -> Self {
        Large(&self.0 + &other.0)
    }
}

fn develop<N: Number>(mut left: N, by: &N, mut near: N, mut decimal: i32) -> (Vec<u8>, i32) {
    let mut ten = by.plus(by);
    let two = ten.plus(&ten);
    ten = two.plus(&two).plus(&ten);
    let mut digits = Vec::with_capacity(18);
    let first = left.divide(by);
    near.times_ten();
    let mut low = left < near;
    let mut high = left.plus(&near) > ten;
    if first == 0 && !high {
        decimal -= 1;
    } else {
        digits.push(first);
    }
    if !(-3..8).contains(&decimal) {
        (low, high) = (false, false);
    }
    while !low && !high {
        digits.push(left.divide(by));
        near.times_ten();
        low = left < near;
        high = left.plus(&near) > ten;
    }
    let twice = left.plus(&left);
    let odd = digits.last().is_some_and(|digit| digit % 2 == 1);
    if high && (!low || twice > ten || (twice == ten && odd)) {
        while digits.last() == Some(&9) {
            digits.pop();
        }
        match digits.last_mut() {
            Some(last) => *last += 1,
            None => {
                digits.push(1);
                decimal += 1;
            }
        }
    }
    while digits.len() > 1 && digits.last() == Some(&0) {
        digits.pop();
    }
    (digits, decimal + 1)
}
