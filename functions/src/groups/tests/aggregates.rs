//! Aggregates and windows.

use expect_test::expect;

use super::{check_aggregates, check_groups, check_windows};

#[test]
fn aggregates_of_whole_numbers() {
    check_aggregates(
        &["1 2 null 2", "true null true null"],
        &[
            "(sum a)",
            "(avg a)",
            "(min a)",
            "(max a)",
            "(count a)",
            "(count 1)",
            "(count a b)",
            "(distinct (count a b))",
            "(distinct (sum a))",
            "(try_sum a)",
            "(try_avg a)",
            "(any b)",
            "(every b)",
            "(first a)",
            "(last a)",
            "(first a true)",
            "(last a true)",
            "(any_value a true)",
            "(count_if (> a 1))",
            "(collect_list a)",
            "(distinct (collect_list a))",
            "(collect_set a)",
            "(array_agg a)",
            "(mode a)",
            "(median a)",
            "(bit_and a)",
            "(bit_or a)",
            "(bit_xor a)",
            "(approx_count_distinct a)",
            "(percentile a 0.5)",
            "(percentile a (array 0.25 0.75))",
            "(percentile a 0.5 2)",
            "(percentile_approx a 0.5)",
            "(approx_percentile a (array 0.5 0.1) 100)",
            "(histogram_numeric a 3)",
            "(percentile a 1.1)",
            "(percentile a a)",
            "(sum b)",
            "(bit_and b)",
            "(bool_and a)",
            "(count)",
            "(var_pop a)",
            "(stddev a)",
            "(skewness a)",
            "(kurtosis a)",
        ],
        expect![[r#"
            sum(a): bigint = 5
            avg(a): double = 1.6666666666666667
            min(a): int = 1
            max(a): int = 2
            count(a): bigint! = 3
            count(1): bigint! = 4
            count(a, b): bigint! = 1
            count(a, b): bigint! = 1
            sum(a): bigint = 3
            try_sum(a): bigint = 5
            try_avg(a): double = 1.6666666666666667
            any(b): boolean = true
            every(b): boolean = true
            first(a): int = 1
            last(a): int = 2
            first(a): int = 1
            last(a): int = 2
            any_value(a): int = 1
            count_if((a > 1)): bigint! = 2
            collect_list(a): array<int>! = [1,2,2]
            collect_list(a): array<int>! = [1,2]
            collect_set(a): array<int>! = [1,2]
            collect_list(a): array<int>! = [1,2,2]
            mode(a): int = 2
            median(a): double = 2.0
            bit_and(a): int = 0
            bit_or(a): int = 3
            bit_xor(a): int = 1
            approx_count_distinct(a): bigint! = 2
            percentile(a, 0.5, 1): double = 2.0
            percentile(a, array(0.25, 0.75), 1): array<double> = [1.5,2.0]
            percentile(a, 0.5, 2): double = 2.0
            percentile_approx(a, 0.5, 10000): int = 2
            approx_percentile(a, array(0.5, 0.1), 100): array<int> = [2,1]
            histogram_numeric(a, 3): array<struct<x:int,y:double>> = [{"x":1,"y":1.0},{"x":2,"y":2.0}]
            [DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE] Cannot resolve "percentile(a, 1.1, 1)" due to data type mismatch: The percentage must be between [0.0, 1.0] (current value = 1.1D).
            [DATATYPE_MISMATCH.NON_FOLDABLE_INPUT] Cannot resolve "percentile(a, a, 1)" due to data type mismatch: the input percentage should be a foldable "DOUBLE" expression; however, got "a".
            [DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE] Cannot resolve "sum(b)" due to data type mismatch: Parameter 1 requires the "NUMERIC" or "ANSI INTERVAL" type, however "b" has the type "BOOLEAN".
            [DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE] Cannot resolve "bit_and(b)" due to data type mismatch: Parameter 1 requires the "INTEGRAL" type, however "b" has the type "BOOLEAN".
            [DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE] Cannot resolve "bool_and(a)" due to data type mismatch: Parameter 1 requires the "BOOLEAN" type, however "a" has the type "INT".
            [WRONG_NUM_ARGS.WITH_SUGGESTION] The `count` requires  >= 1 parameters but the actual number is 0. If you have to call this function with 0 parameters, set the legacy configuration "spark.sql.legacy.allowParameterlessCount" to "true".
            var_pop(a): double = 0.2222222222222222
            stddev(a): double = 0.5773502691896257
            skewness(a): double = -0.7071067811865475
            kurtosis(a): double = -1.5
        "#]],
    );
}

#[test]
fn aggregates_of_other_types() {
    check_aggregates(
        &[
            "1.50 2.25",
            "(cast '1' month) (cast '2' month)",
            "(cast '1' day) (cast '2' day)",
            "NaND 1D",
            "(array 1 2) (array 1)",
            "'x' 'y'",
        ],
        &[
            "(sum a)",
            "(avg a)",
            "(try_sum a)",
            "(sum b)",
            "(avg b)",
            "(sum c)",
            "(avg c)",
            "(max b)",
            "(min c)",
            "(max d)",
            "(min d)",
            "(max e)",
            "(min e)",
            "(max f)",
            "(median b)",
            "(median c)",
            "(percentile_approx b 0.5)",
            "(percentile_approx a 0.9)",
            "(max_by f a)",
            "(min_by f a)",
            "(collect_set d)",
            "(sum f)",
        ],
        expect![[r#"
            sum(a): decimal(13,2) = 3.75
            avg(a): decimal(7,6) = 1.875000
            try_sum(a): decimal(13,2) = 3.75
            sum(b): interval month = 0-3
            avg(b): interval year to month = 0-2
            sum(c): interval day = 3 00:00:00.000000000
            avg(c): interval day to second = 1 12:00:00.000000000
            max(b): interval month = 0-2
            min(c): interval day = 1 00:00:00.000000000
            max(d): double = NaN
            min(d): double = 1.0
            max(e): array<int> = [1,2]
            min(e): array<int> = [1]
            max(f): string = y
            median(b): interval year to month = 0-1
            median(c): interval day to second = 1 12:00:00.000000000
            percentile_approx(b, 0.5, 10000): interval month = 0-1
            percentile_approx(a, 0.9, 10000): decimal(3,2) = 2.25
            max_by(f, a): string = y
            min_by(f, a): string = x
            collect_set(d): array<double>! = [NaN,1.0]
            sum(f): double = NULL
        "#]],
    );
    check_aggregates(
        &[
            "9223372036854775807L 1L",
            "(cast '99999999999999999999999999999999999999' decimal:38,0) (cast 1 decimal:38,0)",
        ],
        &["(sum a)", "(try_sum a)", "(avg a)", "(sum b)", "(try_sum b)", "(avg b)"],
        expect![[r#"
            sum(a): bigint = -9223372036854775808
            try_sum(a): bigint = NULL
            avg(a): double = 4.6116860184273879E18
            sum(b): decimal(38,0) = NULL
            try_sum(b): decimal(38,0) = NULL
            avg(b): decimal(38,4) = NULL
        "#]],
    );
}

#[test]
fn aggregates_of_two_columns() {
    let calls = [
        "(corr a b)",
        "(covar_pop a b)",
        "(covar_samp a b)",
        "(regr_count a b)",
        "(regr_avgx a b)",
        "(regr_avgy a b)",
        "(regr_r2 a b)",
        "(regr_sxx a b)",
        "(regr_sxy a b)",
        "(regr_syy a b)",
        "(regr_slope a b)",
        "(regr_intercept a b)",
    ];
    check_aggregates(
        &["1 2 4 null", "2 3 9 1"],
        &calls,
        expect![[r#"
        corr(a, b): double = 0.9798637100971994
        covar_pop(a, b): double = 3.7777777777777772
        covar_samp(a, b): double = 5.666666666666666
        regr_count(a, b): bigint! = 3
        regr_avgx(a, b): double = 4.666666666666666
        regr_avgy(a, b): double = 2.3333333333333335
        regr_r2(a, b): double = 0.9601328903654487
        regr_sxx(a, b): double = 28.666666666666664
        regr_sxy(a, b): double = 11.333333333333332
        regr_syy(a, b): double = 4.666666666666666
        regr_slope(a, b): double = 0.3953488372093023
        regr_intercept(a, b): double = 0.48837209302325624
    "#]],
    );
    check_aggregates(
        &["1", "2"],
        &calls,
        expect![[r#"
        corr(a, b): double = NULL
        covar_pop(a, b): double = 0.0
        covar_samp(a, b): double = NULL
        regr_count(a, b): bigint! = 1
        regr_avgx(a, b): double = 2.0
        regr_avgy(a, b): double = 1.0
        regr_r2(a, b): double = NULL
        regr_sxx(a, b): double = 0.0
        regr_sxy(a, b): double = 0.0
        regr_syy(a, b): double = 0.0
        regr_slope(a, b): double = NULL
        regr_intercept(a, b): double = NULL
    "#]],
    );
    check_aggregates(
        &["1 1", "2 3"],
        &["(corr a b)", "(regr_r2 a b)", "(regr_r2 b a)", "(regr_slope a b)", "(regr_slope b a)"],
        expect![[r#"
        corr(a, b): double = NULL
        regr_r2(a, b): double = NULL
        regr_r2(b, a): double = 1.0
        regr_slope(a, b): double = 0.0
        regr_slope(b, a): double = NULL
    "#]],
    );
}

#[test]
fn windows() {
    check_windows(
        &["1 2 2", "1.5 2.5 4.5"],
        &[
            "(row_number)",
            "(rank)",
            "(dense_rank)",
            "(percent_rank)",
            "(cume_dist)",
            "(ntile 2)",
            "(lag a)",
            "(lead a 2 0L)",
            "(lag a -1)",
            "(nth_value a 2)",
            "(first a)",
            "(lag a 1 'x')",
            "(ntile 0)",
            "(lag a a)",
            "(sum a)",
            "(avg b)",
            "(sum b)",
            "(collect_list a)",
            "(max_by a b)",
            "(corr a b)",
            "(count a)",
        ],
        expect![[r#"
            row_number(): int! = 1 | 2 | 3
            RANK(): int! = 1 | 2 | 2
            DENSE_RANK(): int! = 1 | 2 | 2
            PERCENT_RANK(): double! = 0.0 | 0.5 | 0.5
            cume_dist(): double! = 0.3333333333333333 | 1.0 | 1.0
            ntile(2): int! = 1 | 1 | 2
            lag(a, 1, NULL): int = NULL | 1 | 2
            lead(a, 2, 0): int! = 2 | 0 | 0
            lag(a, -1, NULL): int = 2 | 2 | NULL
            nth_value(a, 2): int = NULL | 2 | 2
            first(a): int = 1 | 1 | 1
            lag(a, 1, x): int = NULL | 1 | 2
            [DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE] Cannot resolve "ntile(0)" due to data type mismatch: The buckets must be between (0, 2147483647] (current value = 0).
            [DATATYPE_MISMATCH.NON_FOLDABLE_INPUT] Cannot resolve "lag(a, a, NULL)" due to data type mismatch: the input offset should be a foldable "INT" expression; however, got "a".
            sum(a): bigint = 1 | 5 | 5
            avg(b): decimal(6,5) = 1.50000 | 2.83333 | 2.83333
            sum(b): decimal(12,1) = 1.5 | 8.5 | 8.5
            collect_list(a): array<int>! = [1] | [1,2,2] | [1,2,2]
            max_by(a, b): int = 1 | 2 | 2
            corr(a, b): double = NULL | 0.7559289460184545 | 0.7559289460184545
            count(a): bigint! = 1 | 3 | 3
        "#]],
    );
}

#[test]
fn totals_of_groups() {
    check_groups(
        &[
            "1 2 1 null",
            "(cast '99999999999999999999999999999999999999' decimal:38,0) null (cast 1 decimal:38,0) 5",
            "1.005 1.004 1.004 null",
            "1L 2L 3L 4L",
        ],
        &[
            "(sum b)",
            "(avg c)",
            "(try_sum d)",
            "(avg b)",
            "(distinct (sum c))",
            "(collect_list d)",
            "(max_by d c)",
            "(percentile d 0.5)",
            "(corr d c)",
        ],
        expect![[r#"
            sum(b): decimal(38,0) = 5 | NULL | NULL
            avg(c): decimal(8,7) = NULL | 1.0045000 | 1.0040000
            try_sum(d): bigint = 4 | 4 | 2
            avg(b): decimal(38,4) = 5.0000 | NULL | NULL
            sum(c): decimal(14,3) = NULL | 2.009 | 1.004
            collect_list(d): array<bigint>! = [4] | [1,3] | [2]
            max_by(d, c): bigint = NULL | 1 | 2
            percentile(d, 0.5, 1): double = 4.0 | 2.0 | 2.0
            corr(d, c): double = NULL | -1.0 | NULL
        "#]],
    );
}
