"""What an evaluation tells: tables, a verdict in words, queries to listen to."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from simlib.evaluation.protocol import EXCERPT


def headline_of(
    report: dict, baselines: Iterable[str] = ("mfcc", "untrained")
) -> tuple[str, list[str]]:
    """Say in words what the numbers say, also when they are bad.

    Parameters
    ----------
    report : dict
        From `compare` or `compare_excerpts`.
    baselines : iterable of str
        Which systems to speak of.

    Returns
    -------
    headline : str
    details : list of str
        A sentence for each baseline and measure.
    """
    names = {"mfcc": "the hand-crafted features", "untrained": "the same network untrained"}
    outcomes: dict[str, dict[str, list[str]]] = {}
    details = []
    for system in baselines:
        for measure, lead in report[system]["simlib_lead"].items():
            if lead["value"] is None:
                continue
            side = "ahead of" if lead["low"] > 0 else "behind" if lead["high"] < 0 else "level with"
            outcomes.setdefault(system, {}).setdefault(side, []).append(measure)
            ours, theirs = report["simlib"][measure]["value"], report[system][measure]["value"]
            details.append(
                f"{measure}: {ours:.3f} against {theirs:.3f} of {names.get(system, system)}; "
                f"difference {lead['value']:+.3f}, 95% interval {lead['low']:+.3f} to "
                f"{lead['high']:+.3f}: {side.removesuffix(' of').removesuffix(' with')}."
            )
    if not details:
        return "There were too few test recordings to say anything.", []
    clauses = [
        f"{side} {names.get(system, system)} on {', '.join(found[side])}"
        for system, found in outcomes.items()
        for side in ("ahead of", "level with", "behind")
        if side in found
    ]
    headline = f"The Siamese network is {'; '.join(clauses)}."
    if any(measure.startswith(EXCERPT) for measure in report["simlib"]):
        headline += (
            " Without tags, how well an excerpt finds the rest of its own recording is all that can"
            " be measured; whether the lists sound alike, listening will say."
        )
    return headline, details


def long_table(report: dict) -> pd.DataFrame:
    """Lay the report out as one row a system and measure.

    Returns
    -------
    pandas.DataFrame
        Columns `system, measure, value, low, high, n`.
    """
    rows = [
        {"system": system, "measure": measure, **entry}
        for system, measures in report.items()
        for measure, entry in measures.items()
        if measure != "simlib_lead"
    ]
    return pd.DataFrame(rows, columns=["system", "measure", "value", "low", "high", "n"])


def wide_table(report: dict) -> pd.DataFrame:
    """Lay the report out as one row a system: `value [low, high]` by measure."""
    long = long_table(report)
    long["text"] = [
        "" if pd.isna(row.value)
        else f"{row.value:.3f}" + ("" if pd.isna(row.low) else f" [{row.low:.3f}, {row.high:.3f}]")
        for row in long.itertuples()
    ]  # fmt: skip
    wide = long.pivot(index="system", columns="measure", values="text")
    order = list(dict.fromkeys(long["system"])), list(dict.fromkeys(long["measure"]))
    return wide.loc[order[0], order[1]].fillna("").reset_index()


def lead_table(report: dict) -> pd.DataFrame:
    """Lay out simlib's leads: `difference [low, high]` by system and measure."""
    rows = []
    for system, entry in report.items():
        cells = {
            measure: f"{lead['value']:+.3f} [{lead['low']:+.3f}, {lead['high']:+.3f}]"
            for measure, lead in entry.get("simlib_lead", {}).items()
            if lead["value"] is not None
        }
        if cells:
            rows.append({"simlib minus": system, **cells})
    return pd.DataFrame(rows).fillna("")
