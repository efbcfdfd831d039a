"""An evidence sheet on paper: what the issued document states, in Chinese, with hashes and a QR code to verify it."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from importlib import resources
from pathlib import Path
from typing import Any

import orjson
import segno
import typst
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from luming.core.models import User
from luming.registry import city
from luming.science.qc.catalogue import catalogue
from luming.science.qc.model import Mark, Result
from luming.telemetry import store
from luming.telemetry.evidence import documents
from luming.telemetry.evidence.models import DayHash, EvidenceSheet
from luming.telemetry.store.lookup import sha256
from luming.web import words
from luming.web.evidence import showing
from luming.web.onefile import dossier
from luming.web.packet_view import masked, readable

ANNEX = 12  # packets whose text is printed
PARTS: dict[str, Any] = {
    "subject": gettext_lazy("what the sheet is about"),
    "figure": gettext_lazy("the figure itself"),
    "inputs": gettext_lazy("the values it was made of"),
    "reviews": gettext_lazy("the signed reviews"),
    "packets": gettext_lazy("the packets"),
}
Content = Mapping[str, Any]


def make(sheet: EvidenceSheet, address: str) -> bytes:
    """Return a sheet as PDF; ``address`` is what its QR code opens."""
    with tempfile.TemporaryDirectory(prefix="luming-evidence-") as name, translation.override("zh-hans"):
        folder = Path(name)
        (folder / "main.typ").write_bytes(resources.files(__package__).joinpath("sheet.typ").read_bytes())
        (folder / "data.json").write_bytes(orjson.dumps(content(sheet, address)))
        (folder / "code.svg").write_bytes(_code(address))
        return typst.compile(str(folder / "main.typ"), root=name, font_paths=dossier.fonts())


def _code(text: str) -> bytes:
    out = io.BytesIO()
    segno.make(text, error="m", micro=False).save(out, kind="svg", border=1, xmldecl=False)
    return out.getvalue()


def content(sheet: EvidenceSheet, address: str) -> dict[str, Any]:
    """Return what the template sets, from the document as issued; the store only gives names and raw packets."""
    issued = sheet.content
    found = documents.find(sheet.kind, sheet.key)
    subject = None if found is None else showing.subject(found)
    profile = city.profile()
    return {
        "fonts": [dossier.FONT, "Noto Sans CJK SC", "Source Han Sans SC", "Microsoft YaHei", "Libertinus Serif"],
        "bureau": profile.text("bureau"),
        "title": _("Evidence sheet of environmental monitoring data"),
        "demo": _("DEMONSTRATION DATA") if sheet.is_demo else "",
        "code": sheet.grouped,
        "address": address,
        "kind": str(showing.KINDS[sheet.kind]),
        "about": subject.title if subject else f"{issued['subject'].get('place', '')} {sheet.key}".strip(),
        "figure": _figure(issued, subject),
        "facts": _facts(issued),
        "mark": _mark(issued, subject),
        "limits": [list(row) for row in subject.figures] if subject else [],
        "issue": [
            [_("Issued at"), showing.moment(sheet.issued_at)],
            [_("Issued by"), str(sheet.issued_by)],
            [_("Purpose of the sheet"), sheet.purpose],
            [_("Software"), sheet.software],
        ],
        "hashes": [["SHA-256", sheet.sha256], ["SM3", sheet.sm3]],
        "inputs": [_input(item) for item in issued["inputs"]],
        "notes": list(_notes(issued)),
        "reviews": [_review(item) for item in issued["reviews"]],
        "packets": [_packet(item) for item in issued["packets"]],
        "days": _days(sheet),
        "annex": _annex(issued["packets"]),
        "annex_more": max(0, len(issued["packets"]) - ANNEX),
        "words": {name: str(text) for name, text in WORDS.items()},
    }


WORDS: dict[str, Any] = {
    "figure": gettext_lazy("The figure"),
    "factor": gettext_lazy("Factor"),
    "value": gettext_lazy("Judged value"),
    "limit": gettext_lazy("Limit"),
    "state": gettext_lazy("State"),
    "inputs": gettext_lazy("What it was made of"),
    "name": gettext_lazy("Item"),
    "period": gettext_lazy("Period"),
    "used": gettext_lazy("Value used"),
    "received": gettext_lazy("As received"),
    "standing": gettext_lazy("Verdict"),
    "notes": gettext_lazy("Verdicts and checks that spoke"),
    "reviews": gettext_lazy("Signed reviews"),
    "packets": gettext_lazy("Packets"),
    "packet": gettext_lazy("Packet"),
    "at": gettext_lazy("Received"),
    "size": gettext_lazy("Bytes"),
    "days": gettext_lazy("Days it rests on"),
    "day": gettext_lazy("Day"),
    "digest": gettext_lazy("Digest"),
    "annex": gettext_lazy("Annex: text of the packets"),
    "annex_note": gettext_lazy(
        "The access password is covered in print; the SHA-256 is over the bytes as received, password included."
    ),
    "annex_more": gettext_lazy("Further packets that are not printed:"),
    "nothing": gettext_lazy("None."),
    "verify": gettext_lazy("How to verify this sheet"),
    "verify_one": gettext_lazy(
        "Scan the code or open the address below. The page makes the document again from the data that are stored today"
        " and says whether it comes out the same."
    ),
    "verify_two": gettext_lazy(
        "The hashes are over the canonical document (JSON), which the bureau gives on request. Anyone can compute them"
        " with a tool of his own and compare them with those printed here."
    ),
    "verify_three": gettext_lazy(
        "The digests of days chain all records of a day to the day before. Where a digest was published or deposited"
        " elsewhere, it proves that nothing of that day was changed since."
    ),
    "hashes": gettext_lazy("Hashes of the document"),
    "issue": gettext_lazy("Issue"),
}


# ---- the figure ------------------------------------------------------------------------------------------------------


def _figure(issued: Content, subject: showing.Subject | None) -> str:
    """Return the figure as issued; words of states come with the subject."""
    figure = issued["figure"]
    if issued["subject"]["kind"] == "statistic":
        value = figure["rounded"]
        return "—" if value is None else f"{value:.{max(figure['decimals'], 0)}f} {figure['unit'] or ''}".strip()
    if issued["subject"]["kind"] == "value":
        first = issued["inputs"][0]
        return showing.with_unit(first["value"], first["unit"])
    if subject is not None:
        return subject.figure
    return str(words.state(figure.get("state")).label)


def _facts(issued: Content) -> list[list[str]]:
    figure = issued["figure"]
    kind = issued["subject"]["kind"]
    if kind == "judgement":
        return [
            [_("Standard"), figure["edition"]],
            [_("Judged at"), _at(figure["judged_at"])],
            [_("Revision"), str(figure["revision"])],
            [_("Software"), figure["software"]],
        ]
    if kind == "statistic":
        again = figure["recomputed"]
        equal = again["digest"] == figure["digest"]
        return [
            [_("Standard"), figure["edition"]],
            [_("Unrounded value"), showing.with_unit(figure["value"], figure["unit"])],
            [
                _("Values that count / needed / expected"),
                f"{figure['count']} / {figure['required']} / {figure['expected']}",
            ],
            [_("Validity"), _("Valid") if figure["valid"] else _("Not valid")],
            [_("Inputs known until"), _at(figure["as_of"])],
            [_("Computed at"), _at(figure["computed_at"])],
            [_("Revision"), str(figure["revision"])],
            [_("Digest of the inputs"), figure["digest"]],
            [_("Computed again at issue"), _("equal") if equal else _("differs")],
        ]
    if kind == "packet":
        return [
            [_("Received"), _at(figure["received_at"])],
            ["MN", figure["mn"] or "—"],
            [_("Command"), str(figure["cn"] or "—")],
            ["SHA-256", figure["sha256"]],
        ]
    return [[_("Factor"), words.factor_name(figure["factor"])], [_("Interval"), figure["interval"]]]


def _mark(issued: Content, subject: showing.Subject | None) -> str:
    """Say whether the rule was compared with the official text."""
    verified = issued["figure"].get("verified", None if subject is None else subject.verified)
    if verified is None:
        return ""
    return (
        _("The rule was compared with the official text.")
        if verified
        else _("The rule was not compared with the official text: it is configuration of this installation.")
    )


def _at(text: str) -> str:
    return showing.moment(datetime.fromisoformat(text))


# ---- tables ----------------------------------------------------------------------------------------------------------


def _input(item: Content) -> list[str]:
    observed = item.get("observed")
    received = ""
    if observed is not None:
        mark = f"{observed['flag']} {words.flag_name(observed['flag'])}" if observed["flag"] else ""
        revision = _("revision %(number)s") % {"number": item["revision"]}
        received = " · ".join(filter(None, [showing.with_unit(observed["value"], ""), mark, revision]))
    elif item["kind"] == "counts":
        received = _("%(count)s of %(required)s") % {"count": item["revision"], "required": item["sequence"]}
    elif "statistic" in item:
        received = f"SHA-256 {item['statistic']['digest'][:16]}…"
    return [
        _name(item), _period(item), showing.with_unit(item["value"], item["unit"]), received, _standing(item),
    ]  # fmt: skip


def _name(item: Content) -> str:
    if "statistic" in item:
        return words.factor_name(item["statistic"]["factor"])
    if "sample" in item:
        return _("Sample %(number)s") % {"number": item["sample"]["number"]}
    name = words.factor_name(item["factor"]) if "factor" in item else item.get("name", "")
    if item["kind"] == "rule":
        return _("%(factor)s, by the rule for missing data") % {"factor": name}
    if item["kind"] == "counts":
        return _("Periods counted")
    return f"{name} ({_('weight')})" if item.get("name") == "weight" else name


def _period(item: Content) -> str:
    start = datetime.fromisoformat(item["start"])
    if "statistic" in item:
        return showing.period(start, item["statistic"]["kind"])
    if item["kind"] == "counts":
        return showing.period(start, "day")
    return showing.moment(start)[:16]


def _standing(item: Content) -> str:
    if item["kind"] != "observation":
        return ""
    return _("it counts") if item["letter"] == "N" else _("does not count: %(letter)s") % {"letter": item["letter"]}


def _notes(issued: Content) -> Any:
    """Yield what verdicts and checks said of single inputs."""
    known = catalogue()
    people = User.objects.in_bulk(
        {item["verdict"]["person"] for item in issued["inputs"] if item.get("verdict")} - {None}
    )
    for item in issued["inputs"]:
        verdict = item.get("verdict")
        if not verdict:
            continue
        said = [str(showing.QUALITIES.get(verdict["quality"], "")), str(showing.ORIGINS.get(verdict["origin"], ""))]
        person = people.get(verdict["person"])
        head = " · ".join(filter(None, [*said, verdict["reason"], str(person or ""), _at(verdict["at"])]))
        checks = []
        for text in verdict["checks"]:
            code, _colon, result = text.partition(":")
            check = known.get(code)
            outcome = _("not passed") if result == str(int(Result.FAIL)) else _("suspect")
            source = "" if check is None else f"{check.zh}，{check.source}"
            verified = "" if check is None or check.mark == Mark.VERIFIED else f"（{_('not verified')}）"
            checks.append(f"{code}：{outcome}。{source}{verified}")
        yield [f"{_name(item)} {_period(item)}", head, checks]


def _review(item: Content) -> list[str]:
    user = User.objects.filter(pk=item["person"]).first() if item["person"] else None
    number = _("Signed review %(number)s") % {"number": item["number"]}
    return [f"{number} · {user or ''} · {_at(item['at'])}", f"SHA-256 {item['sha256']}"]


def _packet(item: Content) -> list[str]:
    return [str(item["id"]), _at(item["received_at"]), str(item["size"]), item["sha256"]]


def _days(sheet: EvidenceSheet) -> list[list[str]]:
    days = sorted(sheet.days.items())
    known = DayHash.objects.in_bulk([date.fromisoformat(day) for day, _digest in days])
    rows = []
    for day, digest in days:
        closed = known.get(date.fromisoformat(day))
        rows.append([
            day, closed.algorithm.upper() if digest and closed is not None else "",
            digest or _("not closed yet when the sheet was issued"),
        ])  # fmt: skip
    return rows


def _annex(packets: Sequence[Content]) -> list[list[str]]:
    """Return the texts of packets, and whether each still has its hash."""
    found = []
    for item in packets[:ANNEX]:
        record = store.packet(item["id"])
        if record is None:
            text, state = "", _("no longer stored")
        else:
            text = masked(readable(record.body))
            state = "" if sha256(record.body) == item["sha256"] else _("its bytes are not those that were issued")
        found.append([str(item["id"]), item["sha256"], text, state])
    return found
