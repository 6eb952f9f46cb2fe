"""Elements of SBML that differ in names and numbers alone: libSBML writes one of each kind.

It takes some 200 us for a reaction, which a network has for each weight. So one reaction of each
kind is made, with marks in place of what differs, and where libSBML has written it, it becomes the
pattern of all others: the file is the same to the byte.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Sequence

# no identifier of ours, and nothing that libSBML escapes
_MARK = "__mark{}__"
_MARKED = re.compile(_MARK.format(r"(\d+)"))
_ESCAPED = re.compile("[&<>'\"]")


def escapes(text: str) -> bool:
    """Whether libSBML writes some characters of a text otherwise, so that it cannot be marked."""
    return _ESCAPED.search(text) is not None


class Kinds:
    """One list of a document, ``<listOfReactions>``, filled with one element of each kind."""

    def __init__(self, name: str) -> None:
        self._head = f"<listOf{name.capitalize()}s>\n"
        self._tail = f"    </listOf{name.capitalize()}s>\n"
        self._start = f"      <{name} "
        self._kinds: dict[Hashable, int] = {}
        self._elements: list[tuple[int, Sequence[object]]] = []

    def add(self, kind: Hashable, values: Sequence[object], make: Callable[..., None]) -> None:
        """Another element; of a kind that is new, `make` has libSBML make it of marks."""
        if kind not in self._kinds:
            self._kinds[kind] = len(self._kinds)
            make(*(_MARK.format(i) for i in range(len(values))))
        self._elements.append((self._kinds[kind], values))

    def filled(self, document: str) -> str:
        """The document with all elements in place of those of marks."""
        if not self._elements:
            return document
        before, rest = document.split(self._head, 1)
        made, after = rest.split(self._tail, 1)
        patterns = [_pattern(self._start + part) for part in made.split(self._start)[1:]]
        text = "".join([patterns[kind].format(*values) for kind, values in self._elements])
        return "".join([before, self._head, text, self._tail, after])


def _pattern(element: str) -> str:
    """An element with marks as a text to format."""
    return _MARKED.sub(r"{\1}", element.replace("{", "{{").replace("}", "}}"))
