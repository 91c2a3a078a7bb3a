"""The report's headline, tables and examples."""

import pandas as pd
import pytest

from simlib.evaluation import (
    describe_embedding,
    headline_of,
    lead_table,
    long_table,
    wide_table,
)
from simlib.features import load_card


def lead(low, high):
    value = (low + high) / 2
    return {"value": value, "low": low, "high": high, "n": 9}


def report_with(**leads):
    entry = {"m@10": {"value": 0.5, "low": 0.4, "high": 0.6, "n": 9}}
    return {
        "simlib": entry | {"hub_skew@10": {"value": 1.25}},
        **{name: entry | {"simlib_lead": {"m@10": given}} for name, given in leads.items()},
    }


@pytest.mark.parametrize(
    ("low", "high", "outcome"),
    [
        (0.01, 0.1, "ahead of"),
        (-0.1, -0.01, "behind"),
        (-0.01, 0.1, "level with"),
        (-0.1, 0.01, "level with"),
        (0.0, 0.1, "level with"),
    ],
)
def test_the_headline_follows_the_interval(low, high, outcome):
    report = report_with(mfcc=lead(low, high), untrained=lead(0.2, 0.3))
    headline, details = headline_of(report)
    assert headline == (
        f"The Siamese network is {outcome} the hand-crafted features on m@10; "
        "ahead of the same network untrained on m@10."
    )
    assert len(details) == 2
    assert details[0].startswith("m@10: 0.500 against 0.500 of the hand-crafted features; ")
    assert f"95% interval {low:+.3f} to {high:+.3f}" in details[0]
    assert details[0].endswith(f"{outcome.split()[0]}.")


def test_the_headline_has_each_measure():
    report = report_with(mfcc=lead(0.1, 0.2))
    for system in ("simlib", "mfcc"):
        report[system]["n@10"] = report[system]["m@10"]
    report["mfcc"]["simlib_lead"]["n@10"] = lead(-0.2, -0.1)
    headline, _ = headline_of(report, baselines=["mfcc"])
    assert "ahead of the hand-crafted features on m@10; behind the hand-craft" in headline
    assert headline.endswith("on n@10.")


def test_the_headline_of_nothing_claims_nothing():
    nothing = {"value": None, "low": None, "high": None, "n": 0}
    headline, details = headline_of(report_with(mfcc=nothing, untrained=nothing))
    assert "too few" in headline
    assert details == []


def test_the_tables_hold_every_figure():
    report = report_with(mfcc=lead(0.1, 0.2), other={"value": None, "low": None, "high": None})
    report["other"]["m@10"] = {"value": None, "low": None, "high": None, "n": 0}
    long = long_table(report)
    assert long.columns.tolist() == ["system", "measure", "value", "low", "high", "n"]
    assert long[["system", "measure"]].to_numpy().tolist() == [
        ["simlib", "m@10"],
        ["simlib", "hub_skew@10"],
        ["mfcc", "m@10"],
        ["other", "m@10"],
    ]
    assert wide_table(report).to_dict("list") == {
        "system": ["simlib", "mfcc", "other"],
        "m@10": ["0.500 [0.400, 0.600]", "0.500 [0.400, 0.600]", ""],
        "hub_skew@10": ["1.250", "", ""],
    }
    assert lead_table(report).to_dict("list") == {
        "simlib minus": ["mfcc"],
        "m@10": ["+0.150 [+0.100, +0.200]"],
    }


def test_a_table_of_no_column_is_none():
    assert pd.DataFrame(lead_table({"simlib": {}})).empty


def test_the_headline_without_tags_has_the_limits_of_its_measure():
    report = report_with(mfcc=lead(0.01, 0.1), untrained=lead(0.2, 0.3))
    assert "all that can be measured" not in headline_of(report)[0]
    excerpts = {
        system: {"excerpt_mrr": entry["m@10"]}
        | {k: {"excerpt_mrr": v["m@10"]} for k, v in entry.items() if k == "simlib_lead"}
        for system, entry in report.items()
    }
    headline, _ = headline_of(excerpts)
    assert "ahead of the hand-crafted features on excerpt_mrr" in headline
    assert "all that can be measured" in headline


def test_the_report_says_what_the_embedding_is_made_of_and_trained_on(monkeypatch):
    text = describe_embedding(["musicnn", "vgg"])
    assert "musicnn, vgg" in text
    assert text.count("Million Song Dataset") == 1, "both have the same training data"
    assert "may be among them" in text
    card = load_card("vgg").model_copy(update={"name": "tiny"})
    monkeypatch.setattr("simlib.evaluation.summary.load_card", lambda name: card)
    assert "frozen public networks (tiny)" in describe_embedding(["backbones/tiny.yaml"])
    scratch = describe_embedding([])
    assert "from scratch on this catalogue" in scratch and "Million" not in scratch
