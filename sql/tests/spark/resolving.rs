//! What names mean: scopes, subqueries, groups, windows; and what is said where they mean nothing.

use expect_test::expect;

use crate::run::check;

#[test]
fn a_subquery_sees_the_columns_around_it() {
    check(
        "SELECT a, (SELECT max(b) FROM VALUES (1, 5), (1, 6), (2, 7) u(k, b) WHERE k = a) m FROM VALUES (1), (2), (3) t(a) ORDER BY a",
        expect![[r#"
            a: int, m: int
            1	6
            2	7
            3	NULL"#]],
    );
}

#[test]
fn a_count_of_no_rows_is_zero_in_a_subquery_too() {
    check(
        "SELECT a, (SELECT count(*) FROM VALUES (1), (1) u(k) WHERE k = a) n FROM VALUES (1), (2) t(a) ORDER BY a",
        expect![[r#"
            a: int, n: bigint
            1	2
            2	0"#]],
    );
}

#[test]
fn sets_of_groups_leave_keys_out() {
    check(
        "SELECT a, b, sum(c) s, grouping(a) ga, grouping_id() id FROM VALUES (1, 'x', 10), (1, 'y', 20), (2, 'x', 30) t(a, b, c) GROUP BY ROLLUP(a, b) ORDER BY ga, a, b NULLS LAST",
        expect![[r#"
            a: int, b: string, s: bigint, ga: tinyint, id: bigint
            1	x	10	0	0
            1	y	20	0	0
            1	NULL	30	0	1
            2	x	30	0	0
            2	NULL	30	0	1
            NULL	NULL	60	1	3"#]],
    );
}

#[test]
fn keys_of_groups_may_be_written_in_any_order() {
    check(
        "SELECT b + a, NOT a > b, count(*) FROM VALUES (1, 2), (2, 1) t(a, b) GROUP BY a + b, a <= b ORDER BY 2",
        expect![[r#"
            (b + a): int, (NOT (a > b)): boolean, count(1): bigint
            3	false	1
            3	true	1"#]],
    );
}

#[test]
fn an_expression_over_a_key_that_a_set_leaves_out_is_null() {
    check(
        "SELECT a, x || 'x' xx FROM VALUES (1, 'foo') t(a, x) GROUP BY GROUPING SETS (a, x) ORDER BY a NULLS LAST",
        expect![[r#"
            a: int, xx: string
            1	NULL
            NULL	foox"#]],
    );
}

#[test]
fn windows_have_names_and_frames() {
    check(
        "SELECT a, sum(a) OVER w s, lag(a, 1, 0) OVER w l, first(a) OVER (ORDER BY a ROWS 1 PRECEDING) f FROM VALUES (1), (2), (4) t(a) WINDOW w AS (ORDER BY a)",
        expect![[r#"
            a: int, s: bigint, l: int, f: int
            1	1	0	1
            2	3	1	1
            4	7	2	2"#]],
    );
}

#[test]
fn a_lateral_alias_shows_in_the_name_of_a_column() {
    check(
        "SELECT a + 1 AS b, b + 1, b FROM VALUES (1) t(a)",
        expect![[r#"
        b: int, (lateralAliasReference(b) + 1): int, b: int
        2	3	2"#]],
    );
}

#[test]
fn a_lateral_alias_in_a_window_is_refused() {
    check(
        "SELECT a AS b, row_number() OVER (ORDER BY b) FROM VALUES (1) t(a)",
        expect![[
            r#"UNSUPPORTED_FEATURE.LATERAL_COLUMN_ALIAS_IN_WINDOW: The feature is not supported: Referencing a lateral column alias in window expression "row_number() OVER (ORDER BY lateralAliasReference(b) ASC NULLS FIRST ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)"."#
        ]],
    );
}

#[test]
fn pivot_makes_columns_of_values() {
    check(
        "SELECT * FROM VALUES (1, 'x', 10), (1, 'y', 20), (2, 'x', 30) t(a, k, v) PIVOT (sum(v) FOR k IN ('x', 'y' AS why)) ORDER BY a",
        expect![[r#"
            a: int, x: bigint, why: bigint
            1	10	20
            2	30	NULL"#]],
    );
}

#[test]
fn an_unknown_column_is_told_with_those_that_are_like_it() {
    check(
        "SELECT nome FROM VALUES ('a', 1) t(name, number)",
        expect![
            "UNRESOLVED_COLUMN.WITH_SUGGESTION: A column or function parameter with name `nome` cannot be resolved. Did you mean one of the following? [`name`, `number`].; line 1 pos 7"
        ],
    );
}

#[test]
fn a_statement_that_is_none_is_shown_with_a_caret() {
    check(
        "SELECT a FROM\nVALUES (1) t(a) WHERE WHERE",
        expect![
            "UNRESOLVED_COLUMN.WITH_SUGGESTION: A column or function parameter with name `WHERE` cannot be resolved. Did you mean one of the following? [`a`].; line 2 pos 22"
        ],
    );
}

#[test]
fn a_column_beside_an_aggregate_has_to_be_grouped_by() {
    check(
        "SELECT a, count(*) FROM VALUES (1) t(a)",
        expect![
            "MISSING_GROUP_BY: The query does not include a GROUP BY clause. Add GROUP BY or turn it into the window functions using OVER clauses."
        ],
    );
}

#[test]
fn a_chain_of_common_tables_that_doubles_each_time_ends() {
    let mut script = "WITH t0 AS (SELECT 1 a)".to_owned();
    for at in 1..40 {
        script += &format!(", t{at} AS (SELECT l.a FROM t{} l JOIN t{} r)", at - 1, at - 1);
    }
    check(
        &(script + " SELECT * FROM t39"),
        expect!["FAILED_TO_PARSE_TOO_COMPLEX: The statement refers to too many queries."],
    );
}

#[test]
fn intervals_written_as_text_are_of_the_units_they_name() {
    check(
        "SELECT INTERVAL '1 month', INTERVAL '2 days 3 hours', typeof(INTERVAL '1 week')",
        expect![[r#"
        INTERVAL '1' MONTH: interval month, INTERVAL '2 03' DAY TO HOUR: interval day to hour, typeof(INTERVAL '7' DAY): string
        0-1	2 03:00:00.000000000	interval day"#]],
    );
}

#[test]
fn a_stack_has_as_many_rows_as_it_says() {
    check(
        "SELECT stack(3, 1, 2)",
        expect![[r#"
        col0: int
        1
        2
        NULL"#]],
    );
}

#[test]
fn floating_point_numbers_have_the_digits_of_java_17() {
    check(
        "SELECT CAST(2E23D AS STRING), 1.0E7D, CAST(0.001D AS STRING), CAST(123456789 AS FLOAT)",
        expect![[r#"
        CAST(1.9999999999999998E23 AS STRING): string, 1.0E7: double, CAST(0.001 AS STRING): string, CAST(123456789 AS FLOAT): float
        1.9999999999999998E23	1.0E7	0.001	1.23456792E8"#]],
    );
}

#[test]
fn zones_keep_their_last_rule_after_the_years_that_are_known() {
    check(
        "SET spark.sql.session.timeZone = America/Los_Angeles; SELECT TIMESTAMP '2150-06-01 12:00:00Z', TIMESTAMP '2150-12-01 12:00:00Z'",
        expect![[r#"
            TIMESTAMP '2150-06-01 05:00:00': timestamp, TIMESTAMP '2150-12-01 04:00:00': timestamp
            2150-06-01 05:00:00	2150-12-01 04:00:00"#]],
    );
}

#[test]
fn not_is_moved_down_to_in_of_a_query_before_what_is_unknown_is_false() {
    let rows = "FROM VALUES (1), (5), (8), (NULL) AS s(a) WHERE";
    let query = "(SELECT * FROM VALUES (1), (8), (NULL))";
    check(&format!("SELECT a {rows} NOT (a NOT IN {query}) ORDER BY a"), expect!["a: int\n1\n8"]);
    check(&format!("SELECT a {rows} NOT (a > 5 OR a IN {query})"), expect!["a: int"]);
    check(&format!("SELECT a {rows} NOT (a > 5 AND a IN {query}) ORDER BY a"), expect!["a: int\n1\n5"]);
}
