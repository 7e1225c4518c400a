//! Functions of the groups math, bitwise, conditional, conversion, predicate, hash and misc.

use super::{ansi, boolean, byte, bytes, call, check, decimal, double, float, int, long, null, of, session, text};
use crate::{DataType, Typed};

fn calls(cases: Vec<(&str, Vec<Typed>, &str)>) {
    let session = session();
    let cases = cases.into_iter();
    check(&session, cases.map(|(name, arguments, expected)| (call(name, arguments, &session), expected)).collect());
}

#[test]
fn floating_point_functions_compute_as_java_does() {
    calls(vec![
        ("log", vec![int(10)], "LOG(E(), 10): double = 2.302585092994046"),
        ("log", vec![int(2), int(8)], "LOG(2, 8): double = 3.0"),
        ("log", vec![int(1), int(2)], "LOG(1, 2): double = Infinity"),
        ("log2", vec![int(8)], "LOG2(8): double = 3.0"),
        ("log1p", vec![int(-1)], "LOG1P(-1): double = NULL"),
        ("ln", vec![int(3)], "ln(3): double = 1.0986122886681096"),
        ("exp", vec![int(1)], "EXP(1): double = 2.7182818284590455"),
        ("exp", vec![int(2)], "EXP(2): double = 7.38905609893065"),
        ("exp", vec![double(-3.7)], "EXP(-3.7): double = 0.024723526470339388"),
        ("exp", vec![double(700.123)], "EXP(700.123): double = 1.1469792299254321E304"),
        ("pow", vec![decimal("1.1"), int(10)], "pow(1.1, 10): double = 2.5937424601000023"),
        ("power", vec![int(0), int(0)], "POWER(0, 0): double = 1.0"),
        ("asinh", vec![int(1)], "ASINH(1): double = 0.8813735870195429"),
        ("acosh", vec![decimal("0.5")], "ACOSH(0.5): double = NaN"),
        ("degrees", vec![text("180")], "DEGREES(180): double = 10313.240312354817"),
        ("radians", vec![int(180)], "RADIANS(180): double = 3.141592653589793"),
        ("cot", vec![int(1)], "COT(1): double = 0.6420926159343306"),
        ("sqrt", vec![int(-1)], "SQRT(-1): double = NaN"),
        ("rint", vec![decimal("2.5")], "rint(2.5): double = 2.0"),
        ("e", vec![], "E(): double = 2.718281828459045"),
        (
            "width_bucket",
            vec![decimal("5.3"), decimal("0.2"), decimal("10.6"), int(5)],
            "width_bucket(5.3, 0.2, 10.6, 5): bigint = 3",
        ),
    ]);
}

#[test]
fn rounding_keeps_spark_s_types_and_digits() {
    calls(vec![
        ("ceil", vec![decimal("1.5")], "CEIL(1.5): decimal(2,0) = 2"),
        ("ceil", vec![double(1.5)], "CEIL(1.5): bigint = 2"),
        ("ceil", vec![int(5)], "CEIL(5): bigint = 5"),
        ("ceil", vec![text("1.2")], "CEIL(1.2): bigint = 2"),
        ("ceil", vec![decimal("1.234"), int(2)], "ceil(1.234, 2): decimal(4,2) = 1.24"),
        ("ceil", vec![int(1234), int(-2)], "ceil(1234, -2): decimal(11,0) = 1300"),
        ("ceil", vec![double(1.5), int(1)], "ceil(1.5, 1): decimal(17,1) = 1.5"),
        ("floor", vec![decimal("99.9"), int(-1)], "floor(99.9, -1): decimal(3,0) = 90"),
        ("ceiling", vec![decimal("1.5")], "ceiling(1.5): decimal(2,0) = 2"),
        ("floor", vec![long(12345), int(-2)], "floor(12345, -2): decimal(21,0) = 12300"),
        ("round", vec![decimal("2.5")], "round(2.5, 0): decimal(2,0) = 3"),
        ("round", vec![int(25), int(-1)], "round(25, -1): int = 30"),
        ("round", vec![int(-25), int(-1)], "round(-25, -1): int = -30"),
        ("round", vec![double(-1.235), int(2)], "round(-1.235, 2): double = -1.24"),
        ("round", vec![int(2147483647), int(-1)], "round(2147483647, -1): int = -2147483646"),
        ("round", vec![decimal("1.2"), int(5)], "round(1.2, 5): decimal(3,1) = 1.2"),
        ("round", vec![decimal("1.5"), int(-1)], "round(1.5, -1): decimal(2,0) = 0"),
        ("round", vec![double(f64::NAN)], "round(NaN, 0): double = NaN"),
        ("round", vec![double(0.285), int(2)], "round(0.285, 2): double = 0.29"),
        ("round", vec![double(1.005), int(2)], "round(1.005, 2): double = 1.01"),
        ("round", vec![double(123.456), int(-1)], "round(123.456, -1): double = 120.0"),
        ("round", vec![double(-2.5)], "round(-2.5, 0): double = -3.0"),
        ("round", vec![decimal("-12.7"), int(-1)], "round(-12.7, -1): decimal(3,0) = -10"),
        ("round", vec![decimal("12.5"), int(-20)], "round(12.5, -20): decimal(21,0) = 0"),
        ("round", vec![int(12), int(100)], "round(12, 100): int = 12"),
        ("round", vec![null()], "round(NULL, 0): double = NULL"),
        ("bround", vec![int(25), int(-1)], "bround(25, -1): int = 20"),
        ("bround", vec![int(-35), int(-1)], "bround(-35, -1): int = -40"),
        ("bround", vec![double(2.5)], "bround(2.5, 0): double = 2.0"),
        ("bround", vec![float(2.5)], "bround(2.5, 0): float = 2.0"),
    ]);
}

#[test]
fn numbers_have_bases_signs_and_remainders() {
    calls(vec![
        ("bin", vec![int(-1)], "bin(-1): string = 1111111111111111111111111111111111111111111111111111111111111111"),
        ("hex", vec![int(17)], "hex(17): string = 11"),
        ("hex", vec![decimal("1.5")], "hex(1.5): string = 1"),
        ("hex", vec![text("é")], "hex(é): string = C3A9"),
        ("hex", vec![boolean(true)], "hex(true): string = 74727565"),
        ("unhex", vec![text("537061")], "unhex(537061): binary = Spa"),
        ("unhex", vec![text("G")], "unhex(G): binary = NULL"),
        ("conv", vec![text("100"), int(2), int(10)], "conv(100, 2, 10): string = 4"),
        ("conv", vec![int(-10), int(16), int(-10)], "conv(-10, 16, -10): string = -16"),
        ("conv", vec![text("-1"), int(10), int(16)], "conv(-1, 10, 16): string = FFFFFFFFFFFFFFFF"),
        (
            "conv",
            vec![text("fffffffffffffffff"), int(16), int(10)],
            "conv(fffffffffffffffff, 16, 10): string = 18446744073709551615",
        ),
        (
            "conv",
            vec![text("9223372036854775808"), int(10), int(-10)],
            "conv(9223372036854775808, 10, -10): string = -9223372036854775808",
        ),
        ("conv", vec![text("abc"), int(10), int(16)], "conv(abc, 10, 16): string = 0"),
        ("conv", vec![text("7"), int(10), int(37)], "conv(7, 10, 37): string = NULL"),
        ("abs", vec![byte(-128)], "abs(-128): tinyint = -128"),
        ("abs", vec![text("-2")], "abs(-2): double = 2.0"),
        ("sign", vec![int(-2)], "sign(-2): double = -1.0"),
        ("signum", vec![decimal("1.5")], "SIGNUM(1.5): double = 1.0"),
        ("negative", vec![text("1")], "negative(1): double = -1.0"),
        ("positive", vec![int(1)], "(+ 1): int = 1"),
        ("factorial", vec![int(20)], "factorial(20): bigint = 2432902008176640000"),
        ("factorial", vec![int(21)], "factorial(21): bigint = NULL"),
        ("pmod", vec![int(-7), int(3)], "pmod(-7, 3): int = 2"),
        ("pmod", vec![decimal("-7.5"), int(2)], "pmod(-7.5, 2): decimal(2,1) = 0.5"),
        ("pmod", vec![int(7), int(0)], "pmod(7, 0): int = NULL"),
        ("pmod", vec![int(-7), int(-3)], "pmod(-7, -3): int = -1"),
        ("pmod", vec![text("7"), int(3)], "pmod(7, 3): double = 1.0"),
        ("mod", vec![int(7), int(3)], "mod(7, 3): int = 1"),
        ("div", vec![int(7), int(2)], "(7 div 2): bigint = 3"),
        ("greatest", vec![int(1), decimal("2.5"), long(3)], "greatest(1, 2.5, 3): decimal(21,1) = 3.0"),
        ("greatest", vec![null(), int(1)], "greatest(NULL, 1): int = 1"),
        ("greatest", vec![int(1), text("2")], "[DATATYPE_MISMATCH.DATA_DIFF_TYPES]"),
        ("try_add", vec![int(i32::MAX), int(1)], "try_add(2147483647, 1): int = NULL"),
        ("try_divide", vec![int(1), int(0)], "try_divide(1, 0): double = NULL"),
        ("try_add", vec![of(DataType::Date, "2020-01-01"), int(1)], "try_add(DATE '2020-01-01', 1): date = 2020-01-02"),
        ("rand", vec![int(0)], "rand(0): double = 0.7604953758285915"),
        ("random", vec![int(1)], "rand(1): double = 0.6363787615254752"),
        ("rand", vec![null()], "rand(NULL): double = 0.7604953758285915"),
        ("randn", vec![int(0)], "randn(0): double = 1.6034991609278433"),
        ("randn", vec![long(3)], "randn(3): double = -1.1854930781734352"),
    ]);
    check(
        &ansi(),
        vec![(
            call("conv", vec![text("fffffffffffffffff"), int(16), int(10)], &ansi()),
            "conv(fffffffffffffffff, 16, 10): string = [ARITHMETIC_OVERFLOW]",
        )],
    );
}

#[test]
fn bits_conditions_and_conversions() {
    calls(vec![
        ("bit_count", vec![boolean(true)], "bit_count(true): int = 1"),
        ("bit_count", vec![long(-1)], "bit_count(-1): int = 64"),
        ("getbit", vec![long(11), int(2)], "getbit(11, 2): tinyint = 0"),
        ("shiftleft", vec![long(1), int(65)], "shiftleft(1, 65): bigint = 2"),
        ("shiftleft", vec![byte(1), int(9)], "shiftleft(1, 9): int = 512"),
        ("shiftrightunsigned", vec![int(-8), int(1)], "shiftrightunsigned(-8, 1): int = 2147483644"),
        ("coalesce", vec![null(), int(1), text("2")], "coalesce(NULL, 1, 2): string = 1"),
        ("coalesce", vec![int(1), boolean(true)], "[DATATYPE_MISMATCH.DATA_DIFF_TYPES]"),
        ("coalesce", vec![], "[WRONG_NUM_ARGS.WITHOUT_SUGGESTION]"),
        ("if", vec![boolean(true), int(1), text("2")], "(IF(true, 1, 2)): string = 1"),
        ("if", vec![null(), int(1), int(2)], "(IF(NULL, 1, 2)): int = 2"),
        ("nvl", vec![int(1), text("a")], "nvl(1, a): string = 1"),
        ("nvl2", vec![null(), int(1), text("x")], "nvl2(NULL, 1, x): string = x"),
        ("nullif", vec![int(1), text("1")], "nullif(1, 1): int = NULL"),
        ("nanvl", vec![double(f64::NAN), int(1)], "nanvl(NaN, 1): double = 1.0"),
        ("isnan", vec![int(1)], "isnan(1): boolean = false"),
        ("isnan", vec![null()], "isnan(NULL): boolean = false"),
        ("equal_null", vec![int(1), null()], "equal_null(1, NULL): boolean = false"),
        ("int", vec![text("1")], "1: int = 1"),
        ("decimal", vec![int(1)], "1: decimal(10,0) = 1"),
        ("typeof", vec![decimal("1.5")], "typeof(1.5): string = decimal(2,1)"),
        ("to_number", vec![text("$78.12"), text("$99.99")], "to_number($78.12, $99.99): decimal(4,2) = 78.12"),
        (
            "to_number",
            vec![text("-12,454.8"), text("S99,999.9")],
            "to_number(-12,454.8, S99,999.9): decimal(6,1) = -12454.8",
        ),
        ("try_to_number", vec![text("x"), text("999")], "try_to_number(x, 999): decimal(3,0) = NULL"),
        (
            "to_number",
            vec![text("x"), text("999")],
            "to_number(x, 999): decimal(3,0) = [INVALID_FORMAT.MISMATCH_INPUT]",
        ),
        ("to_number", vec![text("1"), text("abc")], "[INVALID_FORMAT.WRONG_NUM_DIGIT]"),
        ("to_char", vec![int(454), text("999")], "to_char(454, 999): string = 454"),
        ("to_char", vec![int(1), text("$999")], "to_char(1, $999): string = $  1"),
        ("to_char", vec![int(-5), text("S999")], "to_char(-5, S999): string =   -5"),
        ("to_char", vec![decimal("-12454.8"), text("99G999D9S")], "to_char(-12454.8, 99G999D9S): string = 12,454.8-"),
        ("to_varchar", vec![int(454), text("000D00")], "to_char(454, 000D00): string = 454.00"),
        ("to_char", vec![int(12345), text("999")], "to_char(12345, 999): string = ###"),
        ("to_char", vec![int(1234), text("9,999,999")], "to_char(1234, 9,999,999): string =     1,234"),
        ("to_char", vec![int(0), text("9.9")], "to_char(0, 9.9): string = 0.0"),
        ("to_char", vec![decimal("-100.5"), text("$9,999.99PR")], "to_char(-100.5, $9,999.99PR): string = <$  100.50>"),
        ("to_binary", vec![text("U3Bhcms="), text("base64")], "to_binary(U3Bhcms=, base64): binary = Spark"),
        ("to_binary", vec![text("abc"), text("utf-8")], "to_binary(abc, utf-8): binary = abc"),
        ("to_binary", vec![text("GG")], "to_binary(GG): binary = [CONVERSION_INVALID_INPUT]"),
        ("try_to_binary", vec![text("!!"), text("base64")], "try_to_binary(!!, base64): binary = NULL"),
        ("raise_error", vec![text("boom")], "raise_error(boom): void = [java.lang.RuntimeException]"),
        ("assert_true", vec![boolean(true)], "assert_true(true, 'true' is not true!): void = NULL"),
    ]);
}

#[test]
fn hashes_are_spark_s() {
    let date = || of(DataType::Date, "2020-01-01");
    let stamp = || of(DataType::Timestamp, "2020-01-01 00:00:00");
    calls(vec![
        ("md5", vec![text("a")], "md5(a): string = 0cc175b9c0f1b6a831c399e269772661"),
        ("sha1", vec![text("a")], "sha1(a): string = 86f7e437faa5a7fce15d1ddcb9eaeaea377667b8"),
        (
            "sha2",
            vec![text("a"), int(224)],
            "sha2(a, 224): string = abd37534c7d9a2efb9465de931cd7055ffdb8879563ae98078d6d6d5",
        ),
        ("sha2", vec![text("a"), int(1)], "sha2(a, 1): string = NULL"),
        ("crc32", vec![text("a")], "crc32(a): bigint = 3904355907"),
        ("hash", vec![null()], "hash(NULL): int = 42"),
        ("hash", vec![int(1)], "hash(1): int = -559580957"),
        ("hash", vec![long(1)], "hash(1): int = -1712319331"),
        ("hash", vec![text("abc")], "hash(abc): int = 1322437556"),
        ("hash", vec![decimal("1.5")], "hash(1.5): int = -18083236"),
        ("hash", vec![double(-0.0)], "hash(-0.0): int = -1670924195"),
        ("hash", vec![float(1.5)], "hash(1.5): int = -221251528"),
        ("hash", vec![date()], "hash(DATE '2020-01-01'): int = -725858435"),
        ("hash", vec![stamp()], "hash(TIMESTAMP '2020-01-01 00:00:00'): int = -2023026097"),
        ("hash", vec![bytes(&[1, 2, 3, 4, 5])], "hash(X): int = -2064006189"),
        ("hash", vec![of(DataType::Decimal(38, 10), "1")], "hash(1.0000000000): int = -913492360"),
        ("xxhash64", vec![int(1)], "xxhash64(1): bigint = -6698625589789238999"),
        ("xxhash64", vec![long(1)], "xxhash64(1): bigint = -7001672635703045582"),
        ("xxhash64", vec![text("abc")], "xxhash64(abc): bigint = 1423657621850124518"),
        ("xxhash64", vec![of(DataType::Decimal(38, 10), "1")], "xxhash64(1.0000000000): bigint = -2853959725596059730"),
    ]);
}

#[test]
fn aes_reads_what_spark_wrote() {
    let from = |text_: &str| {
        let session = session();
        let bytes = call("to_binary", vec![text(text_), text("base64")], &session).unwrap();
        Typed { name: "t".to_owned(), ..bytes }
    };
    let secret = || text("abcdefghijklmnop12345678ABCDEFGH");
    calls(vec![
        (
            "aes_decrypt",
            vec![from("2NYmDCjgXTbbxGA3/SnJEfFC/JQ7olk2VQWReIAAFKo="), text("1234567890abcdef"), text("CBC")],
            "aes_decrypt(t, 1234567890abcdef, CBC, DEFAULT, ): binary = Apache Spark",
        ),
        (
            "aes_decrypt",
            vec![
                from("AAAAAAAAAAAAAAAAQiYi+sTLm7KD9UcZ2nlRdYDe/PX4"),
                secret(),
                text("GCM"),
                text("DEFAULT"),
                text("This is an AAD mixed into the input"),
            ],
            "aes_decrypt(t, abcdefghijklmnop12345678ABCDEFGH, GCM, DEFAULT, This is an AAD mixed into the input): binary = Spark",
        ),
        (
            "try_aes_decrypt",
            vec![from("AAAA"), secret()],
            "try_aes_decrypt(t, abcdefghijklmnop12345678ABCDEFGH, GCM, DEFAULT, ): binary = NULL",
        ),
        (
            "aes_encrypt",
            vec![text("a"), text("b")],
            "aes_encrypt(a, b, GCM, DEFAULT, , ): binary = [INVALID_PARAMETER_VALUE.AES_KEY_LENGTH]",
        ),
    ]);
}
