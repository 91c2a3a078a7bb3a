"""Paths of a tracks table: each is matched with a file, however a program has written it."""

import os
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable
from functools import cached_property
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from simlib.core import printable


class PathFinder:
    """Files of a folder, found by the paths of a table.

    Parameters
    ----------
    folder : pathlib.Path
        Where the table is.
    files : iterable of str
        Paths relative to `folder`.
    """

    def __init__(self, folder: Path, files: Iterable[str]):
        self.folder = folder
        self.files = set(files)

    def find(self, cells: list[str]) -> list[str | None]:
        """Return the file of each cell, or None.

        A file whose name is exactly that of the cell comes first. Then come other ways to write it:
        with backslashes, as an absolute path or a `file:` address, with or without `audio/`, in
        another Unicode form, case or number of blanks, if exactly one unclaimed file fits.
        """
        forms = [self._forms(cell) for cell in cells]
        found = [next((form for form in given if form in self.files), None) for given in forms]
        claimed = set(filter(None, found))
        for fold in _FOLDS:
            if None not in found:
                break
            free: dict[str, list[str]] = {}
            for path in sorted(self.files - claimed):
                free.setdefault(fold(path), []).append(path)
            for row, given in enumerate(forms):
                if found[row] is None:
                    one = next(filter(None, (free.get(fold(form)) for form in given)), [])
                    # Two rows may not share a file that neither of them names exactly.
                    if len(one) == 1 and one[0] not in claimed:
                        found[row] = one[0]
                        claimed.add(one[0])
        return found

    def _forms(self, cell):
        """Return the ways to read a cell as a path relative to the folder, the likeliest first."""
        texts = [cell]
        if cell.casefold().startswith("file:"):
            texts = [unquote(urlsplit(cell).path), unquote(cell[5:].lstrip("/"))]
        forms = []
        for text in texts:
            for path in (text, text.replace("\\", "/")):
                path = PurePosixPath(path)
                relative = self._relative(path) if path.is_absolute() else path
                if relative is None:
                    # The folder itself may be meant by the slash in front.
                    forms += [path.as_posix().lstrip("/"), path.as_posix()]
                else:
                    name = relative.as_posix()
                    forms += [name, f"audio/{name}", name.removeprefix("audio/")]
        return list(dict.fromkeys(forms))

    def _relative(self, path):
        folders = (self.folder.absolute(), self.folder.resolve())
        for parent in (path.parent, Path(os.path.realpath(path.parent))):
            for folder in folders:
                if parent.is_relative_to(folder):
                    return PurePosixPath(parent.relative_to(folder).as_posix(), path.name)
        return None

    def wrong_prefix(self, cells: list[str]) -> str:
        """Explain what most paths have in front that they should not have, or lack.

        Returns
        -------
        str
            A sentence with the correction; "" if there is none that helps most paths.
        """
        found: Counter = Counter()
        for cell in cells:
            # The longest common end decides, if only one file has it.
            pairs = [_fronts(cell.replace("\\", "/"), file) for file in self._namesakes(cell)]
            shortest = min((len(front) for front, _ in pairs), default=0)
            pairs = [pair for pair in pairs if len(pair[0]) == shortest]
            if len(pairs) == 1:
                # The front is shown with the table's own backslashes.
                found[cell[: len(pairs[0][0])], pairs[0][1]] += 1
        (wrong, right), count = found.most_common(1)[0] if found else (("", ""), 0)
        if 2 * count <= len(cells):
            return ""
        change = f"write '{printable(right)}' for '{printable(wrong)}' at the front of"
        if not wrong:
            change = f"put '{printable(right)}' in front of"
        elif not right:
            change = f"take '{printable(wrong)}' off the front of"
        paths = "every path" if count == len(cells) else f"{count} of {len(cells)} paths"
        return f"no row finds its file: {change} {paths}"

    def elsewhere(self, cells: list[str]) -> str:
        """Name a file with the name of one of the paths, but another folder or suffix; else ""."""
        stems = {_loosely(PurePosixPath(path).stem): path for path in sorted(self.files)}
        for cell in cells:
            stem = PurePosixPath(cell.replace("\\", "/")).name
            others = (stems.get(_loosely(name)) for name in (PurePosixPath(stem).stem, stem))
            for file in filter(None, [*self._namesakes(cell), *others]):
                return f"no row finds its file: '{printable(cell)}' may be '{printable(file)}'"
        return ""

    def _namesakes(self, cell):
        """Return the files with the name that a path ends with, whatever the folder."""
        return self._by_name.get(_loosely(cell.replace("\\", "/").rpartition("/")[2]), [])

    @cached_property
    def _by_name(self):
        found: dict[str, list[str]] = {}
        for path in sorted(self.files):
            found.setdefault(_loosely(path.rpartition("/")[2]), []).append(path)
        return found


def _fronts(path, file):
    """Return what two paths have in front of the folders and the name that both end with."""
    one, two = path.split("/"), file.split("/")
    shared = 0
    while shared < min(len(one), len(two)) and _loosely(one[-1 - shared]) == _loosely(
        two[-1 - shared]
    ):
        shared += 1
    return tuple(
        path[: len(path) - len("/".join(parts[len(parts) - shared :]))]
        for path, parts in ((path, one), (file, two))
    )


def _composed(path):
    return unicodedata.normalize("NFC", path)


def _folded(path):
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", path).casefold())


def _loosely(path):
    return re.sub(r"\s", "", _folded(path))


_FOLDS: tuple[Callable[[str], str], ...] = (_composed, _folded, _loosely)
