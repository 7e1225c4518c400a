"""The command: `python -m compare run|quick|regress|profile|page|list`; see docs/benchmarks.md. `make bench` and its like call it."""

import argparse
import dataclasses
import fnmatch
import os
import pathlib
import signal
import sys
import tempfile
import time

from . import charts, machine, page, profiles, regression, results
from .contenders import NAMES, Field
from .processes import Failed
from .scenarios import Rounds, all_scenarios, in_order, quick_scenarios

WORK = pathlib.Path.home() / ".cache" / "paceline-compare"
SHORT = ("start-*", "api-flat", "api-batch-1000", "tpch-1", "instructions-*")  # what a regression is looked for in, unless others are named


def say(text):
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def chosen(patterns):
    scenarios = all_scenarios()
    for pattern in patterns:
        if not fnmatch.filter([scenario.name for scenario in scenarios], pattern):
            raise Failed(f"there is no scenario '{pattern}'; `python -m compare list` has them")
    return [scenario for scenario in scenarios if not patterns or any(fnmatch.fnmatch(scenario.name, pattern) for pattern in patterns)]


def measure(scenarios, given, document, path=None):
    """Runs scenarios and puts their figures into the document; writes it after each. Returns what is wrong with answers."""
    field = Field(given.paceline.resolve(), given.bare.resolve())
    field.check()
    given.work.mkdir(parents=True, exist_ok=True)
    problems = []
    for scenario in scenarios:
        skipped = {contender: field.missing(contender) for contender in scenario.contenders}
        skipped = {contender: why for contender, why in skipped.items() if why}
        taking_part = tuple(
            contender
            for contender in scenario.contenders
            if contender not in skipped and (not given.contender or contender == "paceline" or contender in given.contender)
        )
        for contender, why in skipped.items():
            say(f"{scenario.name}: without {NAMES[contender]}: {why}")
        here = dataclasses.replace(scenario, contenders=taking_part)
        rounds = Rounds(given.rounds or scenario.rounds, given.minutes)
        say(f"{here.name}: {here.title}, {rounds} of {', '.join(taking_part)}")
        about = machine.about(field, given.profile)
        runs = here.run(field, given.work, rounds, say)
        found = list(here.problems(runs))
        problems += found
        results.keep(document, here, {**about, "problems": found}, runs, skipped)
        document["scenarios"] = in_order(document["scenarios"])
        if path:
            results.save(document, path)
    return problems


def run(given):
    document = results.load(given.into)
    problems = measure(chosen(given.only), given, document, given.into)
    if given.into == results.FILE:
        page.write(document)
    return problems


def quick(given):
    """Whether everything still runs and the answers agree; the figures of so little work say nothing and are thrown away."""
    with tempfile.TemporaryDirectory() as folder:
        given.work = pathlib.Path(folder)
        document = results.load(given.work / "none.json")
        problems = measure(quick_scenarios(), given, document)
        page.rendered(document)
        charts.draw(document, given.work)
    say(f"{len(document['scenarios'])} scenarios ran, and all answers agree" if not problems else "answers do not agree")
    return problems


def regress(given):
    before = results.committed()
    if not before:
        raise Failed(f"nothing is committed at {results.FILE} to compare with")
    if given.of:
        document, problems = results.load(given.of), []
    else:
        document = {"format": results.FORMAT, "scenarios": {}}
        problems = measure(chosen(given.only or SHORT), given, document, given.into if given.into != results.FILE else None)
    for note in regression.comparable(before, document):
        say(f"not alike: {note}")
    print("| scenario | beside | ratio before | now | lost | noise |\n|---|---|---|---|---|---|")
    for one in regression.compared(before, document):
        noise = f"{one['noise']:.0%}" if one["judges"] else f"unknown: fewer than {regression.FEWEST} rounds"
        shares = f"{one['lost']:.0%} | {noise}"
        print(f"| {one['scenario']} | {NAMES[one['contender']]} | {one['before']:.3g} | {one['now']:.3g} | {shares} |")
        if one["too_much"]:
            problems.append(f"{one['scenario']}: against {NAMES[one['contender']]} {one['lost']:.0%} was lost")
    return problems


def profile(given):
    field = Field(given.paceline.resolve(), given.bare.resolve())
    field.check()
    for scenario in chosen(given.only or profiles.HOTTEST):
        found = profiles.profiled(field, scenario, given.work, Rounds(1), say)
        print(f"\n{scenario.name}, `{given.profile}`: own share of the samples")
        for name, share in found:
            print(f"{share:6.1%} {name}")
    return []


def main():
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", pathlib.Path.home() / ".cache" / "paceline-target"))
    parser = argparse.ArgumentParser(prog="python -m compare", description=__doc__)
    parser.add_argument("command", choices=["run", "quick", "regress", "profile", "page", "list"])
    parser.add_argument("--only", action="append", default=[], metavar="PATTERN", help="scenarios, as 'api-*'; may be given several times")
    parser.add_argument("--contender", action="append", default=[], help="beside Paceline only these; may be given several times")
    parser.add_argument("--rounds", type=int, help="rounds of each scenario (default: its own)")
    parser.add_argument("--minutes", type=float, help="begin no round that would not end within so many minutes of its scenario's first")
    parser.add_argument("--into", type=pathlib.Path, default=results.FILE, help="file for the figures (default: %(default)s)")
    parser.add_argument("--of", type=pathlib.Path, help="regress: figures that were measured before, in place of measuring")
    parser.add_argument("--profile", help="of the binary, as it is recorded (default: that whose folder it lies in)")
    parser.add_argument("--work", type=pathlib.Path, default=WORK, help="folder for tables and records (default: %(default)s)")
    parser.add_argument("--paceline", type=pathlib.Path, default=os.environ.get("PACELINE", target / "debug" / "paceline"))
    parser.add_argument("--bare", type=pathlib.Path, help="the example bare_loop (default: beside the binary)")
    given = parser.parse_args()
    folder = given.paceline.absolute().parent
    given.bare = given.bare or folder / "examples" / "bare_loop"
    given.profile = given.profile or {"debug": "dev"}.get(folder.name, folder.name)  # cargo names the folder after the profile
    if given.command == "list":
        for scenario in all_scenarios():
            print(f"{scenario.name:24} {scenario.title}: {', '.join(scenario.contenders)}; {scenario.rounds} rounds")
        return 0
    if given.command == "page":
        page.write(results.load(given.into))
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # as Ctrl-C: what was started is ended
    try:
        problems = {"run": run, "quick": quick, "regress": regress, "profile": profile}[given.command](given)
    except Failed as failed:
        problems = [str(failed)]
    for problem in problems:
        print(f"error: {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
