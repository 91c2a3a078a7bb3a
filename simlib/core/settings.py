"""The base of all settings: what a section of `params.yaml` may hold, checked once."""

from difflib import get_close_matches
from typing import Annotated, Any, ClassVar, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from simlib.core.errors import SimlibError

# How each of pydantic's range errors ends the sentence "it must be ...".
RANGES = {
    "greater_than": "above {gt:g}",
    "greater_than_equal": "at least {ge:g}",
    "less_than": "below {lt:g}",
    "less_than_equal": "at most {le:g}",
    "multiple_of": "a multiple of {multiple_of:g}",
    "finite_number": "a finite number",
    "too_short": "a list of at least {min_length:g}",
    "literal_error": "one of {expected}",
    "value_error": "{error}",
}

# What pydantic misses in a list or mapping, in words.
ELEMENTS = {"int_type": "whole numbers", "float_type": "numbers", "string_type": "texts"}

# Shares and counts that many settings have.
Share = Annotated[float, Field(ge=0, lt=1)]
Probability = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=1)]


def _as_tuple(value: Any) -> Any:
    # YAML has lists, settings are immutable, and pydantic's strict mode takes no list for a tuple.
    return tuple(value) if isinstance(value, list) else value


# Marks a tuple that `params.yaml` writes as a list: `Annotated[tuple[int, ...], FromList]`.
FromList = BeforeValidator(_as_tuple)


class Section(BaseModel):
    """Settings of one section of `params.yaml`: typed, strict and immutable.

    Strict means: no key more or less, no text or boolean for a number, no NaN. An integer may stand
    for a float.
    """

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", allow_inf_nan=False)
    section: ClassVar[str]

    @classmethod
    def of(cls, values: Any) -> Self:
        """Make the settings from the mapping under the section's name in `params.yaml`.

        Parameters
        ----------
        values : dict
            Exactly the section's keys.

        Returns
        -------
        Section

        Raises
        ------
        SimlibError
            If a key is unknown or missing, or a value has the wrong type or range.
        """
        if not isinstance(values, dict):
            place = f"params.yaml, section {cls.section}"
            raise SimlibError(place, f"is {values!r}, not keys with values", "restore its keys")
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise cls._explained(error, values) from None

    @classmethod
    def _explained(cls, error, values):
        """Turn the first of pydantic's complaints into a sentence on a key of `params.yaml`."""
        # A misspelt key is both unknown and missing; the unknown one tells more. YAML also has keys
        # that are no text, such as 3; pydantic calls them invalid.
        order = ("extra_forbidden", "invalid_key", "missing")
        found = sorted(error.errors(), key=lambda e: (*(e["type"] != kind for kind in order),))
        kind, path = found[0]["type"], [str(step) for step in found[0]["loc"]]
        owner, place = cls, cls.section
        while len(path) > 1 and (nested := owner._nested(path[0])) is not None:
            values, owner, place = values[path[0]], nested, f"{place}.{path[0]}"
            path = path[1:]
        key, subject = path[0], f"params.yaml, section {place}"
        known = list(owner.model_fields)
        if kind == "invalid_key":
            # Pydantic writes True as 1, so the key comes from the mapping.
            key = str(next(name for name in values if not isinstance(name, str)))
        if kind in ("extra_forbidden", "invalid_key"):
            close = get_close_matches(key, known, n=1)
            hint = f"did you mean '{close[0]}'?" if close else f"it has {', '.join(known)}"
            return SimlibError(subject, f"unknown key '{key}'", hint)
        if kind == "missing":
            return SimlibError(subject, f"missing key '{key}'", "add it with a value")
        if kind in RANGES:
            hint = f"it must be {RANGES[kind].format(**found[0].get('ctx', {}))}"
        elif len(path) > 1:
            hint = f"it must be a {owner._type_name(key)} of {ELEMENTS.get(kind, 'such values')}"
        else:
            hint = f"give it a value of type {owner._type_name(key)}"
        if len(path) > 1:
            hint += f" ('{path[1]}')"
        return SimlibError(subject, f"'{key}' is {values[key]!r}", hint)

    @classmethod
    def _nested(cls, key):
        """Return the section under a key; None if the key holds plain values."""
        kind = cls.model_fields[key].annotation if key in cls.model_fields else None
        return kind if isinstance(kind, type) and issubclass(kind, Section) else None

    @classmethod
    def _type_name(cls, key):
        kind = cls.model_fields[key].annotation
        if cls._nested(key) is not None:
            return "mapping"
        name = getattr(getattr(kind, "__origin__", kind), "__name__", str(kind))
        return {"tuple": "list", "dict": "mapping"}.get(name, name)

    def as_dict(self) -> dict[str, Any]:
        """Return the settings as plain values, for metadata and digests."""
        return self.model_dump(mode="json")
