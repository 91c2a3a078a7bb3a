"""The figures of `metrics/search.json`: what the studies beside the ranked lists found."""

import pandas as pd


def search_metrics(
    aspects: pd.DataFrame,
    error: float | None,
    outliers: pd.DataFrame,
    robustness: dict,
    judgements: dict | None,
) -> dict:
    """Collect the figures of the studies.

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
