"""Text from outside (Azure, the policy file, people), cleaned before anybody reads it."""

import re
import unicodedata

from planner.text.phrases import first_sentences, shortened

_MARKUP = re.compile(r"([\\`*\[\]<>|]|~(?=~)|(?<=~)~)")
_AT_WORD_EDGE = re.compile(r"(?<![^\W_])_|_(?![^\W_])")
_LINE_START = re.compile(r"^(\s*)([#+=-]|\d+[.)])(?=\s|$|[-=])", re.MULTILINE)
_SCHEME = re.compile(r"(?i)\b([a-z][a-z0-9+.-]*):(?=//)|\b(mailto|tel|javascript|data):|\b(www)\.")
_ENTITY = re.compile(r"&(?=#?\w+;)")
_INDENT = re.compile(r"^[ ]+", re.MULTILINE)
ZERO_WIDTH = "\u200b"


def clean(text: str, limit: int = 2000) -> str:
    """Text from outside without what could disguise it: control and direction characters, endless length.

    Of a text that is too long whole sentences are kept, and it is said how many are not.
    """
    kept = "".join(
        character
        for character in text.replace("\r\n", "\n").replace("\t", " ")
        if character == "\n" or unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
    ).strip()
    return kept if len(kept) <= limit else shortened(kept, limit)


def one_line(text: str, limit: int = 300) -> str:
    """Cleaned text on one line, for titles, subjects and table cells."""
    return clean(" ".join(clean(text, limit * 4).split()), limit)


def brief(text: str, limit: int = 160) -> str:
    """The first sentences of cleaned text on one line, for the cell of a table: never half of one."""
    return first_sentences(one_line(text, 4 * limit), limit, 4 * limit)


def marks_up(text: str) -> bool:
    """Whether markdown would read more than text in it; names such as `db_prod-01` are only text."""
    cleaned = clean(text)
    return bool(_MARKUP.search(cleaned) or _AT_WORD_EDGE.search(cleaned))


def for_card(text: str) -> str:
    """Cleaned text that nothing `marks_up`, for where a card reads markdown: lists and links are defused."""
    defused = _LINE_START.sub(_defuse_line, clean(text))
    defused = _SCHEME.sub(_defuse_scheme, defused)
    return _INDENT.sub("", _ENTITY.sub("&amp;", defused))


def bare(text: str) -> str:
    """Cleaned text for where a card reads no markdown; addresses are defused, since programs link them."""
    return _SCHEME.sub(_defuse_scheme, clean(text))


def _defuse_line(found: re.Match[str]) -> str:
    # Our own symbols stand at the beginning of lines, too.
    return f"{found[1]}{ZERO_WIDTH}{found[2]}"


def _defuse_scheme(found: re.Match[str]) -> str:
    whole = found[0]
    return f"{whole}{ZERO_WIDTH}" if whole.endswith(":") else f"{whole[:-1]}{ZERO_WIDTH}."
