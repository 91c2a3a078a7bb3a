"""One frozen dataclass for each section of `params.yaml`, with its checks."""

from dataclasses import asdict, fields
from difflib import get_close_matches
from numbers import Real

from simlib.core.errors import SimlibError


class Section:
    """What the sections share: made from a mapping, strictly."""

    @classmethod
    def of(cls, values):
        """Make the settings from the mapping under the section's name in `params.yaml`.

        Parameters
        ----------
        values : dict
            Exactly the dataclass's fields.

        Returns
        -------
        Section

        Raises
        ------
        SimlibError
            If a key is unknown or missing, or a value has the wrong type or range.
        """
        known = {f.name: f for f in fields(cls)}
        place = f"params.yaml, section {cls.section}"
        if not isinstance(values, dict):
            raise SimlibError(place, f"is {values!r}, not keys with values", "restore its keys")
        for key in values:
            if key not in known:
                near = get_close_matches(str(key), known, n=1)
                hint = f"did you mean '{near[0]}'?" if near else f"it has {', '.join(known)}"
                raise SimlibError(place, f"unknown key '{key}'", hint)
        missing = [key for key in known if key not in values]
        if missing:
            raise SimlibError(place, f"missing key '{missing[0]}'", "add it with a value")
        for key, value in values.items():
            cls._check_type(key, value, known[key].type)
        return cls(**values)

    @classmethod
    def _check_type(cls, key, value, kind):
        # A bool is an int to Python, and 3 is a fine value for a float; YAML means neither.
        fits = {
            int: isinstance(value, int) and not isinstance(value, bool),
            float: isinstance(value, Real) and not isinstance(value, bool),
        }.get(kind, isinstance(value, kind))
        if not fits:
            raise SimlibError(
                f"params.yaml, section {cls.section}",
                f"'{key}' is {value!r}",
                f"give it a value of type {kind.__name__}",
            )

    def _require(self, key, holds, wanted):
        if not holds:
            raise SimlibError(
                f"params.yaml, section {self.section}",
                f"'{key}' is {getattr(self, key)!r}",
                f"it must be {wanted}",
            )

    def as_dict(self):
        """Return the settings as plain values, for metadata and digests."""
        return asdict(self)
