//! Spark's functions of the group math.

mod bases;
mod double;
mod exponential;
mod hyperbolic;
pub(crate) mod random;
mod rounding;
mod signs;
mod whole;

pub(crate) use bases::from_hexadecimal;

use datafusion::functions::core::{greatest, least};
use datafusion::logical_expr::ScalarUDF;
use std::sync::Arc;

use super::scalar::{between, call_name, exactly, scalar};
use crate::coercion::{coerce_to, common_type_without_strings};
use crate::operators::{BinaryOperator, arithmetic, negate, normal_float, positive, try_arithmetic};
use crate::{Call, DataType, Error, Function, Group, Result, Typed};

/// The rows of this group.
pub(crate) const ROWS: &[Function] = &[
    row("acos", "acos(expr) - The arc cosine of expr, in radians.", |c| double::unary(c, &double::ACOS, "ACOS")),
    row("acosh", "acosh(expr) - The inverse hyperbolic cosine of expr.", |c| double::unary(c, &double::ACOSH, "ACOSH")),
    row("asin", "asin(expr) - The arc sine of expr, in radians.", |c| double::unary(c, &double::ASIN, "ASIN")),
    row("asinh", "asinh(expr) - The inverse hyperbolic sine of expr.", |c| double::unary(c, &double::ASINH, "ASINH")),
    row("atan", "atan(expr) - The arc tangent of expr, in radians.", |c| double::unary(c, &double::ATAN, "ATAN")),
    row("atan2", "atan2(y, x) - The angle of the point (x, y), in radians.", |c| {
        double::binary(c, &double::ATAN2, "ATAN2")
    }),
    row("atanh", "atanh(expr) - The inverse hyperbolic tangent of expr.", |c| {
        double::unary(c, &double::ATANH, "ATANH")
    }),
    row("cbrt", "cbrt(expr) - The cube root of expr.", |c| double::unary(c, &double::CBRT, "CBRT")),
    row("cos", "cos(expr) - The cosine of an angle in radians.", |c| double::unary(c, &double::COS, "COS")),
    row("cosh", "cosh(expr) - The hyperbolic cosine of expr.", |c| double::unary(c, &double::COSH, "COSH")),
    row("cot", "cot(expr) - The cotangent of an angle in radians.", |c| double::unary(c, &double::COT, "COT")),
    row("csc", "csc(expr) - The cosecant of an angle in radians.", |c| double::unary(c, &double::CSC, "CSC")),
    row("degrees", "degrees(expr) - An angle in radians as degrees.", |c| {
        double::unary(c, &double::DEGREES, "DEGREES")
    }),
    row("exp", "exp(expr) - e to the power of expr.", |c| double::unary(c, &double::EXP, "EXP")),
    row("expm1", "expm1(expr) - exp(expr) - 1, exact near zero.", |c| double::unary(c, &double::EXPM1, "EXPM1")),
    row("hypot", "hypot(a, b) - The square root of a*a + b*b.", |c| double::binary(c, &double::HYPOT, "HYPOT")),
    row("ln", "ln(expr) - The natural logarithm of expr.", |c| double::logarithm(c, &double::LN, "ln")),
    row("log", "log([base, ]expr) - The logarithm of expr, the natural one without a base.", double::log),
    row("log10", "log10(expr) - The logarithm of expr to base 10.", |c| double::logarithm(c, &double::LOG10, "LOG10")),
    row("log1p", "log1p(expr) - ln(1 + expr), exact near zero.", |c| double::logarithm(c, &double::LOG1P, "LOG1P")),
    row("log2", "log2(expr) - The logarithm of expr to base 2.", |c| double::logarithm(c, &double::LOG2, "LOG2")),
    row("pow", "pow(a, b) - a to the power of b.", |c| double::binary(c, &double::POW, "pow")),
    row("power", "power(a, b) - a to the power of b.", |c| double::binary(c, &double::POW, "POWER")),
    row("radians", "radians(expr) - An angle in degrees as radians.", |c| {
        double::unary(c, &double::RADIANS, "RADIANS")
    }),
    row("rint", "rint(expr) - The nearest whole number as a double, the even one of two.", |c| {
        double::unary(c, &double::RINT, "rint")
    }),
    row("sec", "sec(expr) - The secant of an angle in radians.", |c| double::unary(c, &double::SEC, "SEC")),
    row("sin", "sin(expr) - The sine of an angle in radians.", |c| double::unary(c, &double::SIN, "SIN")),
    row("sinh", "sinh(expr) - The hyperbolic sine of expr.", |c| double::unary(c, &double::SINH, "SINH")),
    row("sqrt", "sqrt(expr) - The square root of expr.", |c| double::unary(c, &double::SQRT, "SQRT")),
    row("tan", "tan(expr) - The tangent of an angle in radians.", |c| double::unary(c, &double::TAN, "TAN")),
    row("tanh", "tanh(expr) - The hyperbolic tangent of expr.", |c| double::unary(c, &double::TANH, "TANH")),
    row("e", "e() - Euler's number.", |c| double::constant(c, std::f64::consts::E, "E()")),
    row("pi", "pi() - The ratio of a circle's circumference to its diameter.", |c| {
        double::constant(c, std::f64::consts::PI, "PI()")
    }),
    row(
        "width_bucket",
        "width_bucket(value, min, max, count) - Which of count equal buckets between min and max holds value; 0 below and count + 1 above.",
        double::width_bucket,
    ),
    row("abs", "abs(expr) - The absolute value of a number or an interval.", signs::abs),
    row("sign", "sign(expr) - -1.0, 0.0 or 1.0, as expr is negative, zero or positive.", |c| signs::sign(c, "sign")),
    row("signum", "signum(expr) - -1.0, 0.0 or 1.0, as expr is negative, zero or positive.", |c| {
        signs::sign(c, "SIGNUM")
    }),
    row("negative", "negative(expr) - expr with its sign turned.", |mut c| {
        let [value] = exactly(&mut c)?;
        let name = call_name("negative", std::slice::from_ref(&value));
        Ok(negate(value, c.settings)?.named(name))
    }),
    row("positive", "positive(expr) - expr as it is.", |mut c| {
        let [value] = exactly(&mut c)?;
        positive(value, c.settings)
    }),
    row("ceil", "ceil(expr[, scale]) - The least number of that scale that is not less than expr.", |c| {
        rounding::toward(c, true)
    }),
    row("ceiling", "ceiling(expr[, scale]) - The least number of that scale that is not less than expr.", |c| {
        rounding::toward(c, true)
    }),
    row("floor", "floor(expr[, scale]) - The greatest number of that scale that is not greater than expr.", |c| {
        rounding::toward(c, false)
    }),
    row("round", "round(expr[, scale]) - expr rounded to a scale, halves away from zero.", |c| {
        rounding::nearest(c, false)
    }),
    row("bround", "bround(expr[, scale]) - expr rounded to a scale, halves to the even digit.", |c| {
        rounding::nearest(c, true)
    }),
    row("bin", "bin(expr) - A whole number in binary digits.", bases::bin),
    row("hex", "hex(expr) - A whole number, a string or bytes in hexadecimal digits.", bases::hex),
    row("unhex", "unhex(expr) - The bytes of hexadecimal digits.", bases::unhex),
    row("conv", "conv(number, from, to) - A number written in one base, in another.", bases::conv),
    row("factorial", "factorial(expr) - The product of 1 to expr, for 0 to 20.", whole::factorial),
    row("pmod", "pmod(a, b) - The remainder of a by b that has the sign of b.", whole::pmod),
    row("mod", "mod(a, b) - The remainder of a by b.", |mut c| {
        let [left, right] = exactly(&mut c)?;
        let name = format!("mod({}, {})", left.name, right.name);
        Ok(arithmetic(BinaryOperator::Remainder, left, right, c.settings)?.named(name))
    }),
    row("div", "div(a, b) - a by b without the fraction.", |mut c| {
        let [left, right] = exactly(&mut c)?;
        arithmetic(BinaryOperator::IntegralDivide, left, right, c.settings)
    }),
    row("greatest", "greatest(expr, ...) - The greatest of the arguments, of those that are not NULL.", |c| {
        extreme(c, &greatest())
    }),
    row("least", "least(expr, ...) - The least of the arguments, of those that are not NULL.", |c| {
        extreme(c, &least())
    }),
    row("rand", "rand([seed]) - A random number from 0 up to 1.", |c| random::call(c, &random::RAND)),
    row("random", "random([seed]) - A random number from 0 up to 1.", |c| random::call(c, &random::RAND)),
    row("randn", "randn([seed]) - A random number of the standard normal distribution.", |c| {
        random::call(c, &random::RANDN)
    }),
    row("try_add", "try_add(a, b) - a + b, NULL where that overflows.", |c| tries(c, BinaryOperator::Add)),
    row("try_subtract", "try_subtract(a, b) - a - b, NULL where that overflows.", |c| {
        tries(c, BinaryOperator::Subtract)
    }),
    row("try_multiply", "try_multiply(a, b) - a * b, NULL where that overflows.", |c| {
        tries(c, BinaryOperator::Multiply)
    }),
    row("try_divide", "try_divide(a, b) - a / b, NULL where b is zero.", |c| tries(c, BinaryOperator::Divide)),
];

const fn row(name: &'static str, usage: &'static str, resolve: fn(Call<'_>) -> Result<Typed>) -> Function {
    scalar(Group::Math, name, usage, resolve)
}

fn tries(mut call: Call<'_>, operator: BinaryOperator) -> Result<Typed> {
    let [left, right] = exactly(&mut call)?;
    let name = format!("{}({}, {})", call.name, left.name, right.name);
    try_arithmetic(operator, left, right, call.settings, name)
}

fn extreme(mut call: Call<'_>, function: &Arc<ScalarUDF>) -> Result<Typed> {
    between(&mut call, 2, usize::MAX)?;
    let name = call_name(call.name, &call.arguments);
    let types: Vec<DataType> = call.arguments.iter().map(|argument| argument.data_type.clone()).collect();
    let Some(common) = common_type_without_strings(&types, call.settings) else {
        let types: Vec<String> = types.iter().map(|of| format!("\"{}\"", of.sql())).collect();
        return Err(Error::new(
            "DATATYPE_MISMATCH.DATA_DIFF_TYPES",
            format!(
                "Cannot resolve \"{name}\" due to data type mismatch: Input to `{}` should all be the same type, but it's [{}].",
                call.name,
                types.join(", ")
            ),
        ));
    };
    if !crate::operators::comparable(&common) {
        let why = format!("The `{}` does not support ordering on type \"{}\".", call.name, common.sql());
        return Err(crate::operators::resolve_error("INVALID_ORDERING_TYPE", &name, why));
    }
    if common == DataType::Void {
        return Typed::null(common, name);
    }
    let (nullable, foldable) = (
        call.arguments.iter().all(|argument| argument.nullable),
        call.arguments.iter().all(|argument| argument.foldable),
    );
    let arguments = call
        .arguments
        .into_iter()
        .map(|argument| Ok(normal_float(coerce_to(argument, &common, call.settings)?, call.settings).expr))
        .collect::<Result<Vec<_>>>()?;
    Ok(Typed { expr: function.call(arguments), data_type: common, nullable, name, foldable })
}

/// The kernels of this group.
pub(crate) const KERNELS: &[&[&crate::Kernel]] =
    &[signs::KERNELS, rounding::KERNELS, bases::KERNELS, whole::KERNELS, random::KERNELS, double::KERNELS];
