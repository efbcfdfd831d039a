"""The addresses of the room of sampling."""

from access.groups import BUREAU, DATA

INTERNAL = BUREAU | {"leader", "publisher"}
PLAN = frozenset({"duty", "enforcement", "reviewer"})
RESULT = frozenset({"reviewer"})

ROWS: dict = {
    "sampling": ("get", (), {}, DATA),
    "sampling-plan-new": ("get", (), {}, PLAN),
    "sampling-plan": ("get", ("sampling-plan",), {}, INTERNAL),
    "sampling-plan-edit": ("get", ("sampling-plan",), {}, PLAN),
    "sampling-issue": ("post", ("sampling-plan",), {"day": "2026-01-01"}, PLAN),
    "sample-new": ("get", (), {}, PLAN),
    "sample": ("get", ("sample",), {}, DATA),
    "sample-scan": ("get", ("sample-number",), {}, DATA),
    "sample-take": ("get", ("sample",), {}, PLAN),
    "sample-custody": ("get", ("sample",), {}, PLAN),
    "sample-photos": ("post", ("sample",), {}, BUREAU),
    "sample-labels": ("get", (), {}, PLAN),
    "sample-results": ("get", (), {}, RESULT),
    "sample-results-import": ("get", (), {}, RESULT),
    "sample-review": ("get", (), {}, RESULT),
    "sample-comparisons": ("get", (), {}, DATA),
    "sample-comparison-points": ("get", ("outlet",), {}, DATA),
}


def known(world, arguments):
    """Return the plan and the taken sample that the arguments of a row name, made for this one request."""
    if not {"sampling-plan", "sample", "sample-number"} & set(arguments):
        return {}
    from django.utils import timezone

    from luming.telemetry.sampling import actions

    today = timezone.localdate()
    plan = actions.create_plan(
        None, places=[world.outlet], name="plan", medium=world.outlet.medium, factors=["a34013"], starts_on=today
    )
    sample = actions.issue(None, plan, today)[0]
    actions.take(None, sample, taken_from=timezone.now(), taken_to=timezone.now(), samplers="x")
    return {"sampling-plan": plan.pk, "sample": sample.pk, "sample-number": sample.number}
