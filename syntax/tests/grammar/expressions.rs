//! Expressions: precedence, predicates, functions with a syntax of their own.

use expect_test::expect;

use crate::sketch::expression as check;

#[test]
fn operators_bind_as_in_spark() {
    check(
        "a + b * c - d",
        expect![[
            r#"(Binary(Binary(Column(["a"]), Add, Binary(Column(["b"]), Multiply, Column(["c"]))), Subtract, Column(["d"])), None)"#
        ]],
    );
    check(
        "a || b + c & d ^ e | f = g",
        expect![[
            r#"(Binary(Binary(Binary(Binary(Binary(Binary(Column(["a"]), Concat, Column(["b"])), Add, Column(["c"])), BitAnd, Column(["d"])), BitXor, Column(["e"])), BitOr, Column(["f"])), Eq, Column(["g"])), None)"#
        ]],
    );
    check("-a * b", expect![[r#"(Binary(Unary(Minus, Column(["a"])), Multiply, Column(["b"])), None)"#]]);
    check(
        "NOT a = b AND c OR d OR e",
        expect![[
            r#"(Or([And([Not(Binary(Column(["a"]), Eq, Column(["b"]))), Column(["c"])]), Column(["d"]), Column(["e"])]), None)"#
        ]],
    );
    check(
        "a DIV b % c",
        expect![[r#"(Binary(Binary(Column(["a"]), IntegralDivide, Column(["b"])), Modulo, Column(["c"])), None)"#]],
    );
    check("a = b = c", expect![[r#"(Binary(Binary(Column(["a"]), Eq, Column(["b"])), Eq, Column(["c"])), None)"#]]);
    check(
        "a !< b AND NOT c !> d",
        expect![[
            r#"(And([Binary(Column(["a"]), GtEq, Column(["b"])), Not(Binary(Column(["c"]), LtEq, Column(["d"])))]), None)"#
        ]],
    );
}

#[test]
fn a_sign_in_front_of_a_number_is_part_of_it() {
    check("-1", expect!["(Literal(Int(-1)), None)"]);
    check("- -1", expect!["(Unary(Minus, Literal(Int(-1))), None)"]);
    check("a -1", expect![[r#"(Binary(Column(["a"]), Subtract, Literal(Int(1))), None)"#]]);
    check("+1", expect!["(Unary(Plus, Literal(Int(1))), None)"]);
}

#[test]
fn predicates_follow_an_operand_once() {
    check(
        "a BETWEEN 1 AND 2 AND b",
        expect![[
            r#"(And([Predicate {operand: Column(["a"]), predicate: Between(Literal(Int(1)), Literal(Int(2)))}, Column(["b"])]), None)"#
        ]],
    );
    check(
        "a NOT IN (1, 2)",
        expect![[
            r#"(Predicate {operand: Column(["a"]), negated: true, predicate: InList([Literal(Int(1)), Literal(Int(2))])}, None)"#
        ]],
    );
    check(
        "a NOT LIKE 'x!%' ESCAPE '!'",
        expect![[
            r#"(Predicate {operand: Column(["a"]), negated: true, predicate: Like {pattern: Literal(String("x!%")), escape: Some('!')}}, None)"#
        ]],
    );
    check(
        "a ILIKE ANY ('x', 'y')",
        expect![[
            r#"(Predicate {operand: Column(["a"]), predicate: LikeQuantified {quantifier: Any, patterns: [Literal(String("x")), Literal(String("y"))], ignore_case: true}}, None)"#
        ]],
    );
    check(
        "a IS NOT DISTINCT FROM b",
        expect![[
            r#"(Predicate {operand: Column(["a"]), negated: true, predicate: DistinctFrom(Column(["b"]))}, None)"#
        ]],
    );
    check(
        "a IS NOT UNKNOWN",
        expect![[r#"(Predicate {operand: Column(["a"]), negated: true, predicate: Is(Unknown)}, None)"#]],
    );
    check(
        "a REGEXP 'x'",
        expect![[r#"(Predicate {operand: Column(["a"]), predicate: Rlike(Literal(String("x")))}, None)"#]],
    );
    check("a IS NULL IS NULL", expect!["PARSE_SYNTAX_ERROR: Syntax error at or near 'NULL'. (1:13)"]);
}

#[test]
fn parentheses_hold_queries_rows_and_groups() {
    check("(a)", expect![[r#"(Column(["a"]), None)"#]]);
    check("(a, b AS c)", expect![[r#"(Row([Column(["a"]), Column(["b"]), alias: Some(Name("c"))]), None)"#]]);
    check("((a, 1))", expect![[r#"(Row([Column(["a"]), Literal(Int(1))]), None)"#]]);
    check("(a AS b)", expect!["PARSE_SYNTAX_ERROR: Syntax error at or near ')'. (1:7)"]);
    check(
        "((SELECT 1) + 1)",
        expect![
            "(Binary(Subquery(Query {body: Select(Select {items: [Literal(Int(1))]})}), Add, Literal(Int(1))), None)"
        ],
    );
    check(
        "(((TABLE t)))",
        expect![[r#"(Subquery(Query {body: Nested(Query {body: Nested(Query {body: Table(Named(["t"]))})})}), None)"#]],
    );
    check("(from)", expect![[r#"(Column(["from"]), None)"#]]);
    check("EXISTS (SELECT 1)", expect!["(Exists(Query {body: Select(Select {items: [Literal(Int(1))]})}), None)"]);
    check(
        "exists(a, x -> x)",
        expect![[
            r#"(Call(FunctionCall {name: Named(["exists"]), arguments: [Argument {value: Column(["a"])}, Argument {value: Lambda(["x"], Column(["x"]))}]}), None)"#
        ]],
    );
}

#[test]
fn names_have_fields_and_subscripts() {
    check("a.b.c", expect![[r#"(Column(["a", "b", "c"]), None)"#]]);
    check("(a.b).c", expect![[r#"(Column(["a", "b", "c"]), None)"#]]);
    check(
        "f(a).b[0]",
        expect![[
            r#"(Subscript(Field(Call(FunctionCall {name: Named(["f"]), arguments: [Argument {value: Column(["a"])}]}), "b"), Literal(Int(0))), None)"#
        ]],
    );
    check("t.*", expect![[r#"(Star(["t"]), None)"#]]);
    check("null.a", expect![[r#"(Field(Literal(Null), "a"), None)"#]]);
    check(
        "IDENTIFIER('a' || 'b')",
        expect![[r#"(ComputedColumn(Binary(Literal(String("a")), Concat, Literal(String("b")))), None)"#]],
    );
}

#[test]
fn calls_keep_their_name_and_what_stands_behind_them() {
    check(
        "Count(DISTINCT a, b) FILTER (WHERE c)",
        expect![[
            r#"(Call(FunctionCall {name: Named(["Count"]), distinct: true, arguments: [Argument {value: Column(["a"])}, Argument {value: Column(["b"])}], filter: Some(Column(["c"]))}), None)"#
        ]],
    );
    check(
        "f(a => 1, b)",
        expect![[
            r#"(Call(FunctionCall {name: Named(["f"]), arguments: [Argument {name: Some("a"), value: Literal(Int(1))}, Argument {value: Column(["b"])}]}), None)"#
        ]],
    );
    check(
        "first(a IGNORE NULLS)",
        expect![[
            r#"(Call(FunctionCall {name: Named(["first"]), arguments: [Argument {value: Column(["a"])}], nulls: Some(Ignore)}), None)"#
        ]],
    );
    check(
        "nth_value(a, 2) IGNORE NULLS OVER w",
        expect![[
            r#"(Call(FunctionCall {name: Named(["nth_value"]), arguments: [Argument {value: Column(["a"])}, Argument {value: Literal(Int(2))}], nulls: Some(Ignore), over: Some(Named("w"))}), None)"#
        ]],
    );
    check(
        "sum(a) OVER (PARTITION BY b ORDER BY c DESC ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)",
        expect![[
            r#"(Call(FunctionCall {name: Named(["sum"]), arguments: [Argument {value: Column(["a"])}], over: Some(Spec {partition_by: [Column(["b"])], order_by: [SortItem {value: Column(["c"]), descending: true}], frame: Some(Frame {units: Rows, start: Preceding(Literal(Int(1))), end: CurrentRow})})}), None)"#
        ]],
    );
    check(
        "db.f(1)",
        expect![[
            r#"(Call(FunctionCall {name: Named(["db", "f"]), arguments: [Argument {value: Literal(Int(1))}]}), None)"#
        ]],
    );
    check(
        "IDENTIFIER('f')(1)",
        expect![[
            r#"(Call(FunctionCall {name: Computed(Literal(String("f"))), arguments: [Argument {value: Literal(Int(1))}]}), None)"#
        ]],
    );
    check(
        "left(a, 1)",
        expect![[
            r#"(Call(FunctionCall {name: Named(["left"]), arguments: [Argument {value: Column(["a"])}, Argument {value: Literal(Int(1))}]}), None)"#
        ]],
    );
    check(
        "f((x, y) -> x + y, z -> z)",
        expect![[
            r#"(Call(FunctionCall {name: Named(["f"]), arguments: [Argument {value: Lambda(["x", "y"], Binary(Column(["x"]), Add, Column(["y"])))}, Argument {value: Lambda(["z"], Column(["z"]))}]}), None)"#
        ]],
    );
}

#[test]
fn some_functions_have_a_syntax_of_their_own() {
    check("extract(year FROM a)", expect![[r#"(Special(Extract("year", Column(["a"]))), None)"#]]);
    check(
        "extract(a, b)",
        expect![[
            r#"(Call(FunctionCall {name: Named(["extract"]), arguments: [Argument {value: Column(["a"])}, Argument {value: Column(["b"])}]}), None)"#
        ]],
    );
    check(
        "substring(a FROM 1 FOR 2)",
        expect![[r#"(Special(Substring(Column(["a"]), Literal(Int(1)), Some(Literal(Int(2))))), None)"#]],
    );
    check(
        "trim(LEADING 'x' FROM a)",
        expect![[
            r#"(Special(Trim {side: "leading", characters: Some(Literal(String("x"))), text: Column(["a"])}), None)"#
        ]],
    );
    check(
        "overlay(a PLACING b FROM 1)",
        expect![[r#"(Special(Overlay(Column(["a"]), Column(["b"]), Literal(Int(1)), None)), None)"#]],
    );
    check("position('a' IN b)", expect![[r#"(Special(Position(Literal(String("a")), Column(["b"]))), None)"#]]);
    check(
        "dateadd(MONTH, 1, a)",
        expect![[
            r#"(Special(TimestampAdd("dateadd", WrittenUnit {unit: Month, word: "MONTH"}, Literal(Int(1)), Column(["a"]))), None)"#
        ]],
    );
    check(
        "date_add(a, 1)",
        expect![[
            r#"(Call(FunctionCall {name: Named(["date_add"]), arguments: [Argument {value: Column(["a"])}, Argument {value: Literal(Int(1))}]}), None)"#
        ]],
    );
    check(
        "percentile_cont(0.5) WITHIN GROUP (ORDER BY a DESC)",
        expect![[
            r#"(Special(Percentile(Percentile {name: ["percentile_cont"], fraction: Literal(Decimal("0.5")), order_by: SortItem {value: Column(["a"]), descending: true}})), None)"#
        ]],
    );
    check(
        "TRY_CAST(a AS DECIMAL(5, 2))",
        expect![[r#"(Cast {operand: Column(["a"]), to: Decimal(5, 2), or_null: true}, None)"#]],
    );
    check("struct(a, b AS c)", expect![[r#"(Struct([Column(["a"]), Column(["b"]), alias: Some(Name("c"))]), None)"#]]);
    check(
        "CASE a WHEN 1 THEN 2 ELSE 3 END",
        expect![[
            r#"(Case {operand: Some(Column(["a"])), whens: [When {condition: Literal(Int(1)), result: Literal(Int(2))}], otherwise: Some(Literal(Int(3)))}, None)"#
        ]],
    );
    check(
        "timestampadd('MONTH', 1, a)",
        expect![
            "INVALID_PARAMETER_VALUE.DATETIME_UNIT: The value of parameter(s) `unit` in `timestampadd` is invalid: expects one of the units without quotes YEAR, QUARTER, MONTH, WEEK, DAY, DAYOFYEAR, HOUR, MINUTE, SECOND, MILLISECOND, MICROSECOND, but got the string literal 'MONTH'. (1:0)"
        ],
    );
}

#[test]
fn constants_keep_type_and_digits() {
    check(
        "(1, 1L, 1S, 1Y, 3000000000, 1.10, 1.0BD, 1e3, 1D, 1.5F, .5, 1e3BD)",
        expect![[
            r#"(Row([Literal(Int(1)), Literal(BigInt(1)), Literal(SmallInt(1)), Literal(TinyInt(1)), Literal(BigInt(3000000000)), Literal(Decimal("1.10")), Literal(Decimal("1.0")), Literal(Double(1000.0)), Literal(Double(1.0)), Literal(Float(1.5)), Literal(Decimal(".5")), Literal(Decimal("1e3"))]), None)"#
        ]],
    );
    check(
        "(NULL, TRUE, 'a' 'b', X'1F0', DATE '2020-02-29', TIMESTAMP '2020-01-01 00:00:00+01:00')",
        expect![[
            r#"(Row([Literal(Null), Literal(Boolean(true)), Literal(String("ab")), Literal(Binary([1, 240])), Literal(Date("2020-02-29")), Literal(Timestamp("2020-01-01 00:00:00+01:00"))]), None)"#
        ]],
    );
    check(
        "(TIMESTAMP_NTZ '2020-01-01', TIMESTAMP_LTZ 'now')",
        expect![[r#"(Row([Literal(TimestampNtz("2020-01-01")), Literal(TimestampLtz("now"))]), None)"#]],
    );
    check(
        "99999999999999999999L",
        expect![
            "INVALID_NUMERIC_LITERAL_RANGE: Numeric literal 99999999999999999999 is outside the valid range for bigint with minimum value of -9223372036854775808 and maximum value of 9223372036854775807. Please adjust the value accordingly. (1:0)"
        ],
    );
    check(
        "DATE '2021-02-29'",
        expect![[r#"INVALID_TYPED_LITERAL: The value of the typed literal "DATE" is invalid: '2021-02-29'. (1:0)"#]],
    );
    check(
        "foo 'bar'",
        expect![[
            r#"UNSUPPORTED_TYPED_LITERAL: Literals of the type "FOO" are not supported. Supported types are "DATE", "TIMESTAMP_NTZ", "TIMESTAMP_LTZ", "TIMESTAMP", "INTERVAL", "X". (1:0)"#
        ]],
    );
}

#[test]
fn intervals_are_kept_as_written() {
    check(
        "INTERVAL 1 day -2 hours",
        expect![[
            r#"(Literal(Interval(Units([IntervalPart {value: "1", unit: Day}, IntervalPart {value: "-2", unit: Hour}]))), None)"#
        ]],
    );
    check(
        "INTERVAL '1-2' YEAR TO MONTH",
        expect![[r#"(Literal(Interval(Range {value: "1-2", from: Year, to: Month})), None)"#]],
    );
    check(
        "INTERVAL -'1 02:03' DAY TO MINUTE",
        expect![[r#"(Literal(Interval(Range {negative: true, value: "1 02:03", from: Day, to: Minute})), None)"#]],
    );
    check("INTERVAL '1 day 2 hours'", expect![[r#"(Literal(Interval(Text("1 day 2 hours"))), None)"#]]);
    check(
        "INTERVAL 1 day 2 months",
        expect!["_LEGACY_ERROR_TEMP_0029: Cannot mix year-month and day-time fields: INTERVAL 1 day 2 months. (1:0)"],
    );
    check(
        "INTERVAL '1' HOUR TO DAY",
        expect!["_LEGACY_ERROR_TEMP_0028: Intervals FROM hour TO day are not supported. (1:9)"],
    );
    check("interval", expect![[r#"(Column(["interval"]), None)"#]]);
    check(
        "interval(a) days",
        expect![[
            r#"(Call(FunctionCall {name: Named(["interval"]), arguments: [Argument {value: Column(["a"])}]}), Some(Name("days")))"#
        ]],
    );
}
