"""What every produced file shares: one error class, atomic writing, digests, the project's root."""

import operator
from typing import Any


class SimlibError(Exception):
    """A problem that the user can correct.

    Parameters
    ----------
    subject : str or Path
        The file, table or setting that is at fault.
    cause : str
        What is wrong with it.
    hint : str
        What to do about it.
    """

    def __init__(self, subject: object, cause: str, hint: str):
        super().__init__(str(subject), cause, hint)
        self.subject, self.cause, self.hint = str(subject), cause, hint

    def __str__(self):
        return f"{printable(self.subject)}: {self.cause}; {self.hint}"

    def _render_traceback_(self):
        # IPython asks for this: in a notebook the reader sees the sentence, not our call stack.
        return [f"SimlibError: {self}"]


def printable(text: object) -> str:
    """One line that any terminal can show: control characters and lone surrogates are escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(text))


def at_least_one(name: str, number: Any) -> int:
    """Return a count as int; raise SimlibError if it is none of at least 1."""
    try:
        count = operator.index(number)
    except TypeError:
        count = 0
    if count < 1:
        raise SimlibError(f"{name} = {number}", "is no whole number above 0", "ask for at least 1")
    return count
