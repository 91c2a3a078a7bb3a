"""What every produced file shares: one error class, atomic writing, digests, the project's root."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from simlib.core.errors import SimlibError


@contextmanager
def written_aside(path: str | os.PathLike) -> Iterator[Path]:
    """Write a file under another name and rename it when it is whole.

    Parameters
    ----------
    path : path-like
        The final name; its folder is made if need be.

    Yields
    ------
    pathlib.Path
        The name to write to, in the same folder and with the same suffix. It is removed if the
        block fails.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.stem[:100]}.{os.getpid()}.part{path.suffix}")
    try:
        yield aside
        os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)


def write_json(path: str | os.PathLike, value: Any) -> None:
    """Write `value` as indented JSON with sorted keys; NaN is refused, since JSON has none."""
    with written_aside(path) as aside:
        text = json.dumps(value, indent=2, sort_keys=True, allow_nan=False, ensure_ascii=False)
        aside.write_text(text + "\n", encoding="utf-8")


def read_json(path: str | os.PathLike, hint: str) -> Any:
    """Read a JSON file.

    Raises
    ------
    SimlibError
        If it is absent or no JSON; `hint` says what to do then.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SimlibError(path, "is not there", hint) from None
    except ValueError as error:
        raise SimlibError(path, f"is not valid JSON ({error})", hint) from None
