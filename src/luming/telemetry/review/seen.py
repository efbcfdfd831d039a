"""What a reviewer sees of a day, in a canonical form that can be hashed, signed, and told again from the store later.

The document of a review is UTF-8 text, one fact per line, tabs between its parts::

    luming-review 1
    place <id> <code>            day <YYYY-MM-DD>         as-of <instant>
    by <user id> <user name>     previous <hash of the review before, or ->
    value <series> <factor> <interval> <start> <revision> <sequence> <origin> <quality> <mark> <observed> <counts>
        <checks>
    decision <series> <from> <to> <action> <reason code> <method> <value> <other series> <reason as JSON>

Values are sorted by series and start; instants are UTC in ISO 8601; numbers are Python's shortest exact form, ``nan``
is none. ``sequence`` is that of the verdict that held, -1 where the device's mark alone decided.
"""

from __future__ import annotations

import hashlib
import json
import math
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import numpy as np

from luming.core.models import User
from luming.registry.models import Place, Series
from luming.telemetry import store
from luming.telemetry.review.models import Review, ReviewDay, Scope
from luming.telemetry.store import Effective, Quality, VerdictRecord

VERSION = "luming-review 1"


@dataclass(frozen=True, slots=True)
class Value:
    """One period of one series as it stands: what was observed, what counts, and who says so."""

    series: Series
    start: datetime
    revision: int
    sequence: int
    origin: int
    quality: int
    flag: str
    value: float
    used: float
    converted: float  # of what counts
    packet_id: int
    verdict: VerdictRecord | None

    @property
    def checks(self) -> tuple[str, ...]:
        """Return the checks that spoke, as "CODE:result"."""
        return self.verdict.checks if self.verdict is not None else ()

    @property
    def has_value(self) -> bool:
        """Tell whether anything was measured."""
        return not math.isnan(self.value) or not math.isnan(self.used)

    def line(self) -> str:
        """Return its line of the document."""
        parts = (
            "value", self.series.pk, self.series.factor, self.series.interval, instant(self.start), self.revision,
            self.sequence, self.origin, self.quality, self.flag, repr(self.value), repr(self.used),
            ",".join(self.checks),
        )  # fmt: skip
        return "\t".join(map(str, parts))


@dataclass(slots=True)
class Sight:
    """All values of some series in a period, by (series id, start), with the series in the order of display."""

    series: list[Series]
    start: datetime
    end: datetime
    values: dict[tuple[int, datetime], Value]
    effective: Effective

    def within(self, start: datetime, end: datetime) -> Sight:
        """Return what begins in a part of the period."""
        first, last = (np.datetime64(moment.astimezone(UTC).replace(tzinfo=None)) for moment in (start, end))
        own = self.effective.take((self.effective.start >= first) & (self.effective.start < last))
        values = {key: value for key, value in self.values.items() if start <= key[1] < end}
        return Sight(self.series, start, end, values, own)

    def lines(self) -> list[str]:
        """Return the values' lines of the document."""
        return [value.line() for _key, value in sorted(self.values.items())]

    def fingerprint(self) -> str:
        """Return the hash of all that stands: it changes when any value, mark or verdict does."""
        return fingerprint(self.effective)

    def standing(self) -> str:
        """Return the hash of what counts of the observed values: it changes when what was reviewed does."""
        return standing(self.effective)


_ALL = {
    "series_id": "<i4", "start": "<M8[us]", "revision": "<i2", "sequence": "<i2", "origin": "i1", "quality": "i1",
    "flag": "<U8", "value": "<f8", "used": "<f8", "used_converted": "<f8",
}  # fmt: skip
_COUNTED = {"series_id": "<i4", "start": "<M8[us]", "revision": "<i2", "quality": "i1", "used": "<f8"}


def fingerprint(effective: Effective) -> str:
    """Return the hash of values, marks and verdicts in order of series and start.

    The checks that spoke need no place in it: a verdict never changes, so its sequence stands for all that it says.
    """
    return _hashed(effective, _ALL)


def standing(effective: Effective) -> str:
    """Return the hash of what counts of observed values, in order of series and start.

    What other rooms add for periods without an observation (substitution) changes nothing that was reviewed.
    """
    return _hashed(effective.take(effective.revision >= 0), _COUNTED)


def _hashed(effective: Effective, columns: dict[str, str]) -> str:
    found = hashlib.sha256()
    for name, kind in columns.items():
        column = getattr(effective, name)
        if kind == "<f8":
            column = np.where(np.isnan(column), np.inf, column)  # one form of none
        found.update(np.ascontiguousarray(column.astype(kind)).tobytes())
    return found.hexdigest()


def instant(moment: datetime) -> str:
    """Return an instant in UTC, exact to the microsecond."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def digest(text: str) -> str:
    """Return the SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def look(series: Sequence[Series], start: datetime, end: datetime, *, as_of: datetime | None = None) -> Sight:
    """Read what stands for some series in [start, end), as of an instant if one is given."""
    ids = [row.pk for row in series]
    by_id = {row.pk: row for row in series}
    found = store.effective(ids, start, end, as_of=as_of)
    spoken = {(record.series_id, record.start): record for record in store.verdicts(ids, start, end, as_of=as_of)}
    starts = [moment.replace(tzinfo=UTC) for moment in found.start.tolist()]
    columns = (
        found.series_id, found.revision, found.sequence, found.origin, found.quality, found.flag, found.value,
        found.used, found.used_converted, found.packet_id,
    )  # fmt: skip
    values = {}
    rows = zip(starts, *(column.tolist() for column in columns), strict=True)
    for at, series_id, revision, sequence, origin, quality, flag, value, used, converted, packet_id in rows:
        verdict = spoken.get((series_id, at))
        if verdict is not None and verdict.sequence != sequence:
            verdict = None  # of an older revision: it does not hold
        values[series_id, at] = Value(
            by_id[series_id], at, revision, sequence, origin, quality, flag, value, used, converted, packet_id, verdict
        )  # fmt: skip
    return Sight(list(series), start, end, values, found)


def series_of_day(place: Place | int) -> list[Series]:
    """Return the series that a day's review is about: the hourly ones of its place."""
    pk = place if isinstance(place, int) else place.pk
    return list(Series.objects.filter(place=pk, interval="hour").order_by("pk"))


def look_at_day(day: ReviewDay, *, as_of: datetime | None = None) -> Sight:
    """Read the hourly values of a day as they stand."""
    return look(series_of_day(day.place_id), day.start, day.end, as_of=as_of)


def look_finer(scopes: Iterable[Scope], *, as_of: datetime | None = None) -> list[Sight]:
    """Read the values of series of other intervals than hours that decisions are about, in their periods."""
    wanted = sorted({(row.series.pk, row.start, row.end) for row in scopes if row.series.interval != "hour"})
    series = {row.series.pk: row.series for row in scopes}
    return [look([series[pk]], start, end, as_of=as_of) for pk, start, end in wanted]


def fingerprints_of(days: Iterable[ReviewDay]) -> dict[int, str]:
    """Return the fingerprint of each day, reading all places of a date at once: day id -> hash."""
    found = {}
    by_date: dict[date, list[ReviewDay]] = {}
    for day in days:
        by_date.setdefault(day.day, []).append(day)
    for rows in by_date.values():
        series: dict[int, list[int]] = {row.place_id: [] for row in rows}
        wanted = Series.objects.filter(place__in=series, interval="hour").values_list("place_id", "pk")
        for place_id, pk in wanted:
            series[place_id].append(pk)
        stands = store.effective([pk for ids in series.values() for pk in ids], rows[0].start, rows[0].end)
        for row in rows:
            found[row.pk] = fingerprint(stands.take(np.isin(stands.series_id, series[row.place_id])))
    return found


# ---- the document ----------------------------------------------------------------------------------------------------


def document(
    place: Place,
    day: date,
    at: datetime,
    user: User | None,
    previous: str,
    lines: Iterable[str],
    scopes: Iterable[Scope],
) -> str:
    """Return the document of a review: what was seen at an instant, and what was decided."""
    head = [
        VERSION,
        f"place\t{place.pk}\t{place.code}",
        f"day\t{day.isoformat()}",
        f"as-of\t{instant(at)}",
        f"by\t{user.pk if user else 0}\t{user.get_username() if user else 'system'}",
        f"previous\t{previous or '-'}",
    ]
    return "\n".join([*head, *lines, *map(_decision_line, scopes)]) + "\n"


def _decision_line(scope: Scope) -> str:
    value = "" if scope.value is None else repr(float(scope.value))
    parts = (
        "decision", scope.series_id, instant(scope.start), instant(scope.end), scope.action, scope.code.code,
        scope.method, value, scope.other_id or "", json.dumps(scope.reason, ensure_ascii=False),
    )  # fmt: skip
    return "\t".join(map(str, parts))


def packed(text: str) -> bytes:
    """Deflate a document for keeping."""
    return zlib.compress(text.encode(), 9)


def text_of(review: Review) -> str:
    """Return the document of a review as it was signed."""
    return zlib.decompress(bytes(review.document)).decode()


@dataclass(slots=True)
class Comparison:
    """Whether a signed document is whole, and whether the store still tells the same of that moment.

    ``differing`` are lines that only one of the two has: ("signed" or "stored", line).
    """

    whole: bool
    hash: str
    differing: list[tuple[str, str]] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Tell whether nothing differs."""
        return self.whole and not self.differing


def check(review: Review) -> Comparison:
    """Compute the hash of a review's document again, and read its values from the store as of when it was signed."""
    text = text_of(review)
    found = Comparison(digest(text) == review.hash, digest(text))
    signed = {line for line in text.splitlines() if line.startswith("value\t")}
    scopes = list(review.decisions.select_related("series", "code"))
    sights = [look_at_day(review.day, as_of=review.at), *look_finer(scopes, as_of=review.at)]
    stored = {line for sight in sights for line in sight.lines()}
    # Hours of series that were registered after the signature were not there to be seen.
    known = {line.split("\t")[1] for line in signed}
    stored = {line for line in stored if line.split("\t")[1] in known} if known else stored
    found.differing = [("signed", line) for line in sorted(signed - stored)]
    found.differing += [("stored", line) for line in sorted(stored - signed)]
    return found


def spoke(value: Value) -> bool:
    """Tell whether a value needs an eye: something doubts it and no person has decided."""
    return value.quality == Quality.SUSPECT and not (value.verdict is not None and value.verdict.person_id)
