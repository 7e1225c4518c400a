//! The cube root and the hyperbolic functions, to the last digit as Java's StrictMath has them.

use super::exponential::exp;

/// cosh(x)
pub(super) fn cosh(x: f64) -> f64 {
    let size = x.abs();
    if size < 0.5 * std::f64::consts::LN_2 {
        let above = size.exp_m1();
        let one = 1.0 + above;
        return if size < 2_f64.powi(-55) { one } else { 1.0 + above * above / (one + one) };
    }
    if size < 22.0 {
        let power = exp(size);
        return 0.5 * power + 0.5 / power;
    }
    half_power(size)
}

/// sinh(x)
pub(super) fn sinh(x: f64) -> f64 {
    let (size, half) = (x.abs(), 0.5_f64.copysign(x));
    if size < 2_f64.powi(-28) || !x.is_finite() {
        return x;
    }
    if size < 22.0 {
        let above = size.exp_m1();
        let rest = above / (above + 1.0);
        return if size < 1.0 { half * (2.0 * above - above * rest) } else { half * (above + rest) };
    }
    half_power(size).copysign(x)
}

/// tanh(x)
pub(super) fn tanh(x: f64) -> f64 {
    let size = x.abs();
    let value = if size.is_nan() || size < 2_f64.powi(-55) {
        return x;
    } else if size >= 22.0 {
        1.0
    } else if size >= 1.0 {
        1.0 - 2.0 / ((2.0 * size).exp_m1() + 2.0)
    } else {
        let below = (-2.0 * size).exp_m1();
        -below / (below + 2.0)
    };
    value.copysign(x)
}

/// Half of e to the power of x, also where that power itself is too large.
fn half_power(x: f64) -> f64 {
    if x <= 709.782_712_893_384 {
        return 0.5 * exp(x);
    }
    let root = exp(0.5 * x);
    0.5 * root * root
}

/// The cube root: a guess by the exponent, better by a quotient of polynomials, then one step of Newton's.
pub(super) fn cbrt(x: f64) -> f64 {
    if x == 0.0 || !x.is_finite() {
        return x;
    }
    let size = x.abs();
    let guess = |value: f64, bias: u64| f64::from_bits(((value.to_bits() >> 32) / 3 + bias) << 32);
    let mut root =
        if size < f64::MIN_POSITIVE { guess(size * 2_f64.powi(54), 696_219_795) } else { guess(size, 715_094_163) };
    let s = 19.0 / 35.0 + root * root / size * root;
    root *= 5.0 / 14.0 + 45.0 / 28.0 / (s + 99.0 / 70.0 + -864.0 / 1225.0 / s);
    // Cut to 20 bits, and above the root.
    root = f64::from_bits(((root.to_bits() >> 32) + 1) << 32);
    let quotient = size / (root * root);
    let step = (quotient - root) / (root + root + quotient);
    (root + root * step).copysign(x)
}
