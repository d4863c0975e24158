"""The chart that README shows: one panel a workload, a bar a server, PNG and SVG.

A bar is the median, the thin line on it the lowest and highest round. What must be known to read
the figures (machine, versions, command) stands in the picture, since pictures travel alone.
"""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

from benchmarks import figures
from benchmarks.figures import OURS, Series
from benchmarks.report import Results, facts, number

HOW_TO_GET_MATPLOTLIB = "--chart needs matplotlib: pip install 'aiowsgi[bench]'"
NAME = "benchmark"
ACROSS = 3
COLOURS = {OURS: "#1f6feb", "inline": "#d0d7de", "uvicorn-asgi": "#c69026"}
OTHERS = "#8c959f"


def draw(results: Results, folder: Path) -> list[Path]:
    """Writes benchmark.png and benchmark.svg.

    No panel for a workload without a ranked server, or where one server has nobody beside it.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    all_of_them = [each for each in results.series if not each.workload.only]
    shown = [series for series in all_of_them if figures.ranked(series)]
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{NAME}.png", folder / f"{NAME}.svg"]
    across = min(ACROSS, max(1, len(shown)))
    down = -(-len(shown) // across)
    with rc_context({"svg.hashsalt": NAME, "font.size": 9}):
        picture = Figure(figsize=(4.6 * across, 2.9 * max(1, down) + 1.6), layout="constrained")
        panels: Any = picture.subplots(down, across, squeeze=False) if shown else []
        flat = [axes for line in panels for axes in line]
        for axes, series in zip(flat, shown, strict=False):
            panel(axes, series)
        for axes in flat[len(shown) :]:
            axes.set_axis_off()
        picture.suptitle("Medians of all rounds; the thin line is the lowest and highest round")
        words = textwrap.fill(" | ".join(facts(results)), 60 * across)
        picture.supxlabel(words, fontsize=6.5, color="#57606a")
        for path in paths:
            # Without its date, the same results make the same file.
            picture.savefig(path, dpi=150, metadata={"Date": None} if path.suffix == ".svg" else {})
    return paths


def panel(axes: Any, series: Series) -> None:
    """The best on top; the figure stands beside its bar."""
    names = list(reversed(figures.ranked(series)))
    medians, below, above = [], [], []
    for name in names:
        values = [sample.figure for sample in series.samples[name]]
        middle = figures.median(series.samples[name], lambda sample: sample.figure) or 0.0
        medians.append(middle)
        below.append(middle - min(values))
        above.append(max(values) - middle)
    bars = axes.barh(
        names,
        medians,
        xerr=[below, above],
        color=[COLOURS.get(name, OTHERS) for name in names],
        error_kw={"elinewidth": 0.8, "capsize": 2},
    )
    axes.bar_label(bars, [number(middle) for middle in medians], padding=4, fontsize=8)
    better = "less is better" if series.workload.kind.less_is_better else "more is better"
    axes.set_title(textwrap.fill(series.workload.summary, 48), fontsize=9)
    axes.set_xlabel(f"{series.workload.kind.value}, {better}", fontsize=8)
    axes.locator_params(axis="x", nbins=4)  # long figures run into each other
    axes.margins(x=0.22)
    axes.spines[["top", "right"]].set_visible(False)
