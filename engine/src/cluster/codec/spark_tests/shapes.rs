//! Shapes of queries.

use super::Both;

/// Everything that the resolver makes of a statement.
const QUERIES: &[&str] = &[
    "SELECT count(*) FROM t",
    "SELECT 1",
    "SELECT 1 WHERE false",
    "SELECT * FROM t",
    "SELECT l, l, s AS l FROM t WHERE l > 3",
    "SELECT count(*), count(i), count(DISTINCT g), sum(DISTINCT i), avg(n), min(s), max(dti), max(dd) FROM t",
    "SELECT g, sum(i) FILTER (WHERE t), count(*) FILTER (WHERE i > 2), collect_list(DISTINCT t) FILTER (WHERE l > 2) FROM t GROUP BY g",
    "SELECT g, first(i, true), last(i) IGNORE NULLS, any_value(g) FROM (SELECT * FROM t WHERE l < 3) GROUP BY g",
    "SELECT g, t, grouping(g), grouping_id(), sum(n) FROM t GROUP BY CUBE (g, t)",
    "SELECT g, t, count(*) FROM t GROUP BY g, t GROUPING SETS ((g), (t), ())",
    "SELECT g, max(i) FROM t GROUP BY g HAVING max(i) > 6",
    "SELECT DISTINCT g, t FROM t",
    "SELECT percentile(i, 0.5), percentile_approx(i, array(0.1, 0.9)), approx_count_distinct(s), stddev(i), corr(i, l), mode(g) FROM t",
    "SELECT percentile_cont(0.25) WITHIN GROUP (ORDER BY i DESC) FROM t",
    "SELECT max_by(s, i), min_by(i, s), count_if(t), bool_and(t), bit_xor(i), histogram_numeric(i, 3) FROM t",
    "SELECT l, row_number() OVER (ORDER BY l), rank() OVER (PARTITION BY g ORDER BY l), ntile(2) OVER (ORDER BY l DESC) FROM t",
    "SELECT l, lag(i) OVER (ORDER BY l), lead(i, 2, -1) OVER (ORDER BY l), lag(i) IGNORE NULLS OVER (ORDER BY l) FROM t",
    "SELECT l, lag(i, 1) RESPECT NULLS OVER (ORDER BY l), lead(i) IGNORE NULLS OVER (PARTITION BY g ORDER BY l) FROM t",
    "SELECT l, first_value(i) IGNORE NULLS OVER (ORDER BY l ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING) FROM t",
    "SELECT l, first(i, true) OVER (PARTITION BY g ORDER BY l ROWS 1 PRECEDING), nth_value(i, 2) IGNORE NULLS OVER (ORDER BY l) FROM t",
    "SELECT l, last_value(i) IGNORE NULLS OVER (ORDER BY l ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) FROM t",
    "SELECT l, sum(i) OVER (PARTITION BY g % 2 ORDER BY l ROWS BETWEEN 1 PRECEDING AND CURRENT ROW), avg(n) OVER (PARTITION BY upper(s)) FROM t",
    "SELECT l, count(*) OVER (ORDER BY l RANGE BETWEEN 2 PRECEDING AND 1 FOLLOWING), collect_list(i) OVER (PARTITION BY g ORDER BY l) FROM t",
    "SELECT l, sum(l) OVER (ORDER BY dt RANGE BETWEEN INTERVAL 2 DAYS PRECEDING AND CURRENT ROW) FROM t",
    "SELECT l, lag(dd, 1, INTERVAL '7' DAY) OVER (ORDER BY l) AS x, CAST(lag(dd) OVER (ORDER BY l) AS STRING) FROM t",
    "SELECT g, percent_rank() OVER (ORDER BY sum(i)), cume_dist() OVER (ORDER BY g) FROM t GROUP BY g",
    "SELECT a.l, b.s FROM t a JOIN t b ON a.l = b.i AND a.s <= b.s",
    "SELECT a.l, b.s FROM t a JOIN t b ON upper(a.s) = upper(b.s)",
    "SELECT a.l, b.l FROM t a LEFT JOIN t b ON a.l = b.l + 4",
    "SELECT a.l, b.l FROM t a FULL JOIN t b ON a.l < b.l AND b.l < 3 AND a.l < 2",
    "SELECT a.l FROM t a LEFT SEMI JOIN t b ON a.l < b.i",
    "SELECT a.l FROM t a LEFT ANTI JOIN t b ON a.l = b.i",
    "SELECT count(*) FROM t a CROSS JOIN t b",
    "SELECT l, g FROM t NATURAL JOIN (SELECT g, 1 AS z FROM t WHERE l = 1)",
    "SELECT a.i, b.i FROM t a JOIN t b ON a.i <=> b.i",
    "SELECT l, (SELECT max(i) FROM t) FROM t",
    "SELECT l, (SELECT i FROM t WHERE l = 3) FROM t",
    "SELECT l, (SELECT i FROM t WHERE l > 3) FROM t",
    "SELECT l, (SELECT i FROM t WHERE l > 30) FROM t",
    "SELECT l, (SELECT sum(b.i) FROM t b WHERE b.g = a.g) FROM t a",
    "SELECT l FROM t a WHERE EXISTS (SELECT 1 FROM t b WHERE b.l = a.l + 3)",
    "SELECT l FROM t a WHERE NOT EXISTS (SELECT 1 FROM t b WHERE b.l > a.l)",
    "SELECT l FROM t WHERE l IN (SELECT i FROM t WHERE t)",
    "SELECT l FROM t WHERE l NOT IN (SELECT i FROM t WHERE t)",
    "SELECT l FROM t WHERE l NOT IN (SELECT i FROM t WHERE i > 6)",
    "SELECT l FROM t a WHERE l NOT IN (SELECT i FROM t b WHERE i > 6 AND a.g = b.g)",
    "SELECT l, l IN (SELECT i FROM t WHERE t), EXISTS (SELECT 1 FROM t WHERE l > 100) FROM t",
    "SELECT l FROM t UNION SELECT i FROM t",
    "SELECT l FROM t UNION ALL SELECT 1 UNION ALL VALUES (7L), (NULL)",
    "SELECT g FROM t EXCEPT ALL SELECT 1",
    "SELECT g FROM t INTERSECT ALL SELECT i FROM t",
    "SELECT g FROM t MINUS SELECT i FROM t WHERE l > 1",
    "SELECT l, e FROM t LATERAL VIEW explode(ai) x AS e",
    "SELECT l, p, e FROM t LATERAL VIEW OUTER posexplode(IF(t, az, NULL)) x AS p, e",
    "SELECT l, k, v FROM t LATERAL VIEW explode(m) x AS k, v",
    "SELECT l, inline(ast) FROM t",
    "SELECT stack(2, i, s, g, 'x') FROM t",
    "SELECT l, json_tuple(j, 'p', 'q') FROM t",
    "SELECT * FROM t PIVOT (sum(i) AS s, count(*) AS c FOR g IN (0 AS zero, 1, 2))",
    "SELECT l, u, v FROM t UNPIVOT (v FOR u IN (i, sh))",
    "SELECT * FROM VALUES (1, INTERVAL '1' DAY, X'00', map('a', 1)), (2, NULL, NULL, NULL) AS v (a, b, c, d)",
    "SELECT * FROM range(3) a, range(2) b",
    "SELECT * FROM (SELECT l, s FROM t ORDER BY l DESC NULLS LAST LIMIT 3 OFFSET 1) ORDER BY s",
    "SELECT s FROM t ORDER BY upper(s), l LIMIT 4",
    "WITH a AS (SELECT l FROM t), b AS (SELECT l + 1 AS l FROM a) SELECT * FROM a JOIN b USING (l)",
    "SELECT transform(ai, x -> x + l), filter(az, (x, i) -> i > 0), aggregate(ai, 0, (a, x) -> a + coalesce(x, g), a -> a * 2) FROM t",
    "SELECT transform(aai, x -> transform(x, y -> y + l)), transform_values(m, (k, v) -> v * 2), array_sort(array(g, 1, 2), (a, b) -> b - a) FROM t",
    "SELECT exists(ai, x -> x = l), forall(ai, x -> x > 0), zip_with(ai, ai, (a, b) -> a + b), map_filter(m, (k, v) -> v > l) FROM t",
    "SELECT CAST(dd AS STRING), CAST(INTERVAL '1' DAY AS STRING), dd + INTERVAL '3' HOUR, ym * 2, dti / 2, abs(dd) FROM t",
    "SELECT transform(array(dd), x -> CAST(x AS STRING)), to_json(named_struct('a', dd, 'b', ym)), hash(dd, INTERVAL '1' DAY) FROM t",
    "SELECT g, CAST(max(dd) AS STRING), CAST(sum(dd) AS STRING), CAST(first(dd) AS STRING) FROM (SELECT * FROM t WHERE l < 3) GROUP BY g",
    "SELECT dd, count(*), CAST(dd AS STRING) FROM t GROUP BY dd",
    "SELECT CAST(x AS STRING) FROM (SELECT dd AS x FROM t UNION ALL SELECT INTERVAL '1' DAY)",
    "SELECT CASE WHEN t THEN dd ELSE INTERVAL '5' DAY END AS x, CAST(CASE WHEN t THEN dd ELSE INTERVAL '5' DAY END AS STRING) FROM t",
    "SELECT CAST(coalesce(IF(t, dd, NULL), INTERVAL '2' DAY) AS STRING), CAST(greatest(dd, INTERVAL '2' DAY) AS STRING) FROM t",
    "SELECT ts, CAST(ts AS STRING), date_format(ts, 'yyyy-MM-dd HH:mm:ss VV'), hour(ts), to_date(ts), ts = ntz FROM t",
    "SELECT rand(5), randn(-3), rand(5) < 2, l FROM t",
    "SELECT l, monotonically_increasing_id(), spark_partition_id(), input_file_name() FROM t WHERE rand(2) < 0.8",
    "SELECT l FROM t ORDER BY monotonically_increasing_id() DESC LIMIT 3",
    "SELECT p, count(*) FROM (SELECT spark_partition_id() AS p, l FROM (SELECT * FROM t DISTRIBUTE BY g) WHERE l > 1) GROUP BY p",
    "SELECT s RLIKE 'a[0-3]', s LIKE 'a1%', s ILIKE 'A_,%', s IN ('x', NULL), l BETWEEN 2 AND 3, NOT t, -i, i + 1.5BD, i DIV 2, d / 0 FROM t",
    "SELECT st.p, ast[0].k, m['k'], aai[1][0], st FROM t",
    "SELECT 1L, 1S, 1Y, 1.5, 1.5D, 1.5F, 'x', X'0102', true, NULL, DATE '2020-01-01', TIMESTAMP '2020-01-01', INTERVAL '1-2' YEAR TO MONTH",
    "SELECT array(), map(), array(NULL), named_struct('a', NULL), array(map(1, array(INTERVAL '1' DAY)))",
];

/// Those of them that fail when they run.
const FAILING: &[&str] = &["SELECT l, (SELECT i FROM t WHERE l > 3) FROM t"];

#[tokio::test]
async fn every_shape_of_query_gives_the_same_on_the_other_side() {
    let mut both = Both::new().await;
    let mut wrong = Vec::new();
    for text in QUERIES {
        match both.resolve(text) {
            Ok(resolved) => wrong.extend(both.difference(text, &resolved, Some(FAILING.contains(text))).await),
            Err(error) => wrong.push(format!("{text}\n  {error}")),
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), QUERIES.len(), wrong.join("\n"));
}
