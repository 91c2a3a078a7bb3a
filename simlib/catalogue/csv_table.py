"""CSV tables that people edit: all problems are found at once, each with its row."""

import codecs
import csv
import io
import re
from collections.abc import Callable, Iterable
from os import PathLike

from simlib.core import SimlibError

# What spreadsheets, R, pandas and databases write for an unknown value.
_MISSING = frozenset("|na|n/a|n.a.|nan|<na>|#n/a|#na|null|nil|unknown|?|-|--|–|—".split("|"))
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def is_missing(cell: str) -> bool:
    """Tell whether a cell is empty or holds what programs write for an unknown value.

    A tag may well be `none`, so only Python's own `None` counts.
    """
    return cell.casefold() in _MISSING or cell == "None"


def parse_csv(
    raw: bytes, is_known: Callable[[str], bool] = bool
) -> tuple[list[str], list[tuple[int, dict]], list[str]]:
    """Parse a CSV table with a header and collect its problems.

    The separator is a comma, a semicolon, a tab or a bar: the one with which the header has most
    known columns, then most columns. Blank rows, blank columns without a name, and an unnamed first
    column that counts the rows are left out. If the separator is no comma, numbers may have decimal
    commas.

    Parameters
    ----------
    raw : bytes
        UTF-8, or UTF-16 with a byte order mark.
    is_known : callable, optional
        Whether a column's name is one that the table should have.

    Returns
    -------
    header : list of str
    rows : list of (int, dict)
        Number of the row, counted from the header's 1, and column to text.
    problems : list of str
        One sentence each, without the name of the file.
    """
    problems = []
    encoding = "utf-16" if raw.startswith(_UTF_16) else "utf-8-sig"
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        name = "UTF-16" if encoding == "utf-16" else "UTF-8"
        problems.append(f"line {line} is not {name} (save the table as 'CSV UTF-8')")
        text = raw.decode(encoding, errors="replace")
    text, separator = _separator(text.replace("\0", ""), is_known)
    lines: list[list[str]] = []
    try:
        for cells in csv.reader(io.StringIO(text, newline=""), delimiter=separator):
            lines.append([cell.strip() for cell in cells])
    except csv.Error as error:
        problems.append(f"row {len(lines) + 1} cannot be parsed ({error}; is a quote left open?)")
    numbered = [(number, cells) for number, cells in enumerate(lines, start=1) if any(cells)]
    header = numbered[0][1] if numbered else []
    body = numbered[1:]
    kept = [
        position
        for position, name in enumerate(header)
        if not (is_unnamed(name) and _holds_nothing(_column(body, position), position))
    ]
    rows = []
    for number, cells in body:
        if len(cells) < len(header) or any(cells[len(header) :]):
            problems.append(f"row {number} has {len(cells)} cells, not {len(header)}")
        rows.append((number, {header[p]: cells[p] for p in kept if p < len(cells)}))
    if separator != ",":
        _decimal_points([row for _, row in rows], header)
    return [header[position] for position in kept], rows, problems


def _separator(text, is_known):
    """Return the text without Excel's line `sep=;`, and the separator."""
    named = re.match(r'"?sep=([;,\t|])"?[;,\t|]*(?:\r\n?|\n)', text)
    if named:
        return "\n" + text[named.end() :], named[1]
    found = {}
    for separator in ",;\t|":
        try:
            reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
            header = next((cells for cells in reader if any(map(str.strip, cells))), [])
        except csv.Error:
            header = []
        found[separator] = sum(is_known(name.strip()) for name in header), len(header)
    return text, max(found, key=found.get)


def is_unnamed(name: str) -> bool:
    """Tell whether a column has no name, or one that pandas makes up."""
    return not name or bool(re.fullmatch(r"Unnamed: \d+", name))


def _column(rows, position):
    return [cells[position] for _, cells in rows if position < len(cells)]


def _holds_nothing(cells, position):
    """Tell whether an unnamed column is blank, or the row numbers that R and pandas write."""
    if not any(cells):
        return True
    return not position and len(set(cells)) == len(cells) and all(c.isdecimal() for c in cells)


def _decimal_points(rows, header):
    """Replace the decimal commas of columns that hold numbers alone."""
    for name in header:
        filled = [row[name] for row in rows if not is_missing(row.get(name, ""))]
        numbers = [cell for cell in filled if re.fullmatch(r"[+-]?\d+(,\d+)?", cell)]
        if filled and len(numbers) == len(filled) and any("," in cell for cell in numbers):
            for row in rows:
                row[name] = row.get(name, "").replace(",", ".")


def known_tags(cell: str) -> str:
    """Return a cell of a tag column without the values that stand for unknown ones."""
    values = cell.split(";")
    known = [value for value in values if not is_missing(value.strip())]
    blank = sum(not value.strip() for value in values)
    return cell if len(known) + blank == len(values) else ";".join(known)


def refuse_rows(path: str | PathLike, problems: Iterable[str]) -> None:
    """Raise one SimlibError that lists up to 50 problems of a table, if there are any."""
    problems = list(problems)
    if problems:
        shown = problems[:50] + ([f"and {len(problems) - 50} more"] if len(problems) > 50 else [])
        count = f"{len(problems)} problem{'s' if len(problems) > 1 else ''}: "
        raise SimlibError(path, count + "; ".join(shown), "correct these rows and run again")
