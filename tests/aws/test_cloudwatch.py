"""A job's numbers reach CloudWatch under the Python job's names, sum up to what the job did, and never fail it."""

import datetime
import json
import re
import threading

from cluster import until
from conftest import RECORDS, keys
from servers import Api, Server


FLAGS = ["--conf", "spark.app.name=nightly", "--conf", "paceline.api.default.max_failed_percent=100", "--report", "report.json"]
PUBLISHED = [*FLAGS, "--conf", "paceline.cloudwatch.namespace=SparkProcessing", "--conf", "paceline.cloudwatch.interval=1"]


def summed(aws, name, namespace="SparkProcessing", **dimensions):
    now = datetime.datetime.now(datetime.timezone.utc)
    hour = datetime.timedelta(hours=1)
    wanted = [{"Name": key, "Value": value} for key, value in ({"JobName": "nightly"} | dimensions).items()]
    found = aws.client("cloudwatch").get_metric_statistics(
        Namespace=namespace, MetricName=name, Dimensions=wanted, StartTime=now - hour, EndTime=now + hour,
        Period=3600, Statistics=["Sum", "Maximum"])
    return sum(point["Sum"] for point in found["Datapoints"])


def last_progress(paceline):
    """What the job last said of itself, in its event log."""
    texts = [log.read_text() for log in (paceline.folder / "logs").glob("*.jsonl")]
    # The last line may not be whole yet.
    lines = [json.loads(line) for text in texts for line in text.rpartition("\n")[0].splitlines()]
    return ([line["progress"] for line in lines if line["event"] == "progress"] or [None])[-1]


def test_what_cloudwatch_has_is_what_the_job_did(aws, paceline):
    with Api() as api:
        code, said = paceline.run(*paceline.job(aws, api.url, *PUBLISHED), **keys(aws.url))
    assert code == 0, said
    report = paceline.report()
    assert (report["records_written"], report["records_failed"]) == (RECORDS - RECORDS // 10, RECORDS // 10)
    assert summed(aws, "ProcessedRecords") == RECORDS
    assert summed(aws, "FailedRecords") == report["records_failed"]
    assert summed(aws, "RetryCount") == report["retries"]
    assert summed(aws, "Errors", ErrorType="http_4xx") == report["records_failed"]
    names = {metric["MetricName"] for metric in aws.client("cloudwatch").list_metrics(Namespace="SparkProcessing")["Metrics"]}
    assert {"SuccessRate", "ProcessingSpeed", "APILatencyAvg", "AverageBatchSize", "BreakerOpen", "MemoryUtilization"} <= names


def test_a_cloudwatch_that_is_not_there_fails_nothing(aws, paceline):
    with Api() as api:
        env = keys(aws.url) | {"AWS_ENDPOINT_URL_CLOUDWATCH": "http://127.0.0.1:9"}
        code, said = paceline.run(*paceline.job(aws, api.url, *PUBLISHED), **env)
    assert code == 0, said
    assert "CloudWatch does not take the job's metrics" in said
    assert re.search(r"calls to CloudWatch were dropped.*dropped=[1-9]", said), said


def test_the_embedded_metric_format_says_the_same(aws, paceline):
    with Api() as api:
        flags = [*PUBLISHED, "--conf", "paceline.cloudwatch.emf=true"]
        code, output, said = paceline.run_and_read(*paceline.job(aws, api.url, *flags), **keys(aws.url))
    assert code == 0, said
    lines = [json.loads(line) for line in output.splitlines() if line.startswith('{"_aws"')]
    assert sum(line.get("ProcessedRecords", 0) for line in lines) == RECORDS
    assert all(line["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "SparkProcessing" for line in lines)


def test_glue_s_names_are_there_where_they_are_asked_for(aws, paceline):
    with Api() as api:
        code, said = paceline.run(*paceline.job(aws, api.url, *FLAGS, "--conf", "paceline.cloudwatch.glue=true"), **keys(aws.url))
    assert code == 0, said
    client = aws.client("cloudwatch")
    ours = [metric for metric in client.list_metrics(Namespace="Glue")["Metrics"] if {"Name": "JobName", "Value": "nightly"} in metric["Dimensions"]]
    names = {metric["MetricName"] for metric in ours}
    aggregate = "glue.driver.aggregate."
    counts = ("elapsedTime", "numCompletedStages", "numCompletedTasks", "numFailedTasks", "recordsRead", "bytesRead")
    shuffled = ("shuffleBytesWritten", "shuffleLocalBytesRead", "shuffleRemoteBytesRead")
    wanted = {aggregate + name for name in counts + shuffled}
    gauges = ("jvm.heap.usage", "s3.filesystem.read_bytes", "s3.filesystem.write_bytes", "system.cpuSystemLoad")
    # Of a cluster there are more.
    assert names == wanted | {f"glue.{of}.{name}" for of in ("driver", "ALL") for name in gauges}
    size = aws.s3.head_object(Bucket=aws.source, Key="records.csv")["ContentLength"]
    of_all = lambda name, kind: summed(aws, f"glue.driver.{name}", "Glue", JobRunId="ALL", Type=kind)
    assert of_all("aggregate.recordsRead", "count") == RECORDS
    # The ends of lines are read with the part before and with the part behind them.
    assert size // 2 < of_all("aggregate.bytesRead", "count") <= 2 * size
    assert of_all("aggregate.shuffleBytesWritten", "count") == 0
    assert of_all("s3.filesystem.read_bytes", "gauge") >= size and of_all("s3.filesystem.write_bytes", "gauge") > 0
    for name in ("s3.filesystem.read_bytes", "s3.filesystem.write_bytes"):
        assert summed(aws, f"glue.ALL.{name}", "Glue", JobRunId="ALL", Type="gauge") == of_all(name, "gauge")
    for metric in ours:
        dimensions = {one["Name"]: one["Value"] for one in metric["Dimensions"]}
        kind = "count" if "aggregate" in metric["MetricName"] else "gauge"
        assert dimensions == {"JobName": "nightly", "JobRunId": "ALL", "Type": kind}, metric


def on(cluster, name):
    """The flags of a job of a name that runs on a cluster, says what it does, and tells CloudWatch."""
    said = ["--conf", f"spark.app.name={name}", "--conf", "paceline.eventlog.dir=logs", "--conf", "paceline.cloudwatch.glue=true"]
    return ["run", "job.sql", *cluster.flags(), *said]


def counts_of(aws, name):
    """Counts of a job of that name, by Glue's names."""
    return lambda count: summed(aws, f"glue.driver.aggregate.{count}", "Glue", JobName=name, JobRunId="ALL", Type="count")


def test_on_a_cluster_glue_s_counts_are_those_of_its_tasks(aws, paceline, cluster):
    grouped = "SELECT id % 7 AS k, count(*) AS n FROM records GROUP BY id % 7"
    (paceline.folder / "job.sql").write_text(f"""
        CREATE TEMPORARY VIEW records USING csv OPTIONS (path 's3://{aws.source}/records.csv', header 'true', inferSchema 'true');
        INSERT OVERWRITE DIRECTORY 's3://{aws.target}/one' USING json {grouped};
        INSERT OVERWRITE DIRECTORY 's3://{aws.target}/two' USING json {grouped};""")
    code, said = paceline.run(*on(cluster, "grouped"), "--conf", "paceline.partitions=4", **keys(aws.url))
    assert code == 0, said
    count, progress = counts_of(aws, "grouped"), last_progress(paceline)
    plans, moved = progress["plans"], progress["moved"]
    assert count("numCompletedTasks") == plans["tasks_completed"] >= 4
    assert count("numCompletedStages") == plans["stages_completed"] >= 4
    assert count("numFailedTasks") == count("numKilledTasks") == plans["tasks_killed"] == 0
    assert count("recordsRead") == moved["read_records"] == 2 * RECORDS
    # Each row that a stage wrote for another is read once.
    assert count("shuffleBytesWritten") == plans["shuffle_written_bytes"] > 0
    assert count("shuffleBytesWritten") == count("shuffleLocalBytesRead") + count("shuffleRemoteBytesRead")


class Slow(Server):
    """Answers each record with half of it, all of them when it is time."""

    def __init__(self, is_time):
        self.is_time = is_time
        self.come = threading.Event()
        super().__init__()

    def reply(self, method, path, headers, body):
        id = json.loads(body)["id"]
        if id == 1:
            until(self.is_time)
            self.come.set()
        self.come.wait()
        return 200, [("Content-Type", "application/json")], json.dumps({"score": id / 2}).encode()


def test_on_a_cluster_glue_s_gauges_are_of_executors_too(aws, paceline, cluster):
    def all_slots_are_full():
        """Those of two executors with two slots each, when they have said how busy they are."""
        seen = last_progress(paceline)
        return seen and seen["tasks"]["running"] == 4 and "cpu_permille" in seen.get("executors", {})

    with Slow(all_slots_are_full) as api:
        (paceline.folder / "job.sql").write_text(f"""
            CREATE TEMPORARY VIEW records USING csv OPTIONS (path 's3://{aws.source}/records.csv', header 'true', inferSchema 'true');
            CREATE TEMPORARY FUNCTION f(id BIGINT) RETURNS STRUCT<score: DOUBLE> USING API OPTIONS (endpoint '{api.url}',
              rate_limit_calls 'unlimited', max_in_flight '{RECORDS}');
            INSERT OVERWRITE DIRECTORY 's3://{aws.target}/scored' USING json SELECT id, f(id).score AS score FROM records;""")
        once = ["--conf", "paceline.cloudwatch.interval=60"]
        code, said = paceline.run(*on(cluster, "gauged"), *once, "--conf", "paceline.partitions=4", **keys(aws.url))
    assert code == 0, said
    progress = last_progress(paceline)
    executors, moved = progress["executors"], progress["moved"]
    # A gauge is published once, in the end, so its sum is its value.
    gauge = lambda name: summed(aws, f"glue.{name}", "Glue", JobName="gauged", JobRunId="ALL", Type="gauge")
    allocation = "driver.ExecutorAllocationManager.executors"
    assert (executors["count"], executors["slots"]) == (2, 4)
    assert (gauge(f"{allocation}.numberAllExecutors"), gauge(f"{allocation}.numberMaxNeededExecutors")) == (2, 2)
    size = aws.s3.head_object(Bucket=aws.source, Key="records.csv")["ContentLength"]
    for name, elsewhere, least in (("read", "executors_s3_read_bytes", size), ("write", "executors_s3_written_bytes", 1)):
        of_driver, of_all = (gauge(f"{of}.s3.filesystem.{name}_bytes") for of in ("driver", "ALL"))
        assert of_all - of_driver == moved[elsewhere] >= least
    on_average = (gauge("driver.system.cpuSystemLoad") + 2 * executors["cpu_permille"] / 1000) / 3
    assert 0 <= on_average <= 1 and abs(gauge("ALL.system.cpuSystemLoad") - on_average) < 1e-6


class Held(Server):
    """Refuses the first record when it is time, and leaves the file's last ones without an answer."""

    def __init__(self, is_time):
        self.is_time = is_time
        self.release = threading.Event()
        super().__init__()

    def reply(self, method, path, headers, body):
        id = json.loads(body)["id"]
        if id == 1:
            until(self.is_time)
            return 422, [], b'{"error": "no such record"}'
        if id > RECORDS * 2 // 3:
            self.release.wait()
        return 200, [("Content-Type", "application/json")], json.dumps({"score": id / 2}).encode()

    def __exit__(self, *error):
        self.release.set()
        super().__exit__(*error)


def test_a_task_that_ends_because_another_failed_was_killed(aws, paceline, cluster):
    # A task reads the first half of the file, another the second.
    both_run = lambda: (last_progress(paceline) or {"tasks": {"running": 0}})["tasks"]["running"] == 2
    with Held(both_run) as api:
        (paceline.folder / "job.sql").write_text(f"""
            CREATE TEMPORARY VIEW records USING csv OPTIONS (path 's3://{aws.source}/records.csv', header 'true', inferSchema 'true');
            CREATE TEMPORARY FUNCTION f(id BIGINT) RETURNS STRUCT<score: DOUBLE> USING API OPTIONS (endpoint '{api.url}',
              rate_limit_calls 'unlimited', max_in_flight '{RECORDS}', on_error 'fail', max_failed_percent '100');
            INSERT OVERWRITE DIRECTORY 's3://{aws.target}/scored' USING json SELECT id, f(id).score AS score FROM records;""")
        code, said = paceline.run(*on(cluster, "failed"), "--conf", "paceline.partitions=2", **keys(aws.url))
    assert code == 1, said
    count, plans = counts_of(aws, "failed"), last_progress(paceline)["plans"]
    assert count("numKilledTasks") == plans["tasks_killed"] == 1
    assert count("numFailedTasks") == plans["tasks_failed"] == 1
    assert count("numCompletedTasks") == plans["tasks_completed"] == 0


def test_a_job_s_events_are_in_cloudwatch_logs_without_its_data(aws, paceline):
    group = f"/paceline/{aws.source}"
    flags = [*FLAGS, "--job-id", "logged", "--conf", f"paceline.cloudwatch.log_group={group}"]
    with Api() as api:
        code, said = paceline.run(*paceline.job(aws, api.url, *flags), **keys(aws.url))
    assert code == 0, said
    events = aws.client("logs").get_log_events(logGroupName=group, logStreamName="logged", startFromHead=True)["events"]
    lines = [json.loads(event["message"]) for event in events]
    told = [line["event"] for line in lines]
    assert (told[0], told[-1]) == ("job_started", "job_ended")
    assert told.count("statement_ended") == 3 and not {"progress", "stages", "executors", "dead_letters"} & set(told)
    assert lines[-1]["report"]["records_failed"] == RECORDS // 10


def test_logs_that_are_not_there_fail_nothing(aws, paceline):
    env = keys(aws.url) | {"AWS_ENDPOINT_URL_CLOUDWATCH_LOGS": "http://127.0.0.1:9"}
    with Api() as api:
        code, said = paceline.run(*paceline.job(aws, api.url, *FLAGS, "--conf", "paceline.cloudwatch.log_group=g"), **env)
    assert code == 0, said
    assert "CloudWatch Logs does not take the job's events" in said
