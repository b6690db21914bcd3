"""``python plot.py results.json results.svg``: the goals as bars, and growth as curves. Needs matplotlib."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("svg")
mpl.rcParams |= {"svg.fonttype": "none", "svg.hashsalt": "results", "font.size": 8}

from matplotlib import pyplot as plt  # noqa: E402

REACHED, MISSED = "#2a7f62", "#c8553d"


def goals(axes: Any, groups: dict[str, Any]) -> None:
    """Draw each goal as the multiple of what it allows that was measured: left of the line it is reached."""
    rows = [goal for group in groups.values() for goal in group["goals"] if goal["measured"] is not None]
    shares = [goal["share"] for goal in rows]
    colours = [REACHED if goal["reached"] else MISSED for goal in rows]
    axes.barh(range(len(rows)), [max(share, 1e-3) - 1 for share in shares], left=1, color=colours)
    axes.set_yticks(range(len(rows)), [goal["goal"] for goal in rows])
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_xlabel("measured by what the goal allows; left of 1 it is reached")


def curves(axes: Any, groups: dict[str, Any], column: int, label: str) -> None:
    """Draw each curve against the share of its largest size, so that all fit one plot."""
    for group in groups.values():
        for name, points in group["curves"].items():
            last = points[-1][0]
            axes.plot(
                [size / last for size, *_ in points], [one[column] for one in points], "o-", label=f"{name} ({last:,})"
            )
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("share of the largest size")
    axes.set_ylabel(label)


def main() -> None:
    """Draw the results of a run."""
    results = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    groups = results["groups"]
    count = sum(len(group["goals"]) for group in groups.values())
    figure, places = plt.subplots(
        3, 1, figsize=(9, 8 + count * 0.2), height_ratios=[count * 0.2, 3.5, 3.5], layout="constrained"
    )
    goals(places[0], groups)
    curves(places[1], groups, 1, "seconds")
    curves(places[2], groups, 2, "MiB")
    places[1].legend(fontsize=7, loc="center left", bbox_to_anchor=(1, 0.5))
    figure.savefig(sys.argv[2], metadata={"Date": None})


if __name__ == "__main__":
    main()
