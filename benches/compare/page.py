"""The part of docs/benchmarks.md that stands on these measurements: it is written anew from the raw figures, charts with it."""

from . import charts, cost
from .contenders import NAMES
from .figures import median, short, spread
from .processes import ROOT, Failed
from .results import column
from .scenarios import all_scenarios
from .targets import TARGETS

PAGE = ROOT / "docs" / "benchmarks.md"
CHARTS = ROOT / "docs" / "benchmarks"
BEGIN, END = "<!-- begin: written by `make bench-page` -->", "<!-- end -->"


def write(document):
    """Draws the charts and writes the page's part between its marks; the rest of the page stays."""
    text = PAGE.read_text(encoding="utf-8")
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise Failed(f"{PAGE} must have '{BEGIN}' and '{END}' once each: the figures stand between them")
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    CHARTS.mkdir(exist_ok=True)
    for old in CHARTS.glob("*.svg"):
        old.unlink()
    files = charts.draw(document, CHARTS)
    PAGE.write_text(f"{before}{BEGIN}\n\n{rendered(document, files)}\n{END}{after}", encoding="utf-8")


def rendered(document, files=None):
    files, lines = files or {}, []
    lines += targets(document)
    for name, scenario in document["scenarios"].items():
        lines += ["", f"### {heading(scenario)}", "", *facts(name, scenario), ""]
        lines += {"api": api, "sql": sql, "etl": etl, "start": start, "instructions": instructions}[scenario["kind"]](scenario)
        for chart in (name, f"{name}-queries"):
            if chart in files:
                lines += ["", f"![{heading(scenario)}](benchmarks/{files[chart]})"]
        for problem in scenario["about"].get("problems", []):
            lines += ["", f"Not as it should be: {problem}"]
        for contender, why in scenario["skipped"].items():
            lines += ["", f"Without {NAMES[contender]}: {why}."]
    missing = [scenario for scenario in all_scenarios() if scenario.name not in document["scenarios"]]
    if missing:
        lines += ["", "### Not measured yet", ""]
        lines += [f"- `{scenario.name}`: {heading(vars(scenario) | {'kind': scenario.kind})}" for scenario in missing]
    money = cost.arithmetic(document)
    if money:
        lines += ["", "### Cost on AWS Glue", "", *COST, "", *money]
    lines += ["", *machines(document)]
    return "\n".join(lines) + "\n"


COST = (
    "1,000,000 records, one per request, at 5,000 a second. A worker G.1X is 1 DPU (4 vCPU, 16 GB); a DPU-hour is 0.44 dollars in",
    "us-east-1, billed by the second. Glue gives the driver a worker, so the smallest job has two. A rate below the limit is taken",
    "to grow with the vCPUs of a worker; start-up is not counted, for neither. dollars = DPU-seconds × 0.44 ÷ 3,600.",
)
RATIOS = (
    "Ratios are medians over rounds of what ran in the same round: the other's time ÷ Paceline's, or Paceline's rate, CPU or memory ÷ the",
    "other's.",
)


def heading(scenario):
    title, records = scenario["title"], scenario.get("records")
    if scenario["kind"] == "api":
        return f"API job, {records:,} records, {title}"
    if scenario["kind"] == "instructions":
        return f"Instructions a record, {title}"
    return title[0].upper() + title[1:]


BUSY = 0.1  # share of the processors that others may use before it says so


def facts(name, scenario):
    about, rounds = scenario["about"], max((len(runs) for runs in scenario["runs"].values()), default=0)
    of = f"{about['commit']}{' with changes' if about['changed'] else ''}"
    rounds = f"{rounds} rounds" if rounds > 1 else "one round"
    lines = [f"`{name}`: {rounds} in turns, {about['at']}, commit {of}, profile `{about['profile']}`, load before {about['load_before']}."]
    if about.get("busy_before", about["load_before"] / about["cores"]) > BUSY:
        lines.append("The machine had other work: seconds and rates are those of its rest, and ratios less sure than their spread says.")
    return lines


def targets(document):
    lines = [
        "### Beside the targets",
        "",
        "| work | against | figure | profile | measured | target | met |",
        "|---|---|---|---|---|---|---|",
    ]
    for target in TARGETS:
        value = target.measured(document)
        bound = f"{'≤' if target.at_most else '≥'} {short(target.bound)}"
        verdict = "not measured" if value is None else "yes" if target.met(value) else "**no**"
        profile = document["scenarios"].get(target.scenario, {"about": {"profile": "–"}})["about"]["profile"]
        theirs = target.share(document, target.contender) if target.of and value is not None else None
        beside = "" if theirs is None else f" ({NAMES[target.contender]}: {short(theirs)})"
        lines.append(f"| {target.work} | {target.against} | {target.says} | {profile} | {short(value)}{beside} | {bound} | {verdict} |")
    return [*lines, "", *RATIOS]


def table(scenario, heads, figures):
    """A line for each contender that ran; a figure is (name, factor) or what makes a cell of the runs."""
    lines = ["| " + " | ".join(["contender", *heads]) + " |", "|---" * (len(heads) + 1) + "|"]
    for contender, runs in scenario["runs"].items():
        if runs:
            cells = [figure(runs) if callable(figure) else cell(scenario, contender, *figure) for figure in figures]
            lines.append("| " + " | ".join([NAMES[contender], *cells]) + " |")
    return lines


def cell(scenario, contender, figure, factor=1):
    values = [value for value in column(scenario, contender, figure) if value is not None]
    if not values:
        return "–"
    about = f" ± {spread(values):.0%}" if len(values) > 1 and spread(values) >= 0.005 else ""
    return short(median(values) * factor) + about


def worst(figure):
    def shown(runs):
        values = [run[figure] for run in runs if run.get(figure) is not None]
        return short(max(values)) if values else "–"

    return shown


def faults(runs):
    if "lost" not in runs[0]:
        return "–"
    return ", ".join(f"{max(run[figure] for run in runs):,}" for figure in ("lost", "doubled", "wrong"))


def api(scenario):
    heads = [
        "records",
        "wall, s",
        "records/s",
        "requests/s at the receiver",
        "most in a second",
        "CPU s",
        "peak MB",
        "lost, doubled, wrong",
    ]
    figures = [
        worst("records"),
        ("wall_s",),
        ("records_per_s",),
        ("requests_per_s",),
        worst("worst_second"),
        ("cpu_s",),
        ("peak_bytes", 1e-6),
    ]
    return table(scenario, heads, [*figures, faults])


def agrees(runs):
    differ = {name for run in runs for name in run["differs"]}
    return f"{len(differ)} differ" if differ else "agree"


def sql(scenario):
    heads = ["total, s", "geometric mean, s", "ready after, s", "CPU s, whole process", "peak MB", "answers"]
    figures = [("total_s",), ("geometric_mean_s",), ("ready_s",), ("cpu_s",), ("peak_bytes", 1e-6), agrees]
    lines = table(scenario, heads, figures)
    taking_part = {contender: runs for contender, runs in scenario["runs"].items() if runs}
    lines += ["", "| query, s | " + " | ".join(NAMES[contender] for contender in taking_part) + " |", "|---" * (len(taking_part) + 1) + "|"]
    for query in sorted({query for runs in taking_part.values() for query in runs[0]["queries"]}):
        times = [[run["queries"].get(query) for run in runs if query in run["queries"]] for runs in taking_part.values()]
        lines.append(f"| {query} | " + " | ".join(short(median(seconds)) if seconds else "–" for seconds in times) + " |")
    return lines


def etl(scenario):
    steps = list(dict.fromkeys(step for runs in scenario["runs"].values() for run in runs for step in run["steps"]))

    def of(step):
        def shown(runs):
            values = [run["steps"][step] for run in runs if step in run["steps"]]
            return short(median(values)) if values else "refused"

        return shown

    return table(
        scenario,
        [*(f"{step}, s" for step in steps), "CPU s", "peak MB", "answers"],
        [*map(of, steps), ("cpu_s",), ("peak_bytes", 1e-6), agrees],
    )


def start(scenario):
    return table(scenario, ["seconds"], [("seconds",)])


def instructions(scenario):
    return table(
        scenario,
        ["instructions a record", "allocations a record", "instructions of the rest"],
        [("instructions",), ("allocations",), ("start",)],
    )


def machines(document):
    """Where all this was measured; a line for each machine and set of versions."""
    lines = ["### Machine and versions", ""]
    seen = {}
    for name, scenario in document["scenarios"].items():
        about = scenario["about"]
        versions = ", ".join(f"{package} {version}" for package, version in about["versions"].items() if version)
        memory = about["memory_bytes"] / 2**30
        facts = f"{about['processor']}, {about['cores']} cores, {memory:.0f} GiB, Linux {about['kernel']}; {versions}"
        seen.setdefault(facts, []).append(name)
    return lines + [f"- {facts} ({', '.join(f'`{name}`' for name in names)})" for facts, names in seen.items()]
