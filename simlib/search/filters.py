"""Conditions on the catalogue's table: which tracks are meant.

A condition is a text such as `genre=Jazz`, `artist!=Miles Davis`, `bpm=90..110` or `bpm=..110`.
"""

import math
import re
import unicodedata
from collections.abc import Iterable

import numpy as np
import pandas as pd

from simlib.core import AUTO_TAGS, KNOWN_COLUMNS, SimlibError, is_reserved, printable

_CONDITION = re.compile(r"\s*(?P<column>.*?)\s*(?P<operator>!?=)\s*(?P<value>.*?)\s*", re.DOTALL)
_NUMBER = r"[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?"
_RANGE = re.compile(rf"(?P<low>{_NUMBER})?\s*\.\.\s*(?P<high>{_NUMBER})?", re.IGNORECASE)


def filter_mask(tracks: pd.DataFrame, conditions: Iterable[str]) -> np.ndarray:
    """Return which tracks meet all conditions.

    Text is compared as artists are everywhere: NFKC, stripped, case-folded. A cell of a tag column
    equals each of its values, and itself; an empty value equals the cells of unknown text. Numbers
    equal a number or a range, both ends included; an unknown number equals none. `!=` holds for
    exactly the tracks for which `=` does not.

    Parameters
    ----------
    tracks : pandas.DataFrame
        As `read_catalogue` returns it or an index holds it.
    conditions : iterable of str
        Column, `=` or `!=`, and a value; of a numeric column also `low..high`, `low..` or `..high`.

    Returns
    -------
    numpy.ndarray of bool, shape (n_tracks,)

    Raises
    ------
    SimlibError
        If a condition has no operator or no such column, has a range of text, or compares
        numbers with anything else.
    """
    met = np.ones(len(tracks), dtype=bool)
    # Columns on files in the store are no properties of a recording.
    internal = {name for name in tracks if name == "path" or is_reserved(name)}
    columns = [name for name in tracks if name not in internal - {"seconds", AUTO_TAGS}]
    for condition in conditions:
        subject, parts = f"condition '{condition}'", _CONDITION.fullmatch(condition)
        name, operator, value = parts.groups() if parts else ("", "", "")
        # The operators of other languages: <=, >= and <>; ==.
        unequal = name not in columns and name.rstrip("<> ") in columns
        doubled = value.startswith("=") and name not in KNOWN_COLUMNS
        if not parts or unequal or doubled:
            hint = "write column=value, column!=value or column=low..high"
            raise SimlibError(subject, "holds neither of the operators = and !=", hint)
        if name not in columns:
            cause = f"there is no column '{printable(name)}'"
            raise SimlibError(subject, cause, f"there are {', '.join(map(printable, columns))}")
        column = tracks[name]
        compare = _numbers if pd.api.types.is_numeric_dtype(column) else _texts
        equal = compare(column, value, subject)
        met &= equal if operator == "=" else ~equal
    return met


def _numbers(column, value, subject):
    ends = _RANGE.fullmatch(value)
    if re.fullmatch(_NUMBER, value, re.IGNORECASE):
        low = high = float(value)
    elif ends and any(ends.groups()):
        low, high = float(ends["low"] or -math.inf), float(ends["high"] or math.inf)
    else:
        cause = f"column '{printable(column.name)}' holds numbers"
        raise SimlibError(subject, cause, "give a number, low..high, low.. or ..high")
    if low > high:
        raise SimlibError(subject, "the range ends before it begins", f"write {high:g}..{low:g}")
    numbers = column.to_numpy(dtype=np.float64)
    return (low <= numbers) & (numbers <= high)


def _texts(column, value, subject):
    # A title may be written as a range is; a tag that is shows a wrong column.
    is_name, ends = column.name in KNOWN_COLUMNS, _RANGE.fullmatch(value)
    if ends and any(ends.groups()) and not is_name:
        cause = f"column '{printable(column.name)}' holds text, and only numbers have ranges"
        raise SimlibError(subject, cause, "give one of its values")
    wanted, cells = folded(value), column.to_numpy(dtype=object)
    equal = np.array([folded(cell) == wanted for cell in cells], dtype=bool)
    if wanted and not is_name:
        # A cell of a tag column equals each of its values, too.
        among = [wanted in map(folded, cell.split(";")) for cell in cells]
        equal |= np.array(among, dtype=bool)
    return equal


def folded(text: str) -> str:
    """Return a text as texts are compared: NFKC, stripped, case-folded."""
    return unicodedata.normalize("NFKC", text).strip().casefold()
