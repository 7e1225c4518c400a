//! The exponential function and the natural logarithm as Java's StrictMath computes them, which are off in the last digit where
//! others are not.

const LOG2_HIGH: f64 = 6.931_471_803_691_238e-1;
const LOG2_LOW: f64 = 1.908_214_929_270_587_7e-10;
/// Of the approximation of `x * (exp(x) + 1) / (exp(x) - 1)` by powers of `x * x`.
const POWERS: [f64; 5] = [
    1.666_666_666_666_660_2e-1,
    -2.777_777_777_701_559_3e-3,
    6.613_756_321_437_934e-5,
    -1.653_390_220_546_525_2e-6,
    4.138_136_797_057_238_5e-8,
];

/// e to the power of x.
pub(super) fn exp(x: f64) -> f64 {
    if x.is_nan() {
        return x;
    }
    if x > 709.782_712_893_384 {
        return f64::INFINITY;
    }
    if x < -745.133_219_101_941_1 {
        return 0.0;
    }
    let size = x.abs();
    let half_log2 = 0.5 * std::f64::consts::LN_2;
    let (high, low, twos) = if size > half_log2 {
        let twos = if size < 3.0 * half_log2 {
            if x < 0.0 { -1.0 } else { 1.0 }
        } else {
            (std::f64::consts::LOG2_E * x + if x < 0.0 { -0.5 } else { 0.5 }).trunc()
        };
        (x - twos * LOG2_HIGH, twos * LOG2_LOW, twos)
    } else if size < 2_f64.powi(-28) {
        return 1.0 + x;
    } else {
        (x, 0.0, 0.0)
    };
    let rest = high - low;
    let square = rest * rest;
    let [p1, p2, p3, p4, p5] = POWERS;
    let even = rest - square * (p1 + square * (p2 + square * (p3 + square * (p4 + square * p5))));
    if twos == 0.0 {
        return 1.0 - ((rest * even) / (even - 2.0) - rest);
    }
    let value = 1.0 - ((low - (rest * even) / (2.0 - even)) - high);
    let twos = twos as i32;
    if twos >= -1021 {
        // 2 to the power of 1024 is no double, but the product may be one.
        if twos == 1024 { value * 2.0 * 2_f64.powi(1023) } else { value * 2_f64.powi(twos) }
    } else {
        value * 2_f64.powi(twos + 1000) * 2_f64.powi(-1000)
    }
}

/// Of the approximation of `ln((1 + s) / (1 - s))` by powers of `s * s`.
const SERIES: [f64; 7] = [
    6.666_666_666_666_735e-1,
    3.999_999_999_940_942e-1,
    2.857_142_874_366_239e-1,
    2.222_219_843_214_978_4e-1,
    1.818_357_216_161_805e-1,
    1.531_383_769_920_937_3e-1,
    1.479_819_860_511_658_6e-1,
];

/// The natural logarithm.
pub(super) fn ln(x: f64) -> f64 {
    if x == 0.0 {
        return f64::NEG_INFINITY;
    }
    if x < 0.0 || x.is_nan() {
        return f64::NAN;
    }
    if x.is_infinite() {
        return x;
    }
    let (scaled, shift) = if x < f64::MIN_POSITIVE { (x * 2_f64.powi(54), -54) } else { (x, 0) };
    let bits = scaled.to_bits();
    let exponent = i32::try_from(bits >> 52).unwrap_or(0) - 1023 + shift;
    let high = i32::try_from(bits >> 32 & 0xf_ffff).unwrap_or(0);
    // The mantissa is taken as one between the roots of a half and of two.
    let above = (high + 0x9_5f64) & 0x10_0000;
    let twos = f64::from(exponent + (above >> 20));
    let biased = if above == 0 { 1023_u64 } else { 1022 };
    let f = f64::from_bits(bits & 0xf_ffff_ffff_ffff | biased << 52) - 1.0;
    if (0xf_ffff & (2 + high)) < 3 {
        let rest = f * f * (0.5 - 0.333_333_333_333_333_3 * f);
        return if twos == 0.0 { f - rest } else { twos * LOG2_HIGH - ((rest - twos * LOG2_LOW) - f) };
    }
    let s = f / (2.0 + f);
    let z = s * s;
    let w = z * z;
    let [l1, l2, l3, l4, l5, l6, l7] = SERIES;
    let even = w * (l2 + w * (l4 + w * l6));
    let odd = z * (l1 + w * (l3 + w * (l5 + w * l7)));
    let rest = odd + even;
    if (high - 0x6_147a) | (0x6_b851 - high) > 0 {
        let half = 0.5 * f * f;
        if twos == 0.0 {
            f - (half - s * (half + rest))
        } else {
            twos * LOG2_HIGH - ((half - (s * (half + rest) + twos * LOG2_LOW)) - f)
        }
    } else if twos == 0.0 {
        f - s * (f - rest)
    } else {
        twos * LOG2_HIGH - ((s * (f - rest) - twos * LOG2_LOW) - f)
    }
}
