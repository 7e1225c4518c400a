"""What the figures stand on: rows that are compared, outputs that are checked, medians, ratios, regressions, the page."""

import json
import os
import subprocess
import sys
import time

import psutil
import pyarrow
import pyarrow.parquet
import pytest

from compare import charts, cost, instructions, page, processes, profiles, regression, results, supervisor, targets
from compare.api_job import ApiJob
from compare.figures import geometric_mean, median, ratios, short, spread
from compare.outputs import answers_of, faults
from compare.processes import Failed, measured
from compare.scenarios import Rounds
from compare.statements import alike, differs, judge, problems


def test_rows_agree_without_their_order_and_with_other_scales():
    assert differs(["1\tb\t0.0333", "2\ta\t12.50"], ["2\ta\t12.5000", "1\tb\t0.033334"]) is None


@pytest.mark.parametrize(
    ("want", "got"),
    [
        (["1\ta"], []),
        (["1\ta"], ["1\tb"]),
        (["1\ta"], ["2\ta"]),
        (["0.0333"], ["0.0343"]),
        (["a\tb"], ["a"]),
        (["NULL"], ["0"]),
        (["1", "1", "2"], ["1", "2", "2"]),
    ],
)
def test_rows_that_differ_are_found(want, got):
    assert differs(want, got)


def test_numbers_are_alike_to_the_digits_that_both_have():
    assert alike("123141078.2283", "1.231410782283E8")
    assert alike("0.05", "0.049985")
    assert alike("25.575154", "25.575155")
    assert not alike("25.57", "25.58")
    assert not alike("100", "101")
    assert not alike("0.05", "0.0611")
    assert alike("1.00000000001E10", "1.0E10")
    assert not alike("1.001E10", "1.0E10")


def test_what_differs_in_any_round_is_a_problem():
    def answers(rows, error=None):
        return [{"name": "q01", "rows": ["1"], "error": None}, {"name": "q01", "rows": rows, "error": error}]

    runs = {"pyspark": [{}], "sail": [{}], "paceline": [{}]}
    judge(runs, {"pyspark": answers(["1"]), "sail": answers(["1"]), "paceline": answers(["2"])})
    for of_contender in runs.values():
        of_contender.append({})
    judge(runs, {"pyspark": answers(["1"]), "sail": answers(None, "refused"), "paceline": answers(["1"])})
    assert list(problems("tpch", runs)) == ["tpch: sail: q01: refused", "tpch: paceline: q01: row '2' instead of '1'"]
    judge(runs, {"pyspark": answers(["1"]), "sail": answers(["3"]), "paceline": answers(None, "refused")}, unread=("q01",))
    assert [runs[contender][-1]["differs"] for contender in ("sail", "paceline")] == [{}, {"q01": "refused"}]


def test_no_round_begins_that_would_not_end_in_time():
    def begun(most, minutes, seconds):
        clock, numbers = [0.0], []
        for number in Rounds(most, minutes, lambda: clock[0]):
            numbers.append(number)
            clock[0] += seconds
        return len(numbers)

    assert begun(5, None, 100) == 5
    assert begun(5, 5, 100) == 3
    assert begun(5, 1, 100) == 1
    assert begun(2, 60, 100) == 2


def output(folder, ids, score=0.5):
    answer = [{"status": "ok", "score": score} for _ in ids]
    folder.mkdir()
    pyarrow.parquet.write_table(pyarrow.table({"id": ids, "answer": answer}), folder / "part-0.parquet")
    (folder / "_SUCCESS").touch()
    return folder


def test_lost_doubled_and_wrong_rows_are_counted(tmp_path):
    answers = {id: ("ok", 0.5) for id in range(1, 6)}
    none = {"lost": 0, "doubled": 0, "wrong": 0}
    assert faults(output(tmp_path / "right", [5, 4, 3, 2, 1]), answers) == none
    assert faults(output(tmp_path / "lost", [1, 2, 3]), answers) == {**none, "lost": 2}
    assert faults(output(tmp_path / "doubled", [1, 2, 3, 4, 5, 5, 5]), answers) == {**none, "doubled": 2}
    assert faults(output(tmp_path / "foreign", [1, 2, 3, 4, 5, 6]), answers) == {**none, "doubled": 1}
    assert faults(output(tmp_path / "wrong", [1, 2, 3, 4, 5], 0.6), answers) == {**none, "wrong": 5}


def test_the_api_is_asked_for_every_record_once(tmp_path):
    class Api:
        asked = []

        def post(self, records):
            self.asked += [record["id"] for record in records]
            return [{"status": "ok", "score": record["id"] / 2} for record in records]

    source = tmp_path / "records.csv"
    source.write_text("id,email\n" + "".join(f"{id},user{id}@example.com\n" for id in range(1, 2502)))
    answers = answers_of(Api(), source)
    assert Api.asked == list(range(1, 2502))
    assert answers[2501] == ("ok", 1250.5)


def test_figures():
    assert median([3, 1, 2]) == 2
    assert spread([10, 10, 10]) == 0
    assert spread([8, 10, 12]) == pytest.approx(0.1)
    assert ratios([10, None, 30], [5, 1, 10]) == [2, 3]
    assert geometric_mean([1, 100]) == pytest.approx(10)
    assert [short(value) for value in (12345.6, 0.5, 1.2345, None)] == ["12,346", "0.5", "1.23", "–"]


def document(ours, theirs, kind="sql", name="tpch-1", profile="release"):
    def run(seconds):
        return {"total_s": seconds, "wall_s": seconds, "cpu_s": seconds, "peak_bytes": 1e9, "ready_s": 0.1, "geometric_mean_s": 1.0}

    def runs(values):
        return [{**run(seconds), "queries": {"q01": seconds}, "differs": {}, "requests_per_s": 1000 / seconds} for seconds in values]

    about = {"profile": profile, "at": "then", "commit": "0000000", "changed": False, "load_before": 0, "processor": "p", "cores": 2}
    about |= {"memory_bytes": 2**30, "kernel": "6", "versions": {"paceline": "0"}}
    scenario = {"title": "t", "kind": kind, "records": 10, "about": about, "skipped": {}}
    return {"format": 1, "scenarios": {name: {**scenario, "runs": {"paceline": runs(ours), "pyspark": runs(theirs)}}}}


def lost(before, now):
    return [one["too_much"] for one in regression.compared(before, now)]


def test_a_regression_is_a_ratio_that_fell_beyond_the_noise():
    before = document([1, 1, 1], [10, 10, 10])
    assert lost(before, document([1.3, 1.3, 1.3], [10, 10, 10])) == [True]
    assert lost(before, document([1.1, 1.1, 1.1], [10, 10, 10])) == [False]
    # A slower machine is no regression: both take longer.
    assert lost(before, document([2, 2, 2], [20, 20, 20])) == [False]
    # As much was lost as in the first, but the measurements themselves go apart as far.
    assert lost(document([0.8, 1, 1.2], [10, 10, 10]), document([1, 1.3, 1.6], [10, 10, 10])) == [False]
    assert lost(before, document([0.5, 0.5, 0.5], [10, 10, 10])) == [False]
    # Of two rounds nobody knows the noise.
    assert lost(before, document([2, 2], [10, 10])) == [False]


def counted(instructions, profile="release"):
    measured_now = document([1], [1], "instructions", "instructions-record", profile)
    measured_now["scenarios"]["instructions-record"]["runs"] = {"callgrind": [{"instructions": count} for count in instructions]}
    return measured_now


def test_more_instructions_are_a_regression():
    assert lost(counted([100, 101, 100]), counted([130, 131, 130])) == [True]
    assert lost(counted([100, 101, 100]), counted([105, 106, 105])) == [False]
    assert lost(counted([100, 101, 100]), counted([300, 301, 300], "dev")) == []


CALLGRIND = """events: Ir
fn=(1) main
12 100
cfn=(2) _rjem_malloc
calls=7 0
12 50
cfn=(3) other
calls=5 0
13 20
fn=(3)
cfn=(2)
calls=3 0
14 9
summary: 12345
totals: 12345
"""


def test_instructions_and_allocations_are_read(tmp_path):
    (tmp_path / "out").write_text(CALLGRIND)
    assert instructions.read(tmp_path / "out") == (12345, 10)
    (tmp_path / "out").write_text(CALLGRIND.replace("_rjem_malloc", "nameless"))
    assert instructions.read(tmp_path / "out") == (12345, None)


def test_profiles_that_differ_are_said():
    assert list(regression.comparable(document([1], [1]), document([1], [1], profile="dev")))
    assert not list(regression.comparable(document([1], [1]), document([1], [1])))


def test_targets_are_ratios_of_the_same_round():
    measured_ratios = {(target.scenario, target.contender, target.figure): target for target in targets.TARGETS}
    total = measured_ratios["tpch-1", "pyspark", "total_s"]
    assert total.measured(document([1, 2, 4], [10, 20, 30])) == 10
    assert total.met(10) and not total.met(7.9)
    memory = measured_ratios["tpch-1", "pyspark", "peak_bytes"]
    assert memory.measured(document([1], [1])) == 1
    assert memory.met(0.2) and not memory.met(0.3)
    assert total.measured({"scenarios": {}}) is None


def test_a_target_that_is_no_ratio_has_the_other_beside_it():
    rate = next(target for target in targets.TARGETS if target.of)
    measured_now = document([0.2], [0.8], "api", "api-5000")
    assert rate.measured(measured_now) == 1
    assert rate.share(measured_now, "pyspark") == 0.25


def test_cost_is_workers_times_seconds_times_price():
    # 2,500/s on 2 cores are 5,000/s on a worker's 4: a worker and the driver, 200 s each.
    found = {(row[0], row[3]): row for row in cost.rows(document([0.2], [0.4], "api", "api-5000"))}
    _, _, _, _, seconds, dpu, dollars = found["pyspark", 2]
    assert (seconds, dpu) == (200, 400)
    assert dollars == pytest.approx(400 / 3600 * 0.44)


def test_the_page_is_written_between_its_marks(tmp_path, monkeypatch):
    monkeypatch.setattr(page, "PAGE", tmp_path / "page.md")
    monkeypatch.setattr(page, "CHARTS", tmp_path / "charts")
    page.PAGE.write_text(f"before\n{page.BEGIN}\nstale figures\n{page.END}\nafter\n")
    page.write(document([1, 1], [10, 12]))
    text = page.PAGE.read_text()
    assert text.startswith("before\n") and text.endswith("\nafter\n") and "stale figures" not in text
    assert "| TPC-H at scale 1 | PySpark 3.5.4 | total | release | 11 | ≥ 8 | yes |" in text
    assert (tmp_path / "charts" / "tpch-1-queries.svg").exists()
    again = (tmp_path / "charts" / "tpch-1.svg").read_bytes()
    charts.draw(document([1, 1], [10, 12]), tmp_path)
    assert (tmp_path / "tpch-1.svg").read_bytes() == again
    page.PAGE.write_text("no marks")
    with pytest.raises(Failed):
        page.write(document([1], [1]))


def test_results_are_kept_by_scenario(tmp_path):
    kept = {"format": 1, "scenarios": {}}
    results.keep(kept, ApiJob("a", "title", 10), {"profile": "dev"}, {"paceline": [{"wall_s": 1.23456789}]}, {"bare": "why"})
    results.save(kept, tmp_path / "latest.json")
    assert json.loads((tmp_path / "latest.json").read_text()) == results.load(tmp_path / "latest.json") == kept
    assert results.column(kept["scenarios"]["a"], "paceline", "wall_s") == [1.2346]
    assert results.column(kept["scenarios"]["a"], "bare", "wall_s") == []


def test_a_profile_says_where_the_samples_are():
    stacks = "paceline;outer <T>;inner::h0123456789abcdef 3\npaceline;outer <T> 1\n"
    assert profiles.hottest(profiles.HASH.sub("", stacks)) == [("inner", 0.75), ("outer <T>", 0.25)]


CHILDREN = """
import subprocess, sys, time
child = 'x = bytearray(60_000_000); end = __import__("time").process_time() + 0.3\\nwhile __import__("time").process_time() < end: pass'
for _ in range(2):
    subprocess.Popen([sys.executable, "-c", child])  # nobody waits for them
print("said")
"""


def test_processes_that_nobody_waits_for_are_measured(tmp_path):
    figures = measured([sys.executable, "-c", CHILDREN], tmp_path)
    assert figures["cpu_s"] >= 0.6
    assert figures["peak_bytes"] >= 60_000_000
    assert [line for _, line in figures["lines"]] == ["said"]


def test_processes_whose_end_is_ignored_are_measured(tmp_path):
    ignored = f"import signal; signal.signal(signal.SIGCHLD, signal.SIG_IGN){CHILDREN}time.sleep(1.5)"
    figures = measured([sys.executable, "-c", ignored], tmp_path)
    assert figures["cpu_s"] >= 0.3  # what they use after the last look at them is not known


def test_a_comparison_that_is_broken_off_leaves_nothing_running(tmp_path):
    code = "import pathlib, sys; from compare.processes import measured; measured(['sleep', '600.5'], pathlib.Path(sys.argv[1]))"
    environment = {**os.environ, "PYTHONPATH": str(processes.PACKAGE.parent)}
    broken_off = f"import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit(143)); {code}"
    process = subprocess.Popen([sys.executable, "-c", broken_off, str(tmp_path)], env=environment)
    parent, deadline = psutil.Process(process.pid), time.monotonic() + 60
    while not (found := [one for one in parent.children(recursive=True) if "600.5" in one.cmdline() and one.name() == "sleep"]):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.terminate()
    assert process.wait(60) == 143
    assert psutil.wait_procs(found, timeout=60)[1] == []


def test_a_command_that_fails_or_is_late_says_so(tmp_path):
    with pytest.raises(Failed, match="ended with 3"):
        measured(["sh", "-c", "exit 3"], tmp_path)
    with pytest.raises(Failed, match="took more than"):
        measured(["sleep", "60"], tmp_path, timeout=0.3)


def test_the_sum_over_a_tree_leaves_out_what_has_ended():
    class Gone:
        def figure(self):
            raise supervisor.psutil.NoSuchProcess(1)

    assert supervisor.total([Gone()], lambda process: process.figure()) == 0
