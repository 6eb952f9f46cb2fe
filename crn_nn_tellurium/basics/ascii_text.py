"""Texts of others in ASCII, which is all that Antimony and .crn files know outside of comments."""

from __future__ import annotations

import re
from re import Match, Pattern

from crn_nn_tellurium.basics.identifiers import free_id, suggest_identifier

ASIDE = re.compile(
    r'("""+.*?"""+|```.*?```|"[^"\n]*")|//[^\n]*|#[^\n]*|/\*.*?(?:\*/|\Z)', re.DOTALL
)
"""Strings of Antimony, which are group 1, and comments, of which one may lack its end."""
_WORD = re.compile(r"[^\W\d]\w*")
_SPACES = {"\ufeff": "", "\u200b": "", "\u2060": "", "\u2028": "\n", "\u2029": "\n", "\x85": "\n"}


def in_ascii(text: str, aside: Pattern[str]) -> tuple[str, dict[str, str]]:
    """The text with plain spaces and names, and the names that it had before, by those it has now.

    A byte order mark goes. What `aside` finds, comments say, stays as it is, as do other characters
    beyond ASCII: those that read the text refuse them where they stand.
    """
    if text.isascii():
        return text, {}
    new: dict[str, str] = {}
    taken = {word for word in _WORD.findall(text) if word.isascii()}

    def plain(match: Match[str]) -> str:
        word = match[0]
        if not word.isascii() and word not in new:
            new[word] = free_id(suggest_identifier("x", word), taken)
        return new.get(word, word)

    parts, end = [], 0
    for match in (*aside.finditer(text), None):
        before = text[end : match.start() if match else len(text)]
        parts += [_WORD.sub(plain, "".join(map(_space, before))), match[0] if match else ""]
        end = match.end() if match else end
    return "".join(parts), {ascii_name: name for name, ascii_name in new.items()}


def _space(char: str) -> str:
    if char.isascii():
        return char
    return _SPACES.get(char, " " if char.isspace() else char)
