"""What counts of samples taken by hand: accepted results, a source of equal rank with origin **manual**.

Statistics, judgements and provenance read manual values here and nowhere else. The interface is stable:

- :func:`accepted` gives one row per sample and factor: its highest accepted revision. A later revision that is not
  accepted yet (or was returned) changes nothing; a later accepted one replaces it; an accepted withdrawal removes it.
- Only ordinary samples count: blanks, parallels and spikes control the quality of the work and are no observations.
- ``as_of`` asks what counted at a past moment, by the time of the reviews.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from django.db.models import QuerySet

from luming.telemetry.sampling.models import ResultReview, Sample, SampleResult
from luming.telemetry.store.verdicts import Origin

ORIGIN = Origin.MANUAL


class Manual(NamedTuple):
    """An accepted result of a sample taken by hand.

    ``start`` and ``end`` are the sampling period (equal for a grab sample at an instant), ``unit`` is that of the
    register's spelling. Below detection, ``value`` is the detection limit: take :attr:`counted` for statistics.
    """

    place_id: int
    factor: str
    start: datetime
    end: datetime
    value: float
    unit: str
    below_detection: bool
    sample_number: str
    sample_id: int
    revision: int
    result_id: int
    accepted_at: datetime

    @property
    def counted(self) -> float:
        """Return what enters a mean: half the detection limit where nothing was found.

        HJ 91.1-2019 and HJ 164-2020 let results below detection take part with half the limit (from memory, not
        verified).
        """
        return self.value / 2 if self.below_detection else self.value


def accepted(
    place_ids: Iterable[int],
    factors: Iterable[str] | None,
    since: datetime,
    until: datetime,
    *,
    as_of: datetime | None = None,
) -> list[Manual]:
    """Return the accepted results of samples whose taking began in [since, until); one query.

    Parameters
    ----------
    factors : codes of HJ 212; None for all.
    as_of : only what had been accepted by that moment.

    Returns
    -------
    Rows ordered by place, factor and start.
    """
    rows = _rows(as_of).filter(
        sample__place__in=list(place_ids), sample__taken_from__gte=since, sample__taken_from__lt=until
    )
    if factors is not None:
        rows = rows.filter(factor__in=list(factors))
    return _held(rows)


def of_sample(sample: Sample | int, *, as_of: datetime | None = None) -> list[Manual]:
    """Return the accepted results of one sample; empty for blanks, parallels and spikes."""
    return _held(_rows(as_of).filter(sample=sample))


def _rows(as_of: datetime | None) -> QuerySet[SampleResult]:
    rows = SampleResult.objects.filter(
        review__decision=ResultReview.Decision.ACCEPTED,
        sample__control=Sample.Control.NONE,
        sample__taken_from__isnull=False,
    )
    return rows if as_of is None else rows.filter(review__reviewed_at__lte=as_of)


def _held(rows: QuerySet[SampleResult]) -> list[Manual]:
    """Return the highest accepted revision of each sample's factor, without what was withdrawn."""
    found: dict[tuple[int, str], SampleResult] = {}
    for row in rows.select_related("sample", "review").order_by("revision"):
        found[row.sample_id, row.factor] = row
    manual = [
        Manual(
            row.sample.place_id,
            row.factor,
            row.sample.taken_from,
            row.sample.taken_to,
            row.detection_limit if row.below_detection else row.value,
            row.unit,
            row.below_detection,
            row.sample.number,
            row.sample_id,
            row.revision,
            row.pk,
            row.review.reviewed_at,
        )
        for row in found.values()
        if not row.withdrawn
    ]
    return sorted(manual, key=lambda row: (row.place_id, row.factor, row.start, row.sample_id))
