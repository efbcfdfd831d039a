"""The addresses of marks: enterprises make them, the bureau decides."""

from datetime import timedelta

from django.utils import timezone

from access.groups import DATA

MAKE = frozenset({"enterprise"})
DECIDE = frozenset({"reviewer", "enforcement"})
MARK = ("mark",)

ROWS: dict = {
    "marks": ("get", (), {}, DATA),
    "marks-confirm": ("post", (), {"mark": "mark"}, DECIDE),
    "mark-figures": ("get", (), {}, DATA),
    "mark-figures-csv": ("get", (), {}, DATA),
    "mark-outlet": ("get", ("outlet",), {}, MAKE),
    "mark-chart": ("get", ("outlet",), {}, DATA),
    "mark": ("get", MARK, {}, DATA),
    "mark-confirm": ("post", MARK, {}, DECIDE),
    "mark-refuse": ("post", MARK, {"reason": "a test"}, DECIDE),
    "mark-reopen": ("post", MARK, {"reason": "a test"}, DECIDE),
    "mark-withdraw": ("post", MARK, {}, MAKE),
}


def known(world, arguments, values):
    """Return a mark that waits, made for this one request."""
    if "mark" not in {*arguments, *values.values()}:
        return {}
    from luming.telemetry.marks import seeding
    from luming.telemetry.marks.models import Mark, MarkCode

    seeding.seed()
    now = timezone.now().replace(minute=0, second=0, microsecond=0)
    code = MarkCode.objects.get(code="maintenance")
    mark = Mark.objects.create(
        outlet=world.outlet, code=code, start=now - timedelta(hours=2), end=now - timedelta(hours=1),
        explanation="a test", deadline=now, edition=code.edition, made_by=world.users["enterprise"], made_at=now,
    )  # fmt: skip
    return {"mark": mark.pk}
