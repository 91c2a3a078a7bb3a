"""Templates of HTML, escaped by default, and the one style sheet."""

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup


@cache
def _environment():
    loader = PackageLoader("simlib.reporting")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined)


def render(template: str, macro: str, *arguments: Any, **options: Any) -> Markup:
    """Fill a macro of a template.

    Parameters
    ----------
    template : str
        `blocks` or `results`.
    macro : str
    *arguments, **options
        Of the macro. Texts are escaped; Markup is HTML already.

    Returns
    -------
    markupsafe.Markup
        HTML, which other templates take as it is.
    """
    module = _environment().get_template(f"{template}.html").module
    return getattr(module, macro)(*arguments, **options)


def render_page(**parts: Any) -> str:
    """Fill the template of a whole page: `policy`, `title`, `kind` and `body`."""
    return _environment().get_template("page.html").render(style=style_sheet(), **parts) + "\n"


def style_sheet() -> Markup:
    """Return the style sheet of reports, query page and panel."""
    loader = _environment().loader
    return Markup(loader.get_source(_environment(), "style.css")[0])
