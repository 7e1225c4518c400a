"""Charts of the figures, as SVG."""

import matplotlib

matplotlib.use("svg")

from matplotlib import pyplot

from .contenders import NAMES
from .figures import median
from .results import column

OURS, OTHERS = "#1f5fa8", "#9aa5b1"
COLOURS = {"paceline": OURS, "paceline-2": "#7fb0e6", "pyspark": "#d9822b", "sail": "#3b8a5a", "datafusion": "#7a7a7a"}
MARKS = {"paceline": "o", "paceline-2": "s", "pyspark": "D", "sail": "^", "datafusion": "v"}
# The same figures make the same file.
matplotlib.rcParams.update(
    {"svg.hashsalt": "paceline", "svg.fonttype": "none", "font.size": 9, "axes.spines.top": False, "axes.spines.right": False}
)


def bars(axis, names, values, title):
    shown = [(name, value) for name, value in zip(names, values) if value is not None]
    labels, lengths = [NAMES[name] for name, _ in shown], [value for _, value in shown]
    drawn = axis.barh(labels, lengths, color=[OURS if name.startswith("paceline") else OTHERS for name, _ in shown], height=0.6)
    axis.bar_label(drawn, [f"{value:,.0f}" if value >= 10 else f"{value:.2g}" for value in lengths], padding=3)
    axis.invert_yaxis()
    axis.set_title(title, loc="left")
    axis.set_xlim(0, max(lengths, default=1) * 1.2)
    axis.xaxis.set_visible(False)
    axis.spines["bottom"].set_visible(False)
    axis.tick_params(left=False)


def middle(scenario, contender, figure):
    values = [value for value in column(scenario, contender, figure) if value is not None]
    return median(values) if values else None


def panels(scenario, figures, path):
    """A panel for each (figure, factor, title), with a bar for each contender."""
    names = [name for name, runs in scenario["runs"].items() if runs]
    drawing, axes = pyplot.subplots(1, len(figures), figsize=(3.9 * len(figures), 0.4 * len(names) + 0.7), squeeze=False)
    for number, (axis, (figure, factor, title)) in enumerate(zip(axes[0], figures)):
        values = [middle(scenario, name, figure) for name in names]
        bars(axis, names, [value and value * factor for value in values], title)
        if number:
            axis.set_yticklabels([])
    save(drawing, path)


def queries(scenario, path):
    """The seconds of each query, a mark for each contender, on a logarithmic scale."""
    drawing, axis = pyplot.subplots(figsize=(11, 3.6))
    for contender, runs in scenario["runs"].items():
        if not runs:
            continue
        names = sorted(runs[0]["queries"])
        seconds = [median([run["queries"][name] for run in runs if name in run["queries"]]) for name in names]
        axis.plot(
            names,
            seconds,
            linestyle="none",
            marker=MARKS.get(contender, "x"),
            color=COLOURS.get(contender),
            label=NAMES[contender],
            alpha=0.85,
        )
    axis.set_yscale("log")
    axis.set_ylabel("seconds")
    axis.grid(axis="y", alpha=0.3)
    axis.legend(frameon=False, ncols=5, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    save(drawing, path)


def save(drawing, path):
    drawing.savefig(path, bbox_inches="tight", metadata={"Date": None, "Creator": None})
    pyplot.close(drawing)


API = (("requests_per_s", 1, "requests/s at the receiver"), ("cpu_s", 1, "CPU seconds"), ("peak_bytes", 1e-6, "peak memory, MB"))
BATCHES = (("records_per_s", 1, "records/s, whole process"), *API[1:])
SQL = (("total_s", 1, "22 queries, seconds"), ("cpu_s", 1, "CPU seconds, whole process"), ("peak_bytes", 1e-6, "peak memory, MB"))


def draw(document, folder):
    """Draws what was measured into a folder, and returns the names of the files by scenario."""
    files = {}
    for name, scenario in document["scenarios"].items():
        if not any(scenario["runs"].values()) or scenario["kind"] == "instructions":
            continue
        path = folder / f"{name}.svg"
        if scenario["kind"] == "api":
            panels(scenario, BATCHES if "batch" in name else API, path)
        elif scenario["kind"] == "start":
            panels(scenario, [("seconds", 1000, "milliseconds")], path)
        elif scenario["kind"] == "etl":
            panels(scenario, [("total_s", 1, "all steps, seconds"), *SQL[1:]], path)
        else:
            panels(scenario, SQL, path)
            queries(scenario, folder / f"{name}-queries.svg")
            files[f"{name}-queries"] = f"{name}-queries.svg"
        files[name] = path.name
    return files
