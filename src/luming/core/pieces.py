"""What a record is found by: words as written, their pinyin and initials, cut into pieces for the index.

Pure functions without a database. A *line* is a searchable word in lower case without spaces at its ends; the haystack
of a record is its lines between line breaks, so that ``\\nword\\n`` is an exact match and ``\\nword`` a beginning. The
pieces narrow down by a GIN index (one and two Chinese characters, two and three Latin ones, the beginnings and the
whole of each line); what they let through is compared with the haystack, so that a piece never decides alone.
"""

from __future__ import annotations

import functools
import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence

from pypinyin import lazy_pinyin

BREAK = "\n"
LONGEST_LINE = 200
BEGINNINGS = (1, 2, 4, 7)  # lengths of beginnings in the index; a query uses the longest that it fills
VARIANTS = 6  # further readings of one name

_CHINESE = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
_RUNS = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]+|[^\u3400-\u9fff\uf900-\ufaff]+")
_MARKS = re.compile(r"[\W_]+")

# Characters of names of places and enterprises that people read in more than one way. The dictionary of pypinyin knows
# words (重庆, 银行); in a name that it does not know, either reading may be typed.
READINGS = {
    "长": ("chang", "zhang"), "重": ("zhong", "chong"), "行": ("hang", "xing"), "乐": ("le", "yue"),
    "朝": ("chao", "zhao"), "都": ("du", "dou"), "调": ("diao", "tiao"), "会": ("hui", "kuai"), "藏": ("cang", "zang"),
    "传": ("chuan", "zhuan"), "弹": ("dan", "tan"), "单": ("dan", "shan"), "曾": ("zeng", "ceng"), "解": ("jie", "xie"),
    "厦": ("sha", "xia"), "系": ("xi", "ji"), "率": ("lv", "shuai"), "盛": ("sheng", "cheng"), "石": ("shi", "dan"),
    "召": ("zhao", "shao"), "尉": ("wei", "yu"), "蔚": ("wei", "yu"), "仇": ("qiu", "chou"), "查": ("cha", "zha"),
    "区": ("qu", "ou"), "薄": ("bo", "bao"), "堡": ("bao", "pu"), "圈": ("quan", "juan"), "降": ("jiang", "xiang"),
    "尾": ("wei", "yi"), "参": ("can", "shen"), "泊": ("bo", "po"), "塔": ("ta", "da"), "万": ("wan", "mo"),
}  # fmt: skip


def normal(text: object) -> str:
    """Return text as it is compared: full width made half, lower case, single spaces."""
    return " ".join(unicodedata.normalize("NFKC", str(text)).lower().split())[:LONGEST_LINE]


def words_of(text: str) -> list[str]:
    """Return the words of what a person typed; a record must hold all of them."""
    return list(dict.fromkeys(normal(text).split()))[:8]


def lines_of(values: Iterable[object]) -> list[str]:
    """Return the lines of a record's values, in their order, each once: as written, bare of signs, pinyin, initials."""
    return list(dict.fromkeys(line for value in values for line in _lines_of(normal(value or ""))))


@functools.lru_cache(8192)  # the outlets of a facility are all found by its name
def _lines_of(written: str) -> tuple[str, ...]:
    bare = _MARKS.sub("", written)
    return tuple(line for line in (written, bare, *_sounds(bare)) if line)


def _sounds(text: str) -> Iterator[str]:
    """Yield the pinyin and the initials of a text with Chinese characters, then those of its other readings."""
    if not _CHINESE.search(text):
        return
    first = _syllables(text)
    yield "".join(first)
    yield "".join(syllable[:1] for syllable in first)
    left = VARIANTS
    for position, character in enumerate(text):
        for reading in READINGS.get(character, ()):
            if reading == first[position] or not left:
                continue
            other = [*first[:position], reading, *first[position + 1 :]]
            left -= 1
            yield "".join(other)
            yield "".join(syllable[:1] for syllable in other)


def _syllables(text: str) -> list[str]:
    """Return one syllable per Chinese character and every other character as it is."""
    found = lazy_pinyin(text, errors=lambda other: list(other))
    if len(found) != len(text):  # a dictionary word that is not read character by character
        found = [syllable for character in text for syllable in lazy_pinyin(character, errors=lambda other: [other])]
    return [syllable.lower() for syllable in found]


def marked(text: str, words: Sequence[str]) -> list[tuple[str, bool]]:
    """Return a text in parts, those True that the words found: as written, by pinyin or by initials."""
    shown = [unicodedata.normalize("NFKC", character).lower() for character in text]
    chosen = [False] * len(text)
    written, owners = _spread(shown)
    bare = [character if _MARKS.sub("", character) else "" for character in shown]
    sounds = _syllables("".join(bare)) if any(map(_CHINESE.search, text)) else []
    sounds = _aligned(bare, sounds)
    for word in words:
        initials = [syllable[:1] for syllable in sounds]
        for letters, whose in ((written, owners), _spread(initials), _spread(sounds)):
            start = letters.find(word)
            if start >= 0:
                for position in whose[start : start + len(word)]:
                    chosen[position] = True
                break
    parts: list[tuple[str, bool]] = []
    for character, on in zip(text, chosen, strict=True):
        if parts and parts[-1][1] == on:
            parts[-1] = (parts[-1][0] + character, on)
        else:
            parts.append((character, on))
    return parts


def _spread(pieces: Sequence[str]) -> tuple[str, list[int]]:
    """Return pieces in a row and, for each letter, which piece it is of."""
    return "".join(pieces), [position for position, piece in enumerate(pieces) for _letter in piece]


def _aligned(bare: Sequence[str], syllables: Sequence[str]) -> list[str]:
    """Return a syllable for each character; signs have none."""
    if not syllables or sum(map(len, bare)) != len(syllables):
        return []
    rest = iter(syllables)
    return ["".join(next(rest) for _letter in piece) for piece in bare]


def haystack_of(lines: Sequence[str]) -> str:
    """Return the haystack of lines."""
    return BREAK + BREAK.join(lines) + BREAK


def kind_piece(kind: str) -> str:
    """Return the piece that all records of one kind hold."""
    return "#" + _digest(kind)


def whole_piece(line: str) -> str:
    """Return the piece of exactly this line."""
    return "=" + _digest(line)


def beginning_piece(word: str) -> str:
    """Return the piece of lines that begin like a word."""
    return "^" + word[: max(length for length in BEGINNINGS if length <= len(word))]


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=4).hexdigest()[:7]


def pieces_of(lines: Iterable[str]) -> set[str]:
    """Return the pieces that records with these lines hold, beside that of their kind."""
    found: set[str] = set()
    for line in lines:
        found.add(whole_piece(line))
        found.update("^" + line[:length] for length in BEGINNINGS if length <= len(line))
        for run in _RUNS.findall(line):
            if _CHINESE.match(run):
                found.update(run)
                found.update(_cut(run, 2))
            else:
                found.update(_cut(run, 2))
                found.update(_cut(run, 3))
    return found


def needed_pieces(word: str) -> list[str]:
    """Return the pieces that every record with a word somewhere holds: the rarest ones that the index knows.

    A single Latin letter is somewhere in almost everything; it is looked for at the beginning of lines.
    """
    if len(word) == 1 and not _CHINESE.match(word):
        return [beginning_piece(word)]
    found: list[str] = []
    for run in _RUNS.findall(word):
        if _CHINESE.match(run):
            found += _cut(run, 2) if len(run) > 1 else [run]
        elif len(run) > 1:
            found += _cut(run, min(3, len(run)))
    return list(dict.fromkeys(found))


def pattern(word: str) -> str:
    """Return the LIKE pattern of records with a word; a single Latin letter stands at the beginning of a line."""
    single = len(word) == 1 and not _CHINESE.match(word)
    return f"%{BREAK if single else ''}{escape(word)}%"


def escape(word: str) -> str:
    """Return a word as LIKE takes it literally."""
    return re.sub(r"([\\%_])", r"\\\1", word)


def _cut(run: str, length: int) -> list[str]:
    return [run[i : i + length] for i in range(len(run) - length + 1)]
