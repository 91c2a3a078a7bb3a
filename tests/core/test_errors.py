import pytest
from hypothesis import given
from hypothesis import strategies as st

from simlib.core import (
    SimlibError,
    printable,
)


def test_an_error_names_subject_cause_and_hint_in_one_line():
    error = SimlibError("a\nb.wav", "is empty", "replace it")
    assert str(error) == r"a\nb.wav: is empty; replace it"
    assert (error.subject, error.cause, error.hint) == ("a\nb.wav", "is empty", "replace it")


def test_an_error_survives_the_way_back_from_a_worker():
    import pickle

    error = pickle.loads(pickle.dumps(SimlibError("s", "c", "m")))  # noqa: S301
    assert (error.subject, error.cause, error.hint) == ("s", "c", "m")


def test_a_notebook_shows_the_sentence_in_place_of_a_traceback():
    error = SimlibError("a.wav", "is empty", "replace it")
    assert error._render_traceback_() == ["SimlibError: a.wav: is empty; replace it"]


@given(st.text(st.characters()) | st.text(st.characters(categories=["Cs", "Cc"])))
def test_printable_text_is_one_line_of_valid_unicode(text):
    shown = printable(text)
    assert shown.isprintable()
    shown.encode("utf-8")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Björk – Jóga", "Björk – Jóga"),
        ("a\x1b[31mb", r"a\x1b[31mb"),
        ("a\nb\tc", r"a\nb\tc"),
        ("bad\udcff", r"bad\udcff"),
    ],
)
def test_printable_keeps_what_can_be_shown_and_escapes_the_rest(text, shown):
    assert printable(text) == shown
