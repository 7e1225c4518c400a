//! A LIMIT calls for no more rows than are wanted, however many partitions the rows come from.

use paceline_tests::{QUICK, Stage};

/// Runs a query over 5,000 records of a file that is read in several parts, and counts the requests.
async fn requests(query: &str) -> u64 {
    let stage = Stage::set(QUICK).await;
    let records: String = (1..=5000).map(|id| format!("{id},{}\n", id % 7)).collect();
    stage.file("in.csv", &format!("id,k\n{records}"));
    let declared = "CREATE TEMP VIEW t USING csv OPTIONS (path '{folder}/in.csv', header true, inferSchema true);
        CREATE TEMP FUNCTION f(id BIGINT) RETURNS STRUCT<score: DOUBLE>
          USING API OPTIONS (endpoint '{api}', rate_limit_calls 'unlimited', on_error 'null');";
    let (report, result) = stage.run(&format!("{declared}{query}")).await;
    result.unwrap();
    assert_eq!(report.requests, stage.api.stats().requests as u64);
    report.requests
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_rows_are_chosen_before_they_are_called_for() {
    for (query, expected) in [
        ("SELECT f(id) FROM t LIMIT 3", 3),
        ("SELECT f(id) FROM t WHERE id > 4000 LIMIT 3", 3),
        ("SELECT f(id) FROM t ORDER BY k, id DESC LIMIT 4 OFFSET 2", 6),
        ("SELECT f(id), f(id + 1) FROM t ORDER BY id DESC LIMIT 2", 4),
        ("SELECT id FROM t ORDER BY f(id).score LIMIT 2", 5000),
        ("INSERT OVERWRITE DIRECTORY '{folder}/out' USING json SELECT id, f(id) AS a FROM t ORDER BY id LIMIT 5", 5),
    ] {
        assert_eq!(requests(query).await, expected, "{query}");
    }
}
