//! The differences between Spark and DataFusion that were measured before this was built, each with what Spark 3.5.4 answers:
//! with ANSI mode off, and on where that matters. Every answer here was compared with real Spark's.

use expect_test::expect;

use crate::run::check;

#[test]
fn division_by_zero_is_null() {
    check(
        r#"SELECT 1/0, 1 % 0, 1 DIV 0, a/0, a % 0 FROM VALUES (1), (NULL) t(a)"#,
        expect![[r#"
        (1 / 0): double, (1 % 0): int, (1 div 0): bigint, (a / 0): double, (a % 0): int
        NULL	NULL	NULL	NULL	NULL
        NULL	NULL	NULL	NULL	NULL"#]],
    );
}

#[test]
fn division_by_zero_is_null_ansi() {
    check(
        r#"SET spark.sql.ansi.enabled = true; SELECT 1/0, 1 % 0, 1 DIV 0, a/0, a % 0 FROM VALUES (1), (NULL) t(a)"#,
        expect![[
            r#"DIVIDE_BY_ZERO: Division by zero. Use `try_divide` to tolerate divisor being 0 and return NULL instead. If necessary set "spark.sql.ansi.enabled" to "false" to bypass this error."#
        ]],
    );
}

#[test]
fn division_of_whole_numbers_is_a_double() {
    check(
        r#"SELECT 3/2, a/b, a DIV b FROM VALUES (3, 2), (-7, 2) t(a, b)"#,
        expect![[r#"
        (3 / 2): double, (a / b): double, (a div b): bigint
        1.5	1.5	1
        1.5	-3.5	-3"#]],
    );
}

#[test]
fn division_of_whole_numbers_is_a_double_ansi() {
    check(
        r#"SET spark.sql.ansi.enabled = true; SELECT 3/2, a/b, a DIV b FROM VALUES (3, 2), (-7, 2) t(a, b)"#,
        expect![[r#"
            (3 / 2): double, (a / b): double, (a div b): bigint
            1.5	1.5	1
            1.5	-3.5	-3"#]],
    );
}

#[test]
fn whole_number_literals_are_int_and_wrap_around() {
    check(
        r#"SELECT 2147483647, 2147483647 + 1, a + 1, 2147483648 FROM VALUES (2147483647) t(a)"#,
        expect![[r#"
        2147483647: int, (2147483647 + 1): int, (a + 1): int, 2147483648: bigint
        2147483647	-2147483648	-2147483648	2147483648"#]],
    );
}

#[test]
fn whole_number_literals_are_int_and_wrap_around_ansi() {
    check(
        r#"SET spark.sql.ansi.enabled = true; SELECT 2147483647, 2147483647 + 1, a + 1, 2147483648 FROM VALUES (2147483647) t(a)"#,
        expect![[
            r#"ARITHMETIC_OVERFLOW: integer overflow. Use 'try_add' to tolerate overflow and return NULL instead. If necessary set "spark.sql.ansi.enabled" to "false" to bypass this error."#
        ]],
    );
}

#[test]
fn literals_with_a_point_are_decimals() {
    check(
        r#"SELECT 1.1, typeof(1.10), typeof(1e0), typeof(1.1BD), typeof(1.1D), typeof(1.1F)"#,
        expect![[r#"
        1.1: decimal(2,1), typeof(1.10): string, typeof(1.0): string, typeof(1.1): string, typeof(1.1): string, typeof(1.1): string
        1.1	decimal(3,2)	double	decimal(2,1)	double	float"#]],
    );
}

#[test]
fn casts_that_cannot_be_are_null() {
    check(
        r#"SELECT CAST('x' AS INT), CAST('1.5' AS INT), CAST(s AS DATE), CAST(s AS BOOLEAN) FROM VALUES ('x') t(s)"#,
        expect![[r#"
            CAST(x AS INT): int, CAST(1.5 AS INT): int, s: date, s: boolean
            NULL	1	NULL	NULL"#]],
    );
}

#[test]
fn casts_that_cannot_be_are_null_ansi() {
    check(
        r#"SET spark.sql.ansi.enabled = true; SELECT CAST('x' AS INT), CAST('1.5' AS INT), CAST(s AS DATE), CAST(s AS BOOLEAN) FROM VALUES ('x') t(s)"#,
        expect![[
            r#"CAST_INVALID_INPUT: The value 'x' of the type "STRING" cannot be cast to "INT" because it is malformed. Correct the value as per the syntax, or change its target type. Use `try_cast` to tolerate malformed input and return NULL instead. If necessary set "spark.sql.ansi.enabled" to "false" to bypass this error."#
        ]],
    );
}

#[test]
fn casts_to_narrower_numbers_wrap_around() {
    check(
        r#"SELECT CAST(300 AS TINYINT), CAST(a AS TINYINT), CAST(a AS SMALLINT) FROM VALUES (300), (70000) t(a)"#,
        expect![[r#"
            CAST(300 AS TINYINT): tinyint, a: tinyint, a: smallint
            44	44	300
            44	112	4464"#]],
    );
}

#[test]
fn casts_to_narrower_numbers_wrap_around_ansi() {
    check(
        r#"SET spark.sql.ansi.enabled = true; SELECT CAST(300 AS TINYINT), CAST(a AS TINYINT), CAST(a AS SMALLINT) FROM VALUES (300), (70000) t(a)"#,
        expect![[
            r#"CAST_OVERFLOW: The value 300 of the type "INT" cannot be cast to "TINYINT" due to an overflow. Use `try_cast` to tolerate overflow and return NULL instead. If necessary set "spark.sql.ansi.enabled" to "false" to bypass this error."#
        ]],
    );
}

#[test]
fn strings_become_numbers_in_arithmetic() {
    check(
        r#"SELECT '1' + 1, '3' * '2', s + 1, s = 1, s > 5 FROM VALUES ('1'), ('10') t(s)"#,
        expect![[r#"
        (1 + 1): double, (3 * 2): double, (s + 1): double, (s = 1): boolean, (s > 5): boolean
        2.0	6.0	2.0	true	false
        2.0	6.0	11.0	false	true"#]],
    );
}

#[test]
fn strings_become_numbers_in_arithmetic_ansi() {
    check(
        r#"SET spark.sql.ansi.enabled = true; SELECT '1' + 1, '3' * '2', s + 1, s = 1, s > 5 FROM VALUES ('1'), ('10') t(s)"#,
        expect![[
            r#"DATATYPE_MISMATCH.BINARY_OP_WRONG_TYPE: Cannot resolve "(3 * 2)" due to data type mismatch: the binary operator requires the input type "NUMERIC", not "STRING".; line 1 pos 16"#
        ]],
    );
}

#[test]
fn decimals_multiply_and_divide_to_the_types_of_spark() {
    check(
        r#"SELECT typeof(a * b), typeof(a / b), typeof(a + b), a * b, a / b FROM VALUES (CAST(1.5 AS DECIMAL(38,6)), CAST(3 AS DECIMAL(23,13))) t(a, b)"#,
        expect![[r#"
            typeof((a * b)): string, typeof((a / b)): string, typeof((a + b)): string, (a * b): decimal(38,6), (a / b): decimal(38,6)
            decimal(38,6)	decimal(38,6)	decimal(38,6)	4.500000	0.500000"#]],
    );
}

#[test]
fn decimals_lose_digits_of_their_scale_first() {
    check(
        r#"SELECT typeof(a / b), a / b, typeof(a * a), a * a FROM VALUES (CAST(2 AS DECIMAL(38,10)), CAST(3 AS DECIMAL(10,2))) t(a, b)"#,
        expect![[r#"
            typeof((a / b)): string, (a / b): decimal(38,8), typeof((a * a)): string, (a * a): decimal(38,6)
            decimal(38,8)	0.66666667	decimal(38,6)	4.000000"#]],
    );
}

#[test]
fn the_mean_of_decimals_has_four_digits_more() {
    check(
        r#"SELECT typeof(avg(a)), avg(a), typeof(sum(a)), sum(a) FROM VALUES (CAST(1.25 AS DECIMAL(10,2))), (2.50) t(a)"#,
        expect![[r#"
            typeof(avg(a)): string, avg(a): decimal(14,6), typeof(sum(a)): string, sum(a): decimal(20,2)
            decimal(14,6)	1.875000	decimal(20,2)	3.75"#]],
    );
}

#[test]
fn nulls_come_first_ascending_and_last_descending() {
    check(
        r#"SELECT a, row_number() OVER (ORDER BY a DESC) FROM VALUES (2), (NULL), (1) t(a) ORDER BY a"#,
        expect![[r#"
        a: int, row_number() OVER (ORDER BY a DESC NULLS LAST ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW): int
        NULL	3
        1	2
        2	1"#]],
    );
}

#[test]
fn arrays_are_counted_from_zero() {
    check(
        r#"SELECT a[0], a[2], element_at(a, 1), element_at(a, -1) FROM VALUES (array(7, 8)) t(a)"#,
        expect![[r#"
        a[0]: int, a[2]: int, element_at(a, 1): int, element_at(a, -1): int
        7	NULL	7	8"#]],
    );
}

#[test]
fn arrays_are_counted_from_zero_ansi() {
    check(
        r#"SET spark.sql.ansi.enabled = true; SELECT a[0], a[2], element_at(a, 1), element_at(a, -1) FROM VALUES (array(7, 8)) t(a)"#,
        expect![[
            r#"INVALID_ARRAY_INDEX: The index 2 is out of bounds. The array has 2 elements. Use the SQL function `get()` to tolerate accessing element at invalid index and return NULL instead. If necessary set "spark.sql.ansi.enabled" to "false" to bypass this error."#
        ]],
    );
}

#[test]
fn timestamps_are_shown_in_the_zone_of_the_session() {
    check(
        r#"SET spark.sql.session.timeZone = America/New_York; SELECT TIMESTAMP '2024-03-10 03:30:00', TIMESTAMP '2024-03-10 03:30:00Z', CAST(t AS STRING), CAST(t AS BIGINT) FROM VALUES (TIMESTAMP '2024-03-10 01:59:59.123456') v(t)"#,
        expect![[r#"
            TIMESTAMP '2024-03-10 03:30:00': timestamp, TIMESTAMP '2024-03-09 22:30:00': timestamp, t: string, t: bigint
            2024-03-10 03:30:00	2024-03-09 22:30:00	2024-03-10 01:59:59.123456	1710053999"#]],
    );
}

#[test]
fn dates_differ_by_an_interval() {
    check(
        r#"SELECT a - b, typeof(a - b), a + 1, a - INTERVAL 1 MONTH FROM VALUES (DATE '2024-03-31', DATE '2024-02-28') t(a, b)"#,
        expect![[r#"
            (a - b): interval day, typeof((a - b)): string, date_add(a, 1): date, a - INTERVAL '1' MONTH: date
            32 00:00:00.000000000	interval day	2024-04-01	2024-02-29"#]],
    );
}

#[test]
fn patterns_of_dates_are_those_of_java() {
    check(
        r#"SELECT date_format(d, 'EEE, d MMM uuuu'), date_format(d, 'D q'), to_date('31/12/2023', 'dd/MM/yyyy') FROM VALUES (DATE '2024-02-29') t(d)"#,
        expect![[
            r#"INCONSISTENT_BEHAVIOR_CROSS_VERSION.DATETIME_PATTERN_RECOGNITION: You may get a different result due to the upgrading to Spark >= 3.0: Fail to recognize 'EEE, d MMM uuuu' pattern in the DateTimeFormatter. 1) You can set "spark.sql.legacy.timeParserPolicy" to "LEGACY" to restore the behavior before Spark 3.0. 2) You can form a valid datetime pattern with the guide from 'https://spark.apache.org/docs/latest/sql-ref-datetime-pattern.html'."#
        ]],
    );
}

#[test]
fn log_is_the_natural_logarithm() {
    check(
        r#"SELECT log(10), log(2, 8), ln(x), log10(x), log(x) FROM VALUES (100), (0) t(x)"#,
        expect![[r#"
        LOG(E(), 10): double, LOG(2, 8): double, ln(x): double, LOG10(x): double, LOG(E(), x): double
        2.302585092994046	3.0	4.605170185988092	2.0	4.605170185988092
        2.302585092994046	3.0	NULL	NULL	NULL"#]],
    );
}

#[test]
fn regular_expressions_are_those_of_java() {
    check(
        r#"SELECT 'a1b' RLIKE '^\\p{Alpha}\\d\\w$', regexp_replace(s, '(\\d+)(?=b)', '<$1>'), regexp_extract(s, '([a-z]+)(\\d+)', 2) FROM VALUES ('a12b'), ('b3') t(s)"#,
        expect![[r#"
            RLIKE(a1b, ^\p{Alpha}\d\w$): boolean, regexp_replace(s, (\d+)(?=b), <$1>, 1): string, regexp_extract(s, ([a-z]+)(\d+), 2): string
            true	a<12>b	12
            true	b3	3"#]],
    );
}

#[test]
fn substring_from_zero_is_from_the_start() {
    check(
        r#"SELECT substring('Spark', 0, 2), substring(s, -3, 2), substring(s, 9), substring(s FROM 2) FROM VALUES ('Spark') t(s)"#,
        expect![[r#"
            substring(Spark, 0, 2): string, substring(s, -3, 2): string, substring(s, 9, 2147483647): string, substring(s, 2, 2147483647): string
            Sp	ar		park"#]],
    );
}

#[test]
fn a_column_of_the_select_list_may_be_used_in_it() {
    check(
        r#"SELECT a + 1 AS b, b * 2 AS c, c + a FROM VALUES (1), (5) t(a)"#,
        expect![[r#"
        b: int, c: int, (lateralAliasReference(c) + a): int
        2	4	5
        6	12	17"#]],
    );
}

#[test]
fn having_needs_no_group_by() {
    check(
        r#"SELECT sum(a) FROM VALUES (1), (2) t(a) HAVING sum(a) > 2"#,
        expect![[r#"
        sum(a): bigint
        3"#]],
    );
}

#[test]
fn names_of_columns_may_occur_twice() {
    check(
        r#"SELECT a, a, a AS A FROM VALUES (1) t(a)"#,
        expect![[r#"
        a: int, a: int, A: int
        1	1	1"#]],
    );
}

#[test]
fn names_have_no_case_even_quoted() {
    check(
        r#"SELECT `A`, T.a, `t`.`A` FROM VALUES (1) t(a)"#,
        expect![[r#"
        A: int, a: int, A: int
        1	1	1"#]],
    );
}

#[test]
fn row_number_is_an_int() {
    check(
        r#"SELECT row_number() OVER (ORDER BY a), rank() OVER (ORDER BY a), ntile(2) OVER (ORDER BY a), cume_dist() OVER (ORDER BY a) FROM VALUES (3), (4) t(a)"#,
        expect![[r#"
            row_number() OVER (ORDER BY a ASC NULLS FIRST ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW): int, RANK() OVER (ORDER BY a ASC NULLS FIRST ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW): int, ntile(2) OVER (ORDER BY a ASC NULLS FIRST ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW): int, cume_dist() OVER (ORDER BY a ASC NULLS FIRST RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW): double
            1	1	1	0.5
            2	2	2	1.0"#]],
    );
}

#[test]
fn literals_with_suffixes_have_their_types() {
    check(
        r#"SELECT 2S, 1.0BD, 1L, 1Y, 1e3D, typeof(2S), typeof(1L), typeof(1Y)"#,
        expect![[r#"
        2: smallint, 1.0: decimal(2,1), 1: bigint, 1: tinyint, 1000.0: double, typeof(2): string, typeof(1): string, typeof(1): string
        2	1.0	1	1	1000.0	smallint	bigint	tinyint"#]],
    );
}

#[test]
fn backslashes_escape_in_strings_but_not_in_raw_ones() {
    check(
        r#"SELECT 'a\tb', 'it\'s', '\u0041', r'a\tb', length('\\')"#,
        expect![[r#"
        a	b: string, it's: string, A: string, a\tb: string, length(\): int
        a	b	it's	A	a\tb	1"#]],
    );
}

#[test]
fn samples_and_hints_are_obeyed_or_at_least_read() {
    check(
        r#"SELECT /*+ BROADCAST(t) */ count(*) FROM VALUES (1), (2) t(a) TABLESAMPLE (100 PERCENT)"#,
        expect![[r#"
            PARSE_SYNTAX_ERROR: Syntax error at or near 'TABLESAMPLE'.(line 1, pos 62)

            == SQL ==
            SELECT /*+ BROADCAST(t) */ count(*) FROM VALUES (1), (2) t(a) TABLESAMPLE (100 PERCENT)
            --------------------------------------------------------------^^^
        "#]],
    );
}
