"""The addresses of the room of evidence."""

from statistic_rows import row

from access.groups import DATA, PACKETS, PUBLIC

ISSUE = frozenset({"duty", "reviewer", "enforcement"})
VERIFY = ISSUE | {"leader", "audit-admin"}

ROWS: dict = {
    "evidence-judgement": ("get", ("judgement",), {}, DATA),
    "evidence-statistic": ("get", ("evidence-statistic",), {}, DATA),
    "evidence-value": ("get", ("series", "hour"), {}, DATA),
    "evidence-packet": ("get", ("packet",), {}, PACKETS),
    "evidence-sheets": ("get", (), {}, ISSUE),
    "evidence-issue": ("post", (), {"kind": "value", "key": "evidence-key", "purpose": "a test"}, ISSUE),
    "evidence-sheet": ("get", ("evidence-sheet",), {}, ISSUE),
    "evidence-sheet-pdf": ("get", ("evidence-sheet",), {}, ISSUE),
    "evidence-sheet-document": ("get", ("evidence-sheet",), {}, ISSUE),
    "evidence-days": ("get", (), {}, VERIFY),
    "evidence-days-verify": ("post", (), {}, VERIFY),
    "evidence-days-csv": ("get", (), {}, VERIFY),
    "evidence-api-judgement": ("get", ("judgement",), {}, DATA),
    "evidence-api-statistic": ("get", ("evidence-statistic",), {}, DATA),
    "evidence-api-value": ("get", ("series", "hour"), {}, DATA),
    "evidence-api-packet": ("get", ("packet",), {}, PACKETS),
    "verify": ("get", (), {}, PUBLIC),
    "verify-sheet": ("get", ("evidence-sheet",), {}, PUBLIC),
}


def known(world, arguments, values):
    """Return a statistic, a value and a sheet for the addresses that ask for them."""
    found = {}
    if "evidence-key" in values.values():
        found["evidence-key"] = f"{world.series.pk}/{int(world.judgement.start.timestamp() * 1000)}"
    if "evidence-statistic" in arguments:
        from luming.telemetry.statistics.models import Statistic

        kept = Statistic.objects.filter(place=world.outlet, factor="a34013").first()
        if kept is None:
            kept = row(world.outlet, "a34013", "2026-05-01", 8.0, unit="mg/m³")
            kept.save()
        found["evidence-statistic"] = kept.pk
    if "evidence-sheet" in arguments:
        from luming.telemetry.evidence import actions
        from luming.telemetry.evidence.models import EvidenceSheet

        sheet = EvidenceSheet.objects.first() or actions.issue_sheet(
            world.users["reviewer"], "judgement", str(world.judgement.pk), "a test"
        )
        found["evidence-sheet"] = sheet.code
    return found
