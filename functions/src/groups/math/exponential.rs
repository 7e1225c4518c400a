//! The exponential function as Java's StrictMath computes it, which is off in the last digit where others are not.

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
