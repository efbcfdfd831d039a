"""Evidence in words: what pages and sheets say of figures, inputs, verdicts and influences, in the active language."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from luming.registry.models import Place
from luming.standards import edition as editions
from luming.telemetry.evidence.influence import Influence
from luming.telemetry.evidence.lineage import (
    COUNTS,
    JUDGEMENT,
    OBSERVATION,
    PACKET,
    RULE,
    SAMPLE,
    STATISTIC,
    VALUE,
    Input,
    Lineage,
)
from luming.telemetry.models import Judgement
from luming.telemetry.statistics import words as statistic_words
from luming.telemetry.statistics.models import Statistic
from luming.telemetry.store import Origin, Quality
from luming.web import words
from luming.web.states import headline, short_name
from luming.web.templatetags.luming import number

KINDS: dict[str, Any] = {
    JUDGEMENT: gettext_lazy("Judgement"),
    STATISTIC: gettext_lazy("Statistic"),
    VALUE: gettext_lazy("Value"),
    PACKET: gettext_lazy("Packet"),
}
QUALITIES: dict[int, Any] = {
    Quality.VALID: gettext_lazy("Valid"),
    Quality.SUSPECT: gettext_lazy("Suspect"),
    Quality.INVALID: gettext_lazy("Invalid"),
    Quality.MISSING: gettext_lazy("Missing"),
}
ORIGINS: dict[int, Any] = {
    Origin.MEASURED: gettext_lazy("Measured by the device"),
    Origin.ESTIMATED: gettext_lazy("Estimated by the device"),
    Origin.SUBSTITUTED: gettext_lazy("Substituted by a rule"),
    Origin.MANUAL: gettext_lazy("Entered by hand"),
    Origin.CORRECTED: gettext_lazy("Corrected by a reviewer"),
}
_MOMENT = "%Y-%m-%d %H:%M:%S"


@dataclass(frozen=True, slots=True)
class Subject:
    """What a page or sheet is about, in words."""

    kind: str
    title: str  # whose figure, of which period
    figure: str  # the figure itself
    facts: list[tuple[str, str]]
    edition: str
    verified: bool | None  # None: no rule speaks
    figures: list[tuple[str, str, str, str]]  # factor, judged value, limit, state
    url: str


def moment(value: datetime | None) -> str:
    """Return an instant in the city's time."""
    return "" if value is None else timezone.localtime(value).strftime(_MOMENT)


def period(start: datetime, kind: str, seconds: int = 3600) -> str:
    """Return a period of the city in words."""
    local = timezone.localtime(start)
    if kind == "quarter":
        return _("%(year)s, quarter %(number)s") % {"year": local.year, "number": (local.month + 2) // 3}
    if kind in ("day", "month", "year"):
        return local.strftime({"day": "%Y-%m-%d", "month": "%Y-%m", "year": "%Y"}[kind])
    length = timedelta(hours=8) if kind == "8h" else timedelta(seconds=seconds or 3600)
    return local.strftime("%Y-%m-%d %H:%M–") + (local + length).strftime("%H:%M")


def judged_period(row: Judgement) -> str:
    """Return the period of a judgement; its kind ends with the length."""
    return period(row.start, "day" if row.kind.endswith("day") else "hour")


def with_unit(value: float | None, unit: str | None) -> str:
    """Return a value with its unit."""
    return "—" if value is None else f"{number(value)} {unit or ''}".strip()


# ---- the subject -----------------------------------------------------------------------------------------------------


def subject(found: Lineage) -> Subject:
    """Return what a lineage is about."""
    return _SUBJECTS[found.kind](found)


def _judgement(found: Lineage) -> Subject:
    row: Judgement = found.subject
    place = _place(found)
    title, verified = _edition(row)
    facts = [
        (_("Standard"), title),
        (_("Judged at"), moment(row.judged_at)),
        (_("Revision"), str(row.revision)),
        (_("Software"), row.software),
    ]
    words_of = f"{words.state(row.state).label} · {headline(place.medium, row.value, row.detail)}".strip(" ·")
    url = reverse("judgement", args=[row.place_id, row.pk])
    name = f"{place.name} · {judged_period(row)}"
    return Subject(JUDGEMENT, name, words_of, facts, title, verified, _figures(row), url)


def _edition(row: Judgement) -> tuple[str, bool]:
    try:
        known = editions.edition(row.edition)
    except LookupError:  # limits of a permit: their own marks say whether they were compared with its text
        return row.edition, not row.detail.get("unverified")
    return f"{known.key} {known.title_zh if words.chinese() else known.title_en}", known.verified


def _figures(row: Judgement) -> list[tuple[str, str, str, str]]:
    found = []
    for code, figures in (row.detail.get("factors") or {}).items():
        lower, upper = figures.get("lower"), figures.get("upper")
        limit = f"{number(lower)}–{number(upper)}" if lower is not None else number(upper)
        state = str(words.state(figures.get("state")).label)
        found.append((words.factor_name(code), number(figures.get("value")), limit, state))
    medium = "air" if row.kind.startswith("aqi") else ""
    for short, index in (row.detail.get("iaqi") or {}).items():
        found.append((f"IAQI {short_name(short, medium)}", str(index), "", ""))
    return found


def _statistic(found: Lineage) -> Subject:
    row: Statistic = found.subject
    assert found.recomputed is not None
    name = measured(row)
    value = "—" if row.rounded is None else f"{row.rounded:.{max(row.decimals, 0)}f} {row.unit or ''}".strip()
    state = _("Valid") if row.valid else str(statistic_words.reason(row.reason))
    facts = [
        (_("Standard"), row.edition),
        (_("Unrounded value"), with_unit(row.value, row.unit)),
        (_("Values that count / needed / expected"), f"{row.count} / {row.required} / {row.expected}"),
        (_("Validity"), state),
        (_("Made from"), str(row.get_source_display())),
        (_("Inputs known until"), moment(row.as_of)),
        (_("Computed at"), moment(row.computed_at)),
        (_("Revision"), str(row.revision)),
        (_("Software"), row.software),
        (_("Digest of the inputs"), row.digest),
    ]
    title = f"{_place(found).name} · {name} · {period(row.start, row.kind)}"
    return Subject(STATISTIC, title, value, facts, row.edition, row.verified, [], _statistic_page(row))


def measured(row: Statistic) -> str:
    """Return factor, measure and kind of period of a statistic."""
    factor = "" if row.factor == "*" else words.factor_name(row.factor)
    return " · ".join(filter(None, [factor, str(row.get_measure_display()), str(row.get_kind_display())]))


def _statistic_page(row: Statistic) -> str:
    return reverse("statistic", args=[row.pk])


def _value(found: Lineage) -> Subject:
    series = found.series
    assert series is not None
    newest = found.inputs[0]
    facts = [
        (_("Interval"), str(series.get_interval_display())),
        (_("Revisions and verdicts"), str(len(found.inputs))),
        (_("Stored"), moment(newest.observation.recorded_at) if newest.observation else "—"),
    ]
    name = f"{_place(found).name} · {words.factor_name(series.factor)}"
    title = f"{name} · {period(found.subject, series.interval, series.seconds)}"
    url = reverse("place", args=[series.place_id])
    return Subject(VALUE, title, with_unit(newest.value, series.unit), facts, "", None, [], url)


def _of_packet(found: Lineage) -> Subject:
    record = found.subject
    facts = [
        (_("Received"), moment(record.received_at)),
        ("MN", record.mn or "—"),
        (_("Command"), f"{record.cn or '—'} {words.command_name(record.cn) if record.cn else ''}".strip()),
        (_("Bytes"), str(len(record.body))),
    ]
    name = found.place.name if found.place is not None else _("Not registered")
    url = reverse("packet", args=[record.id])
    return Subject(PACKET, f"{name} · {record.id}", str(words.VERDICTS[record.verdict].label), facts, "", None, [], url)


_SUBJECTS = {JUDGEMENT: _judgement, STATISTIC: _statistic, VALUE: _value, PACKET: _of_packet}


def _place(found: Lineage) -> Place:
    assert found.place is not None
    return found.place


# ---- inputs ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table of inputs."""

    item: Input
    name: str
    when: str
    used: str
    received: str
    standing: str  # counts, or why not
    verdict: str
    checks: list[tuple[str, str, str, bool]]  # code and title, what it said, clause, verified
    review: str
    packet_url: str
    url: str


def rows(found: Lineage, *, names: bool, packets: bool) -> list[Row]:
    """Return the inputs in words.

    Parameters
    ----------
    names : say who reviewed.
    packets : link to packets.
    """
    return [_row(item, names, packets) for item in found.inputs]


def _row(item: Input, names: bool, packets: bool) -> Row:
    verdict = item.verdict
    said = []
    if verdict is not None:
        said = [str(QUALITIES.get(verdict.quality, verdict.quality)), str(ORIGINS.get(verdict.origin, verdict.origin))]
        if verdict.reason:
            said.append(verdict.reason)
        said.append(moment(verdict.at))
    packet_url = reverse("evidence-packet", args=[item.packet_id]) if packets and item.packet_id else ""
    return Row(
        item, input_name(item), _when(item), with_unit(item.value, item.unit), _received(item), _standing(item),
        " · ".join(said), [_check(one) for one in item.checks], _review(item, names), packet_url, _url(item),
    )  # fmt: skip


def input_name(item: Input) -> str:
    """Return what an input is called."""
    if item.kind == STATISTIC and item.statistic is not None:
        return measured(item.statistic)
    if item.kind == COUNTS:
        return _("Periods counted")
    if item.kind == SAMPLE:
        return _("Sample %(number)s") % {"number": item.sample.sample.number if item.sample is not None else "—"}
    name = words.factor_name(item.series.factor) if item.series is not None else item.name
    if item.kind == RULE:
        return _("%(factor)s, by the rule for missing data") % {"factor": name}
    return f"{name} ({_('weight')})" if item.name == "weight" else name


def _when(item: Input) -> str:
    if item.kind == STATISTIC:
        return period(item.start, item.statistic.kind if item.statistic is not None else "day")
    if item.kind == COUNTS:
        return period(item.start, "day")
    seconds = item.series.seconds if item.series is not None else 3600
    interval = item.series.interval if item.series is not None else "hour"
    return period(item.start, interval, seconds)


def _received(item: Input) -> str:
    """Return what came from the device, where that is told beside what was used."""
    if item.kind == COUNTS:
        return _("%(count)s of %(required)s") % {"count": item.revision, "required": item.sequence}
    if item.observation is None:
        return ""
    text = with_unit(item.observation.value, item.series.unit if item.series is not None else "")
    mark = f"{item.flag} {words.flag_name(item.flag)}".strip() if item.flag else ""
    revision = _("revision %(number)s") % {"number": item.revision}
    return " · ".join(filter(None, [text, mark, revision]))


def _standing(item: Input) -> str:
    if item.kind not in (OBSERVATION,):
        return ""
    if item.counts:
        return _("it counts")
    return _("does not count: %(letter)s") % {"letter": item.letter}


def _check(one: Any) -> tuple[str, str, str, bool]:
    title = "" if one.check is None else (one.check.zh if words.chinese() else one.check.en)
    clause = "" if one.check is None else one.check.source
    said = _("not passed") if one.failed else _("suspect")
    return f"{one.code} {title}".strip(), said, clause, one.is_verified


def _review(item: Input, names: bool) -> str:
    review = item.review
    if review is None:
        return ""
    who = str(review.user) if names and review.user is not None else ""
    text = _("Signed review %(number)s") % {"number": review.number}
    return " · ".join(filter(None, [text, who, moment(review.at), f"SHA-256 {review.hash[:16]}…"]))


def _url(item: Input) -> str:
    if item.kind == STATISTIC:
        return reverse("evidence-statistic", args=[item.statistic.pk]) if item.statistic is not None else ""
    if item.kind == SAMPLE:
        return reverse("sample", args=[item.sample.sample_id]) if item.sample is not None else ""
    if item.series is None or item.kind == COUNTS:
        return ""
    return reverse("evidence-value", args=[item.series.pk, item.ms])


# ---- what it went into -----------------------------------------------------------------------------------------------


def influences(found: Iterable[Influence]) -> list[dict[str, Any]]:
    """Return judgements and statistics in words, with their pages of evidence."""
    lines = []
    for one in found:
        if one.kind == JUDGEMENT:
            name, when = one.row.edition, judged_period(one.row)
            value, url = str(words.state(one.row.state).label), reverse("evidence-judgement", args=[one.row.pk])
        else:
            name, when = measured(one.row), period(one.row.start, one.row.kind)
            value, url = with_unit(one.row.rounded, one.row.unit), reverse("evidence-statistic", args=[one.row.pk])
        lines.append({
            "kind": KINDS[one.kind], "name": name, "when": when, "value": value, "url": url, "used": one.used,
        })  # fmt: skip
    return lines
