//! Arguments with which a function can be called, found by trying columns of all types.

use paceline_functions::Resolve;

/// What a function may want in its first place, and what in those after it.
const FIRST: &[&str] =
    &["i", "s", "d", "n", "dt", "ts", "b", "ai", "m", "st", "ast", "aai", "az", "t", "l", "dd", "ym", "j"];
const NEXT: &[&str] =
    &["1", "'a'", "i", "s", "ai", "l", "d", "t", "dt", "m", "array(1, 2)", "0.5", "'yyyy'", "ts", "b", "j"];

/// Calls that columns alone do not find, or that say more than those.
const CALLS: &[(&str, &[&str])] = &[
    (
        "aes_decrypt",
        &[
            "aes_decrypt(unhex('6E7CA17BBB468D3084B5744BCA729FB7B2B7BCB8E4472847D02670489D95FA97DBBA7D3210'), '0000111122223333', 'GCM') || s",
        ],
    ),
    ("aes_encrypt", &["aes_encrypt(s, 'abcdefghijklmnop', 'ECB')"]),
    ("approx_percentile", &["approx_percentile(i, 0.5)", "approx_percentile(d, array(0.1, 0.9), 100)"]),
    ("assert_true", &["assert_true(i < 5)", "assert_true(l < 100)"]),
    ("array_sort", &["array_sort(ai)", "array_sort(az, (a, b) -> length(a) - length(b))"]),
    (
        "aggregate",
        &["aggregate(ai, CAST(l AS INT), (a, x) -> a + x)", "aggregate(az, s, (a, x) -> a || x, a -> upper(a))"],
    ),
    ("reduce", &["reduce(ai, 0, (a, x) -> a + coalesce(x, g))"]),
    ("bitmap_construct_agg", &["bitmap_construct_agg(bitmap_bit_position(i))"]),
    ("bitmap_or_agg", &["bitmap_or_agg(b)"]),
    ("bitmap_count", &["bitmap_count(b)"]),
    (
        "cast",
        &["CAST(s AS INT)", "CAST(i AS STRING)", "CAST(dd AS STRING)", "CAST(ts AS STRING)", "TRY_CAST(s AS DATE)"],
    ),
    ("convert_timezone", &["convert_timezone('UTC', 'Asia/Tokyo', ntz)"]),
    ("count_min_sketch", &["count_min_sketch(i, 0.5D, 0.5D, 1)"]),
    ("cume_dist", &["cume_dist() OVER (PARTITION BY g ORDER BY l)"]),
    ("date_part", &["date_part('YEAR', ts)"]),
    ("datepart", &["datepart('MONTH', dt)"]),
    ("dense_rank", &["dense_rank() OVER (ORDER BY g)"]),
    ("exists", &["exists(ai, x -> x > l)"]),
    ("extract", &["extract(DAY FROM dd)", "extract(HOUR FROM ts)"]),
    ("filter", &["filter(ai, x -> x > 1)", "filter(ast, (x, i) -> x.v > i)"]),
    ("forall", &["forall(ai, x -> x > l)"]),
    ("from_csv", &["from_csv(s, 'a STRING, b STRING')"]),
    ("from_json", &["from_json(j, 'p INT, q ARRAY<INT>')", "from_json(j, 'MAP<STRING, STRING>')"]),
    ("grouping", &[]),
    ("grouping_id", &[]),
    ("hll_sketch_agg", &["hll_sketch_agg(i)"]),
    (
        "hll_sketch_estimate",
        &[
            "hll_sketch_estimate(IF(l > 2, unhex('0201070C030003082BF2FB06862FF90D758166070000000000000000000000000000000000000000'), NULL))",
        ],
    ),
    (
        "hll_union",
        &[
            "hll_union(unhex('0201070C030003082BF2FB06862FF90D758166070000000000000000000000000000000000000000'), IF(l > 2, unhex('0201070C030003082BF2FB06862FF90D758166070000000000000000000000000000000000000000'), NULL))",
        ],
    ),
    (
        "hll_union_agg",
        &[
            "hll_union_agg(IF(l > 2, unhex('0201070C030003082BF2FB06862FF90D758166070000000000000000000000000000000000000000'), NULL))",
        ],
    ),
    ("histogram_numeric", &["histogram_numeric(i, 3)"]),
    ("lag", &["lag(i) OVER (ORDER BY l)", "lag(s, 2, 'none') IGNORE NULLS OVER (PARTITION BY g ORDER BY l)"]),
    ("lead", &["lead(ai) OVER (ORDER BY l)", "lead(dd, 1, INTERVAL '3' DAY) OVER (ORDER BY l)"]),
    ("make_timestamp", &["make_timestamp(2020, 1, i, 1, 2, 3.5)"]),
    ("make_timestamp_ltz", &["make_timestamp_ltz(2020, 1, i, 1, 2, 3.5)"]),
    ("make_timestamp_ntz", &["make_timestamp_ntz(2020, 1, i, 1, 2, 3.5)"]),
    ("map_filter", &["map_filter(m, (k, v) -> v > l)"]),
    ("map_from_arrays", &["map_from_arrays(az, ai)", "map_from_arrays(array(i, l + 100), array(s, j))"]),
    ("map_zip_with", &["map_zip_with(m, m, (k, a, b) -> k || a || b)"]),
    ("named_struct", &["named_struct('a', i, 'b', dd)"]),
    ("nth_value", &["nth_value(i, 2) OVER (ORDER BY l)"]),
    ("ntile", &["ntile(4) OVER (ORDER BY l)"]),
    ("overlay", &["overlay(s, 'X', 2)"]),
    ("percent_rank", &["percent_rank() OVER (PARTITION BY g ORDER BY l)"]),
    ("percentile", &["percentile(i, 0.5)", "percentile(d, array(0.1, 0.9))", "percentile(dd, 0.5)"]),
    ("percentile_approx", &["percentile_approx(i, 0.5)"]),
    ("raise_error", &["raise_error(s)"]),
    ("rand", &["rand(3) < 2"]),
    ("randn", &["randn(3) < 20"]),
    ("random", &["random(3) < 2"]),
    ("rank", &["rank() OVER (PARTITION BY g ORDER BY t)"]),
    ("row_number", &["row_number() OVER (ORDER BY l)"]),
    ("schema_of_csv", &["schema_of_csv('1,abc')"]),
    ("schema_of_json", &["schema_of_json('[{\"a\": 1}]')"]),
    ("session_window", &["session_window(ts, '5 minutes')", "session_window(ntz, s)"]),
    ("shuffle", &["size(shuffle(ai))"]),
    ("slice", &["slice(ai, 1, 2)"]),
    ("split_part", &["split_part(s, ',', 1)"]),
    ("str_to_map", &["str_to_map(s)"]),
    ("struct", &["struct(i, s, dd)"]),
    ("to_char", &["to_char(n, '99.99')"]),
    ("to_number", &["to_number('12', '99')"]),
    ("to_varchar", &["to_varchar(n, '99.99')"]),
    ("try_to_number", &["try_to_number(s, '99')"]),
    ("transform", &["transform(ai, x -> x + l)", "transform(az, (x, i) -> x || i || s)"]),
    ("transform_keys", &["transform_keys(m, (k, v) -> k || v)"]),
    ("transform_values", &["transform_values(m, (k, v) -> v + l)"]),
    ("try_aes_decrypt", &["try_aes_decrypt(b, 'abcdefghijklmnop')"]),
    ("uuid", &["length(uuid())"]),
    ("width_bucket", &["width_bucket(i, 0, 10, 5)"]),
    ("window", &["window(ts, '5 minutes')", "window(ntz, '7 days', '3 days', '1 hour')"]),
    ("window_time", &["window_time(window(ts, '5 minutes'))"]),
    ("zip_with", &["zip_with(ai, az, (a, b) -> b || a)"]),
    // They look at the moment, or at where they run.
    ("current_timestamp", &[]),
    ("now", &[]),
    ("localtimestamp", &[]),
    ("unix_timestamp", &["unix_timestamp(ts)"]),
    ("to_unix_timestamp", &["to_unix_timestamp(ts)", "to_unix_timestamp(s, 'yyyy')"]),
];

/// Calls to try, the likeliest first.
pub(super) fn calls(name: &str, resolve: &Resolve) -> Vec<String> {
    if let Some((_, calls)) = CALLS.iter().find(|(function, _)| *function == name) {
        return calls.iter().map(|call| (*call).to_owned()).collect();
    }
    let quoted = if name.chars().all(|it| it.is_ascii_alphanumeric() || it == '_') { name } else { return Vec::new() };
    if matches!(resolve, Resolve::Refused | Resolve::Resolver) {
        return Vec::new();
    }
    let mut calls = vec![format!("{quoted}()")];
    calls.extend(FIRST.iter().map(|first| format!("{quoted}({first})")));
    for first in FIRST {
        calls.extend(NEXT.iter().chain([first]).map(|next| format!("{quoted}({first}, {next})")));
    }
    for next in NEXT {
        calls.extend(FIRST.iter().map(|third| format!("{quoted}({third}, {next}, {next})")));
        calls.push(format!("{quoted}('a', s, {next})"));
    }
    for next in NEXT {
        calls.push(format!("{quoted}(i, {next}, {next}, {next})"));
        calls.push(format!("{quoted}(2020, 1, 1, {next}, {next}, {next})"));
    }
    calls
}
