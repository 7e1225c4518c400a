"""Compares what was measured now with what is committed, by ratios: machines differ, what two programs make of one differs less."""

from .figures import median, ratios, spread
from .results import column

MOST_LOST = 0.15  # of the ratio, beyond the noise of both measurements
FEWEST = 3  # rounds, before and now: of fewer nobody knows the noise
SECONDS = {"api": "wall_s", "sql": "total_s", "etl": "total_s", "start": "seconds"}


def compared(before, now):
    """For each scenario and contender that both have: the ratio before and now (the other's seconds ÷ Paceline's, more is better), the
    noise, the share that was lost, and whether that is too much."""
    for name, scenario in now["scenarios"].items():
        old = before["scenarios"].get(name)
        if not old:
            continue
        if scenario["kind"] == "instructions":
            yield from counts(name, old, scenario)
            continue
        figure = SECONDS[scenario["kind"]]
        for contender in scenario["runs"]:
            if contender.startswith("paceline"):
                continue
            was = ratios(column(old, contender, figure), column(old, "paceline", figure))
            is_now = ratios(column(scenario, contender, figure), column(scenario, "paceline", figure))
            if not was or not is_now:
                continue
            yield judged(name, contender, was, is_now)


def counts(name, old, now):
    """Of counted instructions there is no other to take a ratio to; they are those of one profile."""
    for figure in ("instructions", "allocations"):
        was, is_now = ([count for count in column(scenario, "callgrind", figure) if count] for scenario in (old, now))
        if was and is_now and old["about"]["profile"] == now["about"]["profile"]:
            yield judged(f"{name}, {figure}", "callgrind", [1 / count for count in was], [1 / count for count in is_now])


def judged(name, contender, was, now):
    noise = spread(was) + spread(now)
    lost = 1 - median(now) / median(was)
    judges = min(len(was), len(now)) >= FEWEST
    figures = {"before": median(was), "now": median(now), "noise": noise, "lost": lost, "judges": judges}
    return {"scenario": name, "contender": contender, **figures, "too_much": judges and lost > MOST_LOST + noise}


def comparable(before, now):
    """What the two differ in that a ratio does not make up for, one line each."""
    for name, scenario in now["scenarios"].items():
        old = before["scenarios"].get(name)
        if old and old["about"]["profile"] != scenario["about"]["profile"]:
            yield f"{name}: the binary is of profile '{scenario['about']['profile']}', what is committed of '{old['about']['profile']}'"
