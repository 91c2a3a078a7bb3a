import io
import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import samples
from hypothesis import given
from hypothesis import strategies as st

from simlib.reporting import (
    aspect_matrix,
    catalogue_map_figure,
    catalogue_overview,
    draw_log_mel,
    kept_histogram,
    learning_curves,
    metric_bars,
    neighbours_by_tag,
    occurrence_histogram,
    plain,
    reliability_figure,
    tag_support_figure,
    three_views,
)

# What breaks figures: mathematics, control characters, glyphs that no font has, length.
HOSTILE = [
    "$\\frac{1}{",
    "100$ & $\\x$",
    "a\x00b\x1b[2J\n\tc",
    "_hidden",
    "日本 🎵",
    "x" * 300,
    "\\$",
]


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


def drawn(figure):
    """Draw a figure for good, and return every text that stands in it."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph|constrained_layout not applied")
        figure.savefig(io.BytesIO(), format="png", dpi=40)
    return [text.get_text() for text in figure.findobj(plt.Text) if text.get_text()]


def bars(axes):
    """The lengths of horizontal bars, from top to bottom."""
    return [bar.get_width() for bar in axes.patches]


# --- text ------------------------------------------------------------------------------------


@given(st.text() | st.sampled_from(HOSTILE), st.integers(2, 40))
def test_plain_text_is_one_short_line_without_mathematics(text, length):
    from matplotlib.cbook import is_math_text

    found = plain(text, length)
    assert found.isprintable()
    assert "\n" not in found
    assert len(found.replace(r"\$", "$")) <= length
    assert not is_math_text(found)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("rock", "rock"),
        ("drum & bass", "drum & bass"),
        (" a\n b\t", "a b"),
        ("$x$", r"\$x\$"),
        ("x" * 31, "x" * 29 + "…"),
        ("x" * 30, "x" * 30),
    ],
)
def test_plain_text_keeps_what_can_be_drawn(text, shown):
    assert plain(text) == shown


# --- figures ---------------------------------------------------------------------------------


def test_the_three_views_are_side_by_side_and_named():
    settings = samples.front_end()
    log_mel = samples.log_mel_of("low", 60, 0)
    figure = three_views(samples.chord(2), 8000, log_mel, settings)
    titles = [axes.get_title() for axes in figure.axes]
    assert titles == ["Waveform", "Spectrogram", "Log-mel spectrogram"]
    assert "Hz" in drawn(figure)


def test_a_log_mel_is_drawn_over_eighty_decibels_below_its_peak():
    levels = np.linspace(-100, 20, 60 * 32).reshape(60, 32)
    _, axes = plt.subplots()
    draw_log_mel(levels, samples.front_end(), axes)
    [mesh] = axes.collections
    assert mesh.get_array().min() == pytest.approx(-60)
    assert mesh.get_array().max() == pytest.approx(20)


def table_of(**columns):
    count = len(next(iter(columns.values()), [""] * 6))
    return samples.tracks(count, **columns).assign(seconds=np.linspace(1, 300, count))


def test_the_make_up_counts_durations_and_each_tag():
    table = table_of(genre=["rock; pop", "rock", "", "pop", "rock", "jazz"])
    figure = catalogue_overview(table, ["genre"])
    assert [axes.get_title() for axes in figure.axes] == ["Duration", "genre"]
    assert sum(bar.get_height() for bar in figure.axes[0].patches) == 6
    names = [label.get_text() for label in figure.axes[1].get_yticklabels()]
    assert dict(zip(names, bars(figure.axes[1]), strict=True)) == {"rock": 3, "pop": 2, "jazz": 1}


def test_the_make_up_of_a_catalogue_without_tags_or_with_many():
    assert len(catalogue_overview(table_of(), []).axes) == 1
    columns = {f"c{i}": ["a", "b", "a", "b", "a", "b"] for i in range(5)}
    assert len(catalogue_overview(table_of(**columns), list(columns)).axes) == 4
    drawn(catalogue_overview(table_of(genre=["", "", ""]), ["genre"]))
    many = catalogue_overview(table_of(genre=[f"g{i}" for i in range(40)]), ["genre"])
    assert len(bars(many.axes[1])) == 15


def metrics(*systems, measures=("genre_ndcg@10",)):
    rows = [
        {"system": s, "measure": m, "value": 0.1 * i, "low": 0.1 * i - 0.05, "high": 0.1 * i + 0.1}
        for m in measures
        for i, s in enumerate(systems, start=1)
    ]
    return pd.DataFrame(rows, columns=["system", "measure", "value", "low", "high", "n"])


def test_the_metric_bars_are_as_long_as_the_metrics():
    table = metrics("random", "theirs", "simlib", measures=["a@10", "b@10", "c@10", "d@10"])
    figure = metric_bars(table)
    assert [a.get_title() for a in figure.axes if a.axison] == ["a@10", "b@10", "c@10", "d@10"]
    axes = figure.axes[0]
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names == ["simlib", "random", "theirs"], "ours first, others last"
    np.testing.assert_allclose(bars(axes), [0.3, 0.1, 0.2])
    [errors] = axes.containers[-1].lines[2]
    for (left, right), value in zip(errors.get_segments(), [0.3, 0.1, 0.2], strict=True):
        assert left[0] == pytest.approx(value - 0.05)
        assert right[0] == pytest.approx(value + 0.1)


def test_a_system_keeps_its_colour_in_every_panel():
    table = metrics("simlib", "mfcc", "random", measures=["a", "b"])
    table = table[(table["measure"] == "a") | (table["system"] != "mfcc")]
    first, second = metric_bars(table).axes[:2]
    colours = [bar.get_facecolor() for bar in first.patches]
    assert [bar.get_facecolor() for bar in second.patches] == [colours[0], colours[2]]
    assert len(set(colours)) == 3


def test_systems_whose_names_begin_alike_keep_their_own_bars():
    names = ["my own long system name A", "my own long system name B"]
    figure = metric_bars(metrics("simlib", *names))
    np.testing.assert_allclose(bars(figure.axes[0]), [0.1, 0.2, 0.3])


def test_figures_without_a_value_are_left_out_of_the_bars():
    table = metrics("simlib", "mfcc")
    table.loc[1, ["value", "low", "high"]] = None
    hubs = pd.DataFrame([{"system": "simlib", "measure": "hub_skew@10", "value": 1.0}])
    figure = metric_bars(pd.concat([table, hubs]))
    assert [a.get_title() for a in figure.axes if a.axison] == ["genre_ndcg@10"]
    assert len(bars(figure.axes[0])) == 1


def test_a_report_with_no_value_at_all_is_an_empty_figure():
    drawn(metric_bars(metrics()))


def test_the_tags_of_neighbours_are_a_square_of_shares():
    names = pd.Index(["rock", "jazz"], name="genre")
    cells = pd.DataFrame([[0.75, 0.25], [0.5, 0.5]], index=names, columns=names)
    figure = neighbours_by_tag(cells)
    texts = drawn(figure)
    for text in ("rock", "jazz", "0.75", "0.25", "the query's genre"):
        assert text in texts


def test_without_tags_the_figure_of_neighbours_is_a_sentence():
    texts = drawn(neighbours_by_tag(pd.DataFrame()))
    assert texts == ["There is no tag column."]


def test_occurrence_is_counted_for_every_system():
    counts = {"simlib": np.array([0, 3, 3, 6]), "mfcc": np.array([3, 3, 3, 3])}
    figure = occurrence_histogram(counts, 3)
    texts = drawn(figure)
    assert {"simlib", "mfcc", "3-occurrence: lists that a track stands in"} <= set(texts)
    [axes] = figure.axes
    heights = sorted(max(line.get_ydata()) for line in axes.lines if len(line.get_xdata()) > 2)
    assert heights == [2, 4]
    assert any((np.asarray(line.get_xdata()) == 3).all() for line in axes.lines), "where k is"


def test_lists_are_counted_by_the_share_that_stayed():
    shares = np.array([0.0, 0.1, 0.1, 0.7, 1.0, np.nan])
    figure = kept_histogram(shares, 10)
    assert "share of the 10 most similar that stayed" in drawn(figure)
    heights = [patch.get_height() for patch in figure.axes[0].patches]
    assert heights == [1, 2, 0, 0, 0, 0, 0, 1, 0, 0, 1]
    drawn(kept_histogram(np.array([np.nan]), 1))


def test_the_aspect_matrix_has_each_difference_with_its_interval():
    rows = [(p, m) for p in ("sound", "genre") for m in ("genre", "<b>$x$")]
    table = pd.DataFrame(rows, columns=["turned up", "measured"])
    table[["before", "value", "low", "high"]] = [
        [0.5, 0.25, 0.125, 0.375], [0.5, -0.125, -0.25, 0.0],
        [0.5, 0.5, 0.25, 0.75], [np.nan] * 4,
    ]  # fmt: skip
    texts = drawn(aspect_matrix(table))
    assert "+0.250\n[+0.125, +0.375]" in texts
    assert "-0.125\n[-0.250, +0.000]" in texts
    assert "turned up" in texts


def test_tags_are_drawn_by_column_with_their_intervals():
    table = pd.DataFrame({
        "column": ["genre", "genre", "mood", "mood"],
        "tag": ["rock", "<b>$x$", "calm", "rare"],
        "odds": [4.0, 1.0, 0.5, 2.0],
        "low": [2.0, 0.5, 0.25, np.nan],
        "high": [8.0, 2.0, 1.0, np.nan],
        "audibility": ["audible", "unclear", "not audible", "unclear"],
    })  # fmt: skip
    figure = tag_support_figure(table)
    assert [axes.get_title() for axes in figure.axes] == ["genre", "mood"]
    texts = drawn(figure)
    assert {"rock", r"<b>\$x\$", "calm", "audible", "not audible", "unclear"} <= set(texts)
    assert "rare" not in texts, "it has no interval"
    interval, odds = figure.axes[0].lines[2:4]
    assert (interval.get_xdata().tolist(), odds.get_xdata().tolist()) == ([2.0, 8.0], [4.0])
    assert interval.get_color() == odds.get_color()
    drawn(tag_support_figure(table[:0]))


def test_reliability_is_drawn_against_the_diagonal():
    stated = np.linspace(0.01, 0.99, 99)
    table = pd.DataFrame({"stated": stated, "found": stated**2})
    figure = reliability_figure(table.assign(low=stated**3, high=stated))
    drawn(figure)
    lines = [np.asarray(line.get_xydata()) for line in figure.axes[0].lines]
    assert np.array_equal(lines[0], [[0, 0], [100, 100]])
    np.testing.assert_allclose(lines[1][:, 1], 100 * stated**2)
    [band] = figure.axes[0].collections
    corners = band.get_paths()[0].vertices
    for bound in (stated, stated**3):
        assert np.isin((100 * bound).round(6), corners[:, 1].round(6)).all()


def legend(figure):
    return [text.get_text() for text in figure.axes[0].get_legend().get_texts()]


def test_the_map_is_coloured_by_the_most_frequent_values():
    values = [f"g{i}" for i in range(12) for _ in range(20 - i)]
    column = pd.Series([f"{v}; more" for v in values] + [""], name="genre", dtype="str")
    points = np.random.default_rng(0).random((len(column), 2))
    figure = catalogue_map_figure(points, column)
    drawn(figure)
    assert legend(figure) == [f"g{i}" for i in range(8)] + ["other"]
    assert len(figure.axes[0].collections[0].get_offsets()) == len(column)
    few = catalogue_map_figure(points[:3], pd.Series(["b", "a", "a"], name="genre", dtype="str"))
    assert legend(few) == ["a", "b"]


@pytest.mark.parametrize("values", [["other", "other", "a", ""], ["x" * 40 + "1", "x" * 40 + "2"]])
def test_values_that_look_alike_in_the_legend_can_be_drawn(values):
    column = pd.Series(values, name="genre", dtype="str")
    figure = catalogue_map_figure(np.random.default_rng(0).random((len(values), 2)), column)
    drawn(figure)
    assert len(legend(figure)) == len(set(legend(figure)))


def test_a_map_without_any_value_can_be_drawn():
    drawn(catalogue_map_figure(np.zeros((3, 2)), pd.Series(["", "", ""], name="g", dtype="str")))


def test_learning_curves_show_loss_and_every_validation():
    curves = pd.DataFrame(
        {
            "epoch": [1, 2, 3],
            "loss": [3.0, 2.0, 1.5],
            "learning_rate": [1e-3, 5e-4, 0.0],
            "validation": [0.2, 0.4, 0.5],
            "validation_genre": [0.3, 0.5, 0.6],
        }
    )
    figure = learning_curves(curves)
    assert [axes.get_title() for axes in figure.axes] == [
        "Training loss",
        "Retrieval on validation artists",
    ]
    np.testing.assert_array_equal(figure.axes[0].lines[0].get_ydata(), [3.0, 2.0, 1.5])
    assert {"validation", "genre"} <= set(drawn(figure))
    alone = learning_curves(curves[["epoch", "loss", "learning_rate"]])
    assert len(alone.axes[1].lines) == 0
    drawn(alone)


@pytest.mark.filterwarnings("ignore:Glyph")
@pytest.mark.parametrize("text", HOSTILE)
def test_whatever_a_catalogue_calls_its_tags_can_be_drawn(text):
    values = [text, text + "2", "rock", "rock", "", text]
    table = table_of(**{text: values})
    drawn(catalogue_overview(table, [text]))
    names = pd.Index([text, "rock"], name=text)
    drawn(neighbours_by_tag(pd.DataFrame(np.eye(2), index=names, columns=names)))
    drawn(catalogue_map_figure(np.random.default_rng(0).random((6, 2)), table[text]))
    drawn(metric_bars(metrics("simlib", text, measures=[f"{text}_ndcg@10"])))
    drawn(occurrence_histogram({"simlib": np.arange(6), text: np.arange(6)}, 3))
    curves = pd.DataFrame({"epoch": [1, 2], "loss": [2.0, 1.0]})
    curves[f"validation_{text}"] = [0.1, 0.2]
    drawn(learning_curves(curves))
