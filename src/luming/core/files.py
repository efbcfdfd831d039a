"""What an uploaded file really is: recognised by its content, never by its name alone.

Only kinds that cannot run in a browser or on a desk are taken. The name's ending must agree with the content.
"""

from __future__ import annotations

import json
import re
import unicodedata
import zipfile
from dataclasses import dataclass
from pathlib import PurePath
from typing import IO, Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

HEAD = 8192  # bytes that decide about text
LARGEST_READ = 10 * 2**20  # bytes of JSON that are read as a whole
LONGEST_NAME = 200
GEOJSON = frozenset(
    {"Feature", "FeatureCollection", "Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon",
     "GeometryCollection"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file that is taken: its media type, its name and the endings that fit it."""

    media_type: str
    label: Any
    endings: tuple[str, ...]


_OFFICE = "application/vnd.openxmlformats-officedocument."
PDF = Kind("application/pdf", gettext_lazy("PDF document"), (".pdf",))
WORD = Kind(_OFFICE + "wordprocessingml.document", gettext_lazy("Word document"), (".docx",))
SHEET = Kind(_OFFICE + "spreadsheetml.sheet", gettext_lazy("Excel workbook"), (".xlsx",))
SLIDES = Kind(_OFFICE + "presentationml.presentation", gettext_lazy("PowerPoint presentation"), (".pptx",))
PNG = Kind("image/png", gettext_lazy("PNG image"), (".png",))
JPEG = Kind("image/jpeg", gettext_lazy("JPEG image"), (".jpg", ".jpeg"))
WEBP = Kind("image/webp", gettext_lazy("WebP image"), (".webp",))
GIF = Kind("image/gif", gettext_lazy("GIF image"), (".gif",))
TIFF = Kind("image/tiff", gettext_lazy("TIFF image"), (".tif", ".tiff"))
TEXT = Kind("text/plain", gettext_lazy("text"), (".txt", ".csv"))
GEO = Kind("application/geo+json", gettext_lazy("GeoJSON"), (".geojson", ".json"))
KINDS = (PDF, WORD, SHEET, SLIDES, PNG, JPEG, WEBP, GIF, TIFF, TEXT, GEO)
ENDINGS = tuple(ending for kind in KINDS for ending in kind.endings)

_MAGIC = (
    (b"%PDF-", PDF),
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"\xff\xd8\xff", JPEG),
    (b"GIF87a", GIF),
    (b"GIF89a", GIF),
    (b"II*\x00", TIFF),
    (b"MM\x00*", TIFF),
)
_PARTS = (("word/document.xml", WORD), ("xl/workbook.xml", SHEET), ("ppt/presentation.xml", SLIDES))


def clean_name(name: str) -> str:
    """Return the name of a file without folders and control characters, shortened before its ending."""
    name = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    # Characters that turn the direction of writing make gpj.exe look like exe.jpg.
    name = "".join(sign for sign in name if unicodedata.category(sign) not in {"Cc", "Cf", "Cs", "Co"}).strip(". ")
    path = PurePath(name or "file")
    return f"{path.stem[: LONGEST_NAME - len(path.suffix)]}{path.suffix}"[:LONGEST_NAME]


def recognise(file: IO[bytes], name: str) -> str:
    """Return the media type of a file that may be kept.

    Raises
    ------
    ValidationError
        The content is of no kind that is taken, or the ending of the name says something else.
    """
    file.seek(0)
    head = file.read(HEAD)
    if not head:
        raise ValidationError(_("“%(name)s” is empty: choose the file again.") % {"name": name})
    kind = _kind(file, head)
    file.seek(0)
    ending = PurePath(name).suffix.lower()
    if kind is None:
        raise ValidationError(
            _("“%(name)s” is of a kind that is not kept here. PDF, Word, Excel, PowerPoint, images, text, CSV and "
              "GeoJSON are; old Office files (.doc, .xls) must be saved in the new format first.") % {"name": name}
        )  # fmt: skip
    if kind is GEO and ending == ".txt":
        kind = TEXT
    if ending not in kind.endings:
        raise ValidationError(
            _("The content of “%(name)s” is %(kind)s, its name says something else: give it the ending %(ending)s.")
            % {"name": name, "kind": kind.label, "ending": kind.endings[0]}
        )
    return "text/csv" if ending == ".csv" else kind.media_type


def _kind(file: IO[bytes], head: bytes) -> Kind | None:
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return WEBP
    if head.startswith(b"PK\x03\x04"):
        return _office(file)
    return _text(file, head)


def _office(file: IO[bytes]) -> Kind | None:
    """Return which Office document an archive is; one with macros or anything else in it is refused."""
    try:
        with zipfile.ZipFile(file) as archive:
            names = {name.lower() for name in archive.namelist()}
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        return None
    if "[content_types].xml" not in names or any(name.endswith("vbaproject.bin") for name in names):
        return None
    return next((kind for part, kind in _PARTS if part in names), None)


def _text(file: IO[bytes], head: bytes) -> Kind | None:
    """Return the kind of a text, None for bytes and for texts that programs run (pages, drawings, scripts)."""
    text = _decoded(head)
    if text is None:
        return None
    start = text.lstrip("\ufeff \t\r\n").lower()
    if start.startswith(("<", "#!", "%!", "{\\rtf", "@echo", "mz")):
        return None
    if any(word in start for word in ("<script", "<html", "<svg", "<iframe", "<!doctype", "<?php", "javascript:")):
        return None
    return _geojson(file, start) if start.startswith("{") else TEXT


def _geojson(file: IO[bytes], start: str) -> Kind | None:
    """Return GeoJSON for what is; of a large file its beginning decides, it would fill the memory."""
    file.seek(0)
    content = file.read(LARGEST_READ + 1)
    if len(content) > LARGEST_READ:
        named = re.match(r'{\s*"type"\s*:\s*"(\w+)"', start)
        return GEO if named and named[1] in {name.lower() for name in GEOJSON} else None
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return GEO if isinstance(found, dict) and found.get("type") in GEOJSON else None


def _decoded(head: bytes) -> str | None:
    """Return the beginning of a text in UTF-8 or GB 18030, None when it is neither."""
    if any(byte < 32 and byte not in b"\t\n\r\f" for byte in head):
        return None
    for encoding in ("utf-8", "gb18030"):
        for cut in range(4):  # the last character may be cut in two
            try:
                return head[: len(head) - cut if len(head) == HEAD else None].decode(encoding)
            except UnicodeDecodeError:
                if len(head) < HEAD:
                    break
    return None
