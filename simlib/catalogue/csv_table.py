"""The tracks table: read, checked, completed from the files' own tags, and split by artist.

A catalogue is a folder with `audio/**` and `tracks.csv`. Nothing here looks at samples.
"""

import csv
import io

from simlib.core import SimlibError


def parse_csv(raw):
    """Parse a CSV table with a header, whatever is wrong with it.

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
    """
    problems = []
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        problems.append(f"line {line} is not UTF-8 (save the table as 'CSV UTF-8')")
        text = raw.decode("utf-8-sig", errors="replace")
    lines = []
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


def refuse_rows(path, problems):
    """Raise one SimlibError that lists all problems of a table, if there are any."""
    if problems:
        shown = problems[:50] + ([f"and {len(problems) - 50} more"] if len(problems) > 50 else [])
        count = f"{len(problems)} problem{'s' if len(problems) > 1 else ''}: "
        raise SimlibError(path, count + "; ".join(shown), "mend these rows and run again")
