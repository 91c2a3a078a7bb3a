"""What a browser would make of a page, for tests of HTML."""

from html.parser import HTMLParser

EVIL = "<img src=x onerror=alert(1)>"


class Page(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self, content):
        super().__init__()
        self.tags, self.attributes, self.text = [], [], ""
        self.cells, self._cell = [], None
        # Not the Markup itself, which would escape what the parser appends to it.
        self.feed(str(content))

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag in ("td", "th"):
            self._cell = ""

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self.cells.append(self._cell)
            self._cell = None

    def handle_data(self, data):
        self.text += data
        if self._cell is not None:
            self._cell += data

    def values(self, name):
        return [value for _, found, value in self.attributes if found == name]
