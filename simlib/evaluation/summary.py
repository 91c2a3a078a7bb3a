"""The report in sentences and tables, and the metrics of the studies."""

from collections.abc import Iterable

import pandas as pd

from simlib.evaluation.protocol import EXCERPT
from simlib.reporting import interval_text


def headline_of(
    report: dict, baselines: Iterable[str] = ("mfcc", "untrained")
) -> tuple[str, list[str]]:
    """Sum up simlib's leads in a sentence, also if they are negative.

    Parameters
    ----------
    report : dict
        From `compare_systems` or `compare_excerpts`.
    baselines : iterable of str
        The systems to name.

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
    """Tabulate the report, one row a system and measure.

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
    """Tabulate the report, one row a system: `value [low, high]` by measure."""
    rows = [
        {"system": system}
        | {m: interval_text(entry) for m, entry in measures.items() if m != "simlib_lead"}
        for system, measures in report.items()
    ]
    return pd.DataFrame(rows).fillna("")


def lead_table(report: dict) -> pd.DataFrame:
    """Tabulate simlib's leads, one row a system: `difference [low, high]` by measure."""
    rows = []
    for system, entry in report.items():
        leads = entry.get("simlib_lead", {}).items()
        if cells := {m: text for m, lead in leads if (text := interval_text(lead, "+"))}:
            rows.append({"simlib minus": system, **cells})
    return pd.DataFrame(rows).fillna("")


def search_metrics(
    aspects: pd.DataFrame,
    error: float | None,
    outliers: pd.DataFrame,
    robustness: dict,
    judgements: dict | None,
) -> dict:
    """Collect the figures of `metrics/search.json`: those of the studies beside the ranking.

    Parameters
    ----------
    aspects : pandas.DataFrame
        From `aspect_gain_table`.
    error : float or None
        From `largest_error`.
    outliers : pandas.DataFrame
        From `no_close_match_rates`.
    robustness : dict
        From `robustness_report`.
    judgements : dict or None
        From `evaluate_judgements`.

    Returns
    -------
    dict
        JSON-like; keys `turned_up`, `reliability`, `nothing_close`, `robustness`, `judgements`.
    """
    agreement = judgements["agreement"] if judgements else {}
    return {
        "turned_up": {
            f"{row['turned up']}, {row['measured']}": row["value"]
            for _, row in aspects.dropna().iterrows()
        },
        "reliability": error,
        "nothing_close": outliers.set_index("artists").to_dict("index"),
        "robustness": {
            name: {measure: found["value"] for measure, found in measures.items()}
            for name, measures in robustness.items()
        },
        "judgements": {system: found["value"] for system, found in agreement.items()},
    }
