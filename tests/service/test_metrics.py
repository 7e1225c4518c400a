"""What Prometheus reads: in the end exactly what the report says, and every metric that dashboard and alerts name."""

import json
import re
import subprocess
from pathlib import Path

import pytest
from cluster import Cluster, until

ROOT = Path(__file__).parents[2]
RECORDS = 2000


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A cluster on which a job has ended, with retries and rows that were given up; and the job."""
    folder = tmp_path_factory.mktemp("metrics")
    cluster = Cluster(folder, executors=2)
    api = cluster.mock_api("--fail-percent", "20", "--latency-ms", "5")
    rows = "".join(f"{id},user{id}@example.com\n" for id in range(1, RECORDS + 1))
    (folder / "records.csv").write_text(f"id,email\n{rows}")
    sql = f"""
        CREATE TEMPORARY VIEW records (id BIGINT, email STRING) USING csv OPTIONS (path '{folder}/records.csv', header 'true');
        CREATE TEMPORARY FUNCTION enrich(id BIGINT, email STRING) RETURNS STRUCT<status: STRING, score: DOUBLE> USING API OPTIONS (
          endpoint '{api}', quota 'shared', rate_limit_calls '2000', retry_max_attempts '2', retry_delay '10 ms',
          breaker 'off', max_failed_percent '100');
        INSERT OVERWRITE DIRECTORY '{folder}/out' USING json SELECT id, enrich(id, email).status AS status FROM records;
        SELECT id % 7 AS k, count(*) AS n FROM records GROUP BY id % 7;"""
    id = cluster.ask("/api/v1/jobs", {"sql": sql, "job_name": "measured"})["id"]

    def ended():
        job = cluster.ask(f"/api/v1/jobs/{id}")
        return job if job["state"] not in ("WAITING", "STARTING", "RUNNING") else None

    job = until(ended, 120)
    assert job["state"] == "SUCCEEDED", job
    yield cluster, job
    cluster.end()


def scraped(text):
    """Numbers by name and labels."""
    found = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            match = re.fullmatch(r'(\w+)(?:\{(.*)\})? (\S+)', line)
            labels = frozenset(re.findall(r'(\w+)="([^"]*)"', match[2] or ""))
            found[match[1], labels] = float(match[3])
    return found


def of(numbers, name, **labels):
    wanted = set(labels.items())
    return sum(value for (known, having), value in numbers.items() if known == name and wanted <= having)


def scrapes(cluster):
    executors = [scraped(cluster.text(executor.says("metrics"))) for executor in cluster.executors]
    return scraped(cluster.text(cluster.page + "/metrics")), executors


def test_metrics_in_the_end_are_exactly_the_reports(finished):
    cluster, job = finished
    scheduler, executors = scrapes(cluster)
    report, function = job["report"], job["report"]["functions"]["enrich"]
    assert report["records_failed"] > 0 and report["retries"] > 0 and report["records_written"] + report["records_failed"] == RECORDS
    names = {
        "paceline_requests_total": "requests", "paceline_records_total": "records", "paceline_records_answered_total": "answered",
        "paceline_rate_limit_hits_total": "rate_limit_hits", "paceline_split_requests_total": "split_requests",
        "paceline_sent_bytes_total": "bytes_sent", "paceline_received_bytes_total": "bytes_received",
        "paceline_breaker_openings_total": "breaker_opened", "paceline_journal_hits_total": "journal_hits",
        "paceline_cache_hits_total": "cache_hits", "paceline_shared_requests_total": "shared_requests", "paceline_polls_total": "polls",
    }
    # The scheduler has all of the job; the executors together have it too.
    for numbers in ([scheduler], executors):
        total = lambda name, **labels: sum(of(one, name, function="enrich", **labels) for one in numbers)
        for name, field in names.items():
            assert total(name) == function[field], name
        assert total("paceline_retries_total") == report["retries"]
        assert total("paceline_records_failed_total") == report["records_failed"]
        for kind, rows in function["failures_by_kind"].items():
            assert total("paceline_records_failed_total", kind=kind) == rows
        for cause, retries in function["retries_by_cause"].items():
            assert total("paceline_retries_total", cause=cause) == retries
    assert of(scheduler, "paceline_requests_total") == report["requests"]
    assert of(scheduler, "paceline_jobs", state="SUCCEEDED") == 1
    assert of(scheduler, "paceline_function_info", function="enrich", quota="shared") == 1


def test_executors_tell_of_their_tasks_memory_and_shuffles(finished):
    cluster, _ = finished
    scheduler, executors = scrapes(cluster)
    together = lambda name, **labels: sum(of(numbers, name, **labels) for numbers in executors)
    assert together("paceline_executor_tasks_total", outcome="completed") > 0
    assert together("paceline_executor_shuffle_written_bytes_total") > 0
    assert together("paceline_executor_shuffle_read_bytes_total") > 0
    assert together("paceline_executor_memory_pool_bytes") > 0
    assert of(scheduler, "paceline_executors") == 2 and of(scheduler, "paceline_slots") == 4
    assert of(scheduler, "paceline_cluster_quota_allowed_per_second", quota="shared") == 2000


def metrics_of(expression):
    """The names of metrics in an expression of PromQL."""
    without = re.sub(r'"[^"]*"|\{[^}]*\}|\b(?:by|on|without|ignoring) *\([^)]*\)|\[[^\]]*\]', "", expression)
    return set(re.findall(r"\b(?:paceline|process)_\w+", without))


def test_dashboard_and_alerts_name_metrics_that_there_are(finished):
    cluster, _ = finished
    scheduler, executors = scrapes(cluster)
    there = {name for numbers in (scheduler, *executors) for name, _ in numbers}
    there.add("paceline_webhook_events_lost_total")  # of a scheduler that has a webhook
    dashboard = json.loads((ROOT / "docs/monitoring/grafana.json").read_text())
    expressions = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    assert len(expressions) >= 15
    alerts = re.findall(r"expr: (.*)", (ROOT / "docs/monitoring/alerts.yml").read_text())
    assert len(alerts) >= 6
    for expression in expressions + alerts:
        wanted = metrics_of(expression)
        assert wanted and wanted <= there, f"{expression}: {wanted - there}"
    listed = re.findall(r"`(paceline_\w+)`", (ROOT / "docs/jobs.md").read_text())
    assert set(listed) - {"paceline_session"} <= there, set(listed) - there


def test_alerts_fire_when_they_should_and_not_else():
    tests = ROOT / "docs/monitoring/alerts.test.yml"
    done = subprocess.run(["promtool", "test", "rules", tests], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    rules = set(re.findall(r"alert: (\w+)", (ROOT / "docs/monitoring/alerts.yml").read_text()))
    assert rules == set(re.findall(r"alertname: (\w+)", tests.read_text()))


def test_names_follow_the_conventions(finished):
    cluster, _ = finished
    for text in [cluster.text(cluster.page + "/metrics"), *(cluster.text(executor.says("metrics")) for executor in cluster.executors)]:
        kinds = dict(re.findall(r"# TYPE (paceline_\w+) (\w+)", text))
        for name, kind in kinds.items():
            assert name.endswith("_total") == (kind == "counter"), f"{name} is a {kind}"
        assert set(re.findall(r"# HELP (paceline_\w+)", text)) == set(kinds)
