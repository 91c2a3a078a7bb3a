"""CSV tables that people edit: all problems are found at once, each with its row."""

import csv
import io
from os import PathLike

from simlib.core import SimlibError


def parse_csv(raw: bytes) -> tuple[list[str], list[tuple[int, dict]], list[str]]:
    """Parse a CSV table with a header and collect its problems.

    Parameters
    ----------
    raw : bytes
        UTF-8, comma-separated.

    Returns
    -------
    header : list of str
    rows : list of (int, dict)
        Number of the row, counted from the header's 1, and column to text; blank rows are left out.
    problems : list of str
        One sentence each, without the name of the file.
    """
    problems = []
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        problems.append(f"line {line} is not UTF-8 (save the table as 'CSV UTF-8')")
        text = raw.decode("utf-8-sig", errors="replace")
    lines: list[list[str]] = []
    try:
        lines.extend(csv.reader(io.StringIO(text.replace("\0", ""), newline="")))
    except csv.Error as error:
        problems.append(f"row {len(lines) + 1} cannot be parsed ({error}; is a quote left open?)")
    header = [name.strip() for name in lines[0]] if lines else []
    rows = []
    for number, cells in enumerate(lines[1:], start=2):
        if not cells:
            continue
        if len(cells) != len(header):
            problems.append(f"row {number} has {len(cells)} cells, not {len(header)}")
        rows.append((number, dict(zip(header, (cell.strip() for cell in cells), strict=False))))
    return header, rows, problems


def refuse_rows(path: str | PathLike, problems: list[str]) -> None:
    """Raise one SimlibError that lists up to 50 problems of a table, if there are any."""
    if problems:
        shown = problems[:50] + ([f"and {len(problems) - 50} more"] if len(problems) > 50 else [])
        count = f"{len(problems)} problem{'s' if len(problems) > 1 else ''}: "
        raise SimlibError(path, count + "; ".join(shown), "correct these rows and run again")
