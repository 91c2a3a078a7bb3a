"""The report in sentences and tables, and the metrics of the studies."""

from collections.abc import Iterable, Sequence

import pandas as pd

from simlib.evaluation.protocol import EXCERPT
from simlib.features import load_card
from simlib.reporting import interval_text


def headline_of(
    report: dict, baselines: Iterable[str] = ("musicnn", "mfcc", "untrained")
) -> tuple[str, list[str]]:
    """Sum up simlib's leads in a sentence, also if they are negative.

    Parameters
    ----------
    report : dict
        From `compare_systems` or `compare_excerpts`.
    baselines : iterable of str
        The systems to name, of those that were compared.

    Returns
    -------
    headline : str
    details : list of str
        A sentence for each baseline and measure.
    """
    names = {
        "musicnn": "the public network musicnn",
        "mfcc": "the hand-crafted features",
        "untrained": "the same network untrained",
    }
    details, clauses = [], []
    for system in filter(report.__contains__, baselines):
        name = names.get(system, system)
        found: dict[str, list[str]] = {"ahead of": [], "level with": [], "behind": []}
        for measure, lead in report[system]["simlib_lead"].items():
            value, low, high = (lead[key] for key in ("value", "low", "high"))
            if value is None:
                continue
            outcome = "ahead of" if low > 0 else "behind" if high < 0 else "level with"
            found[outcome].append(measure)
            ours, theirs = report["simlib"][measure]["value"], report[system][measure]["value"]
            details.append(
                f"{measure}: {ours:.3f} against {theirs:.3f} of {name}; difference {value:+.3f}, "
                f"95% interval {low:+.3f} to {high:+.3f}: {outcome.split()[0]}."
            )
        clauses += [f"{o} {name} on {', '.join(m)}" for o, m in found.items() if m]
    if not details:
        return "There are too few test recordings to measure anything.", []
    headline = f"The Siamese network is {'; '.join(clauses)}."
    if any(measure.startswith(EXCERPT) for measure in report["simlib"]):
        headline += (
            " Without tags, how well an excerpt finds the rest of its own recording is all that can"
            " be measured; only listening shows whether the lists sound alike."
        )
    return headline, details


def describe_embedding(backbones: Sequence[str]) -> str:
    """Say what an embedding is made of and what that was trained on, in Markdown.

    Parameters
    ----------
    backbones : sequence of str
        Of the model.

    Returns
    -------
    str
    """
    if not backbones:
        return (
            "The embedding comes from a network that was trained from scratch on this catalogue:"
            " `train.backbones` is `[]`."
        )
    cards = [load_card(name) for name in backbones]
    names = ", ".join(card.name for card in cards)
    sources = dict.fromkeys(card.trained_on for card in cards)
    return (
        f"The embedding is made of frozen public networks ({names}) and of an"
        " encoder and small branches that were trained on this catalogue. The public networks were"
        f" trained on: {'; '.join(sources)}. Songs of this catalogue may be among them, so the"
        " artists of the test are new to what was trained here only. `train.backbones: []` trains"
        " a network from scratch."
    )


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
    aspects: pd.DataFrame, error: float | None, outliers: pd.DataFrame, robustness: dict,
    judgements: dict | None,
) -> dict:  # fmt: skip
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
    gains = aspects.dropna()
    pairs = gains["turned up"] + ", " + gains["measured"]

    def values(entries):
        return {name: entry["value"] for name, entry in entries.items()}

    return {
        "turned_up": dict(zip(pairs, gains["value"], strict=True)),
        "reliability": error,
        "nothing_close": outliers.set_index("artists").to_dict("index"),
        "robustness": {name: values(measures) for name, measures in robustness.items()},
        "judgements": values(judgements["agreement"]) if judgements else {},
    }
