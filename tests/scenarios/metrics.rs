//! What is told of each function: in the report, and to Prometheus.

use paceline_engine::demo::MockApiOptions;
use paceline_engine::observe::prometheus;
use paceline_tests::{QUICK, Stage};

#[tokio::test(flavor = "multi_thread")]
async fn a_function_is_told_of_in_the_report_and_to_prometheus() {
    let stage = Stage::set(MockApiOptions { fail_percent: 10, ..QUICK }).await;
    let script = "CREATE TEMP FUNCTION f(id BIGINT) RETURNS STRUCT<score: DOUBLE>
           USING API OPTIONS (endpoint '{api}', rate_limit_calls 'unlimited', retry_delay '1 ms', quota 'vendor');
         CREATE TEMP FUNCTION g(id BIGINT) RETURNS STRUCT<score: DOUBLE> DETERMINISTIC
           USING API OPTIONS (endpoint '{api}', rate_limit_calls '100', retry_delay '1 ms');
         INSERT OVERWRITE DIRECTORY '{folder}/out' USING parquet SELECT f(id) AS a FROM range(100);
         INSERT OVERWRITE DIRECTORY '{folder}/two' USING parquet SELECT g(id % 10) AS a FROM range(50);";
    let (report, result) = stage.run(script).await;
    result.unwrap();
    let (f, g) = (&report.functions["f"], &report.functions["g"]);
    assert_eq!((f.records, f.answered, f.quota.as_str()), (100, 100, "vendor"));
    let retries: u64 = f.retries_by_cause.values().sum();
    assert_eq!((f.requests, f.retries_by_cause["http_5xx"]), (100 + retries, retries));
    assert!(retries >= 10 && f.failures_by_kind.is_empty());
    assert!(f.bytes_sent > 100 && f.bytes_received > 1000 && f.latency_ms.is_some() && f.limiter_wait_ms.is_some());
    // Ten questions, fifty rows.
    let asked: u64 = g.requests - g.retries_by_cause.values().sum::<u64>();
    assert_eq!((g.records, g.answered, asked, g.cache_hits + g.shared_requests), (50, 50, 10, 40));

    let text = prometheus::text(&stage.session.metrics().unwrap()).unwrap();
    for line in [
        format!("paceline_requests_total{{function=\"f\"}} {}", f.requests),
        "paceline_records_answered_total{function=\"f\"} 100".to_owned(),
        format!("paceline_retries_total{{function=\"f\",cause=\"http_5xx\"}} {retries}"),
        "paceline_records_failed_total{function=\"f\",kind=\"http_5xx\"} 0".to_owned(),
        "paceline_requests_in_flight{function=\"g\"} 0".to_owned(),
        "paceline_breaker_open{function=\"f\"} 0".to_owned(),
        "paceline_quota_requests_per_second{quota=\"g\"} 100".to_owned(),
        "# TYPE paceline_latency_seconds gauge".to_owned(),
    ] {
        assert!(text.lines().any(|found| found == line), "{line} in {text}");
    }
}
