"""What permitting tells the file of an enterprise: its timeline, its risk, its identity checks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from django.db.models import Min
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from luming.core.history import event_models
from luming.core.manifest import Check, Finding, Moment, Reason, Timeline, Trait
from luming.core.models import User
from luming.domains.permitting import accounts, factors, links, numbers, words
from luming.domains.permitting.accounts import Line
from luming.domains.permitting.models import Permit
from luming.registry.models import Facility
from luming.standards.edition import midnight

FACILITY = frozenset({"facility"})
# Points of the portrait: a method of this product, no law and no rating of the bureau (docs/reference/permitting.md).
NO_PERMIT, EXPIRED, ENDED, RENEWAL_DUE = 15.0, 25.0, 25.0, 5.0
OVER, AHEAD = 25.0, 12.0


# ---- timeline --------------------------------------------------------------------------------------------------------


def moments(user: User, facility: Facility, before: datetime, limit: int) -> Iterable[Moment]:
    """Return when permits were issued, when they expired, and when it was entered that they had ended before."""
    found: list[Moment] = []
    permits = list(Permit.objects.visible_to(user).filter(facility=facility))
    ended_at = _ended_at(permit.pk for permit in permits if permit.status != Permit.Status.VALID)
    for permit in permits:
        found.append(
            Moment(
                midnight(permit.issued_on),
                _("Permit issued"),
                f"{permit.number} · {permit.get_category_display()} · {permit.issued_by}",
                links.permit(permit),
                icon="certificate",
            )
        )
        if permit.status == Permit.Status.VALID:
            ended = midnight(permit.valid_to + timedelta(days=1))
            found.append(
                Moment(ended, _("Permit expired"), permit.number, links.permit(permit), "danger", "certificate-off")
            )
        elif permit.pk in ended_at:
            text = _("Permit %(number)s: %(state)s") % {
                "number": permit.number, "state": words.PERMITS[permit.status].label,
            }  # fmt: skip
            found.append(
                Moment(ended_at[permit.pk], text, permit.note, links.permit(permit), "danger", "certificate-off")
            )
    found = [moment for moment in found if moment.at < before]
    return sorted(found, key=lambda moment: moment.at, reverse=True)[:limit]


def _ended_at(permits: Iterable[int]) -> dict[int, datetime]:
    """Return when the history first knows each permit as ended."""
    wanted = list(permits)
    if not wanted:
        return {}
    rows = event_models(Permit)[-1]._default_manager.filter(pgh_obj__in=wanted).exclude(status=Permit.Status.VALID)
    return dict(rows.order_by().values_list("pgh_obj").annotate(Min("pgh_created_at")))


# ---- portrait --------------------------------------------------------------------------------------------------------


def risk(user: User, facility: Facility) -> Iterator[Reason]:
    """Return what the permit and the accounts say about a facility's risk."""
    if user.role == "maintainer":
        return
    today = timezone.localdate()
    lines = accounts.of_facility(user, facility)
    permit = accounts.permit_of(user, facility)
    if permit is None:
        if lines:
            yield Reason(_("It discharges, and no permit is entered"), NO_PERMIT, links.register("permits"))
    else:
        yield from _of_permit(permit, permit.standing(today))
    for line in lines:
        yield from _of_line(line)


def _of_permit(permit: Permit, standing: str) -> Iterator[Reason]:
    values = {"number": permit.number, "day": permit.valid_to.isoformat()}
    if standing == "expired":
        yield Reason(_("Permit %(number)s expired on %(day)s") % values, EXPIRED, links.permit(permit))
    elif standing == "expiring":
        yield Reason(_("Permit %(number)s expires on %(day)s") % values, RENEWAL_DUE, links.permit(permit))
    elif standing in ("cancelled", "withdrawn", "revoked"):
        text = _("Permit %(number)s: %(state)s") % (values | {"state": words.PERMITS[standing].label})
        yield Reason(text, ENDED, links.permit(permit))


def _of_line(line: Line) -> Iterator[Reason]:
    account = line.account
    if account.standing not in ("over", "ahead"):
        return
    values = {
        "factor": factors.name(line.factor),
        "used": words.per_cent(account.share),
        "pace": words.per_cent(account.pace),
        "where": f"{line.allowance.outlet.number} " if line.allowance and line.allowance.outlet else "",
    }
    if account.standing == "over":
        text = _("%(where)s%(factor)s: %(used)s of the year's allowance is used") % values
        yield Reason(text, OVER, links.facility(line.facility_id))
    else:
        text = _("%(where)s%(factor)s: %(used)s of the allowance is used when %(pace)s of the year is over") % values
        yield Reason(text, AHEAD, links.facility(line.facility_id))


# ---- checks ----------------------------------------------------------------------------------------------------------


def permit_today(facility: Facility) -> Iterator[Finding]:
    """Check that a permit is in force today and that its number is the facility's own."""
    today = timezone.localdate()
    rows = list(Permit.objects.filter(facility=facility).order_by("-valid_to"))
    if not rows:
        detail = _("Enter it, or the receipt of the registration, in the register of permits.")
        yield Finding(_("No permit is entered"), "warning", detail)
        return
    in_force = [permit for permit in rows if permit.standing(today) in ("valid", "expiring")]
    permit = (in_force or rows)[0]
    values = {"number": permit.number, "day": permit.valid_to.isoformat()}
    detail = _("%(number)s, until %(day)s") % values
    if not in_force:
        yield Finding(_("No permit is in force today"), "bad", detail)
    elif permit.standing(today) == "expiring":
        yield Finding(
            _("The permit expires within 60 days; renewal must be applied for before that"), "warning", detail
        )
    else:
        yield Finding(_("A permit is in force today"), "good", detail)
    number = numbers.read(permit.number)
    if number is None or not number.is_sound:
        yield Finding(_("The permit number is not well-formed (HJ 608)"), "bad", permit.number)
    elif facility.uscc and number.unit != facility.uscc:
        yield Finding(_("The permit number begins with another credit code than the facility's"), "bad", permit.number)
    else:
        yield Finding(_("The permit number is well-formed (HJ 608)"), "good", permit.number)


TIMELINES = [Timeline("permits", gettext_lazy("Permits"), FACILITY, moments)]
TRAITS = [Trait("permit", gettext_lazy("Permit and allowance"), "risk", FACILITY, risk)]
CHECKS = [Check("permit", FACILITY, permit_today)]
