use expect_test::expect;

use super::{check_aggregates, check_windows};

#[test]
fn aggregates_of_whole_numbers() {
    check_aggregates(
        &["1 2 null 2", "true null true null"],
        &[
            "(sum a)", "(avg a)", "(min a)", "(max a)", "(count a)", "(count 1)", "(count a b)", "(distinct (count a b))", "(distinct (sum a))",
            "(try_sum a)", "(try_avg a)", "(any b)", "(every b)", "(first a)", "(last a)", "(first a true)", "(last a true)", "(any_value a true)",
            "(count_if (> a 1))", "(collect_list a)", "(distinct (collect_list a))", "(collect_set a)", "(array_agg a)", "(mode a)", "(median a)",
            "(bit_and a)", "(bit_or a)", "(bit_xor a)", "(approx_count_distinct a)", "(percentile a 0.5)", "(percentile a (array 0.25 0.75))", "(percentile a 0.5 2)",
            "(percentile_approx a 0.5)", "(approx_percentile a (array 0.5 0.1) 100)", "(histogram_numeric a 3)", "(percentile a 1.1)", "(percentile a a)",
            "(sum b)", "(bit_and b)", "(bool_and a)", "(count)", "(count_min_sketch a 0.5D 0.5D 1)", "(var_pop a)", "(stddev a)", "(skewness a)", "(kurtosis a)",
        ],
        expect![[r#""#]],
    );
}

#[test]
fn aggregates_of_other_types() {
    check_aggregates(
        &["1.50 2.25", "(cast '1' month) (cast '2' month)", "(cast '1' day) (cast '2' day)", "NaND 1D", "(array 1 2) (array 1)", "'x' 'y'"],
        &[
            "(sum a)", "(avg a)", "(try_sum a)", "(sum b)", "(avg b)", "(sum c)", "(avg c)", "(max b)", "(min c)", "(max d)", "(min d)", "(max e)", "(min e)", "(max f)",
            "(median b)", "(median c)", "(percentile_approx b 0.5)", "(percentile_approx a 0.9)", "(max_by f a)", "(min_by f a)", "(collect_set d)", "(sum f)",
        ],
        expect![[r#""#]],
    );
    check_aggregates(
        &["9223372036854775807L 1L", "(cast '99999999999999999999999999999999999999' decimal:38,0) (cast 1 decimal:38,0)"],
        &["(sum a)", "(try_sum a)", "(avg a)", "(sum b)", "(try_sum b)", "(avg b)"],
        expect![[r#""#]],
    );
}

#[test]
fn aggregates_of_two_columns() {
    let calls = [
        "(corr a b)", "(covar_pop a b)", "(covar_samp a b)", "(regr_count a b)", "(regr_avgx a b)", "(regr_avgy a b)", "(regr_r2 a b)", "(regr_sxx a b)",
        "(regr_sxy a b)", "(regr_syy a b)", "(regr_slope a b)", "(regr_intercept a b)",
    ];
    check_aggregates(&["1 2 4 null", "2 3 9 1"], &calls, expect![[r#""#]]);
    check_aggregates(&["1", "2"], &calls, expect![[r#""#]]);
    check_aggregates(&["1 1", "2 3"], &["(corr a b)", "(regr_r2 a b)", "(regr_r2 b a)", "(regr_slope a b)", "(regr_slope b a)"], expect![[r#""#]]);
}

#[test]
fn windows() {
    check_windows(
        &["1 2 2", "1.5 2.5 4.5"],
        &[
            "(row_number)", "(rank)", "(dense_rank)", "(percent_rank)", "(cume_dist)", "(ntile 2)", "(lag a)", "(lead a 2 0L)", "(lag a -1)", "(nth_value a 2)",
            "(first a)", "(lag a 1 'x')", "(ntile 0)", "(lag a a)", "(sum a)", "(avg b)", "(sum b)", "(collect_list a)", "(max_by a b)", "(corr a b)", "(count a)",
        ],
        expect![[r#""#]],
    );
}
