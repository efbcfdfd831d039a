"""The lists of the home page that come with the product: what to do today, what is wrong, what changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from axes.models import AccessAttempt
from django.conf import settings
from django.db.models import Count, Exists, OuterRef, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from luming.core import manifest
from luming.core.manifest import Concern, Item
from luming.core.models import AuditEntry, User
from luming.core.roles import NO_ROLE
from luming.registry.models import Limit, Medium
from luming.telemetry import actions
from luming.telemetry.models import UnregisteredDevice
from luming.web import verbs, words
from luming.web.cockpit.facts import facts
from luming.web.registers.access import address
from luming.web.states import Current
from luming.web.templatetags.luming import offset, outletname

Items = Sequence[Item]
SOON = timedelta(days=30)  # a limit that ends within it is said in time
POLLUTED = 3  # level of AQI from which a station is a concern: lightly polluted
# What the audit administrator should look at: accounts and rights, and verdicts that people overrode.
REMARKABLE = (
    "user.create", "user.assign-role", "user.reset-password", "user.activate", "user.deactivate",
    "user.reset-second-factor", "account.second-factor-remove", "account.second-factor-wrong",
    "account.recovery-code-used", "packet.release", "device.set-key",
)  # fmt: skip


def link(name: str, *args: Any, **query: Any) -> str:
    """Return an address with its query."""
    url = reverse(name, args=args)
    return f"{url}?{urlencode(query)}" if query else url


def listed(name: str, **query: Any) -> Callable[[], str]:
    """Return what makes the address of a whole list."""
    return lambda: link(name, **query)


# ---- what to do


def unregistered(user: User, since: datetime) -> Items:
    """Return devices that speak and that no register knows."""
    rows = UnregisteredDevice.objects.filter(adopted_device=None, dismissed_reason="")
    return [
        Item(
            row.mn, link("adopt", mn=row.mn), words.system_name(row.system), row.last_seen_at, "warning", "help-hexagon"
        )
        for row in rows
    ]


def held(user: User, since: datetime) -> Items:
    """Return held packets of the last week by reason, those that a person can release."""
    packets = facts(user).packets or {"reasons": []}
    return [
        Item(
            words.reason(reason) or _("No reason given"),
            link("packets", verdict="H", reason=reason or ""),
            tone="warning", icon="file-alert", value=number,
        )
        for verdict, reason, number, _last in packets["reasons"]
        if verdict == "H" and reason not in actions.NOT_RELEASABLE
    ]  # fmt: skip


def failed_commands(user: User, since: datetime) -> Items:
    """Return devices that did not do what a person asked for in the last day."""
    return [_device(device, value=device.failed_commands) for device in facts(user).devices if device.failed_commands]


def lost_gaps(user: User, since: datetime) -> Items:
    """Return devices whose missing data could not be fetched in the last day."""
    return [_device(device, value=device.lost_gaps) for device in facts(user).devices if device.lost_gaps]


def unmapped(user: User, since: datetime) -> Items:
    """Return devices that send codes which no factor is mapped to."""
    return [
        _device(device, "、".join(device.state.unmapped[:4]), value=len(device.state.unmapped))
        for device in facts(user).devices
        if device.status != "never" and hasattr(device, "state") and device.state.unmapped
    ]


def expired_limits(user: User, since: datetime) -> Items:
    """Return limits that ended, or end within a month, without one that follows."""
    today = timezone.localdate()
    register = manifest.register("limits")
    later = Limit.objects.filter(outlet=OuterRef("outlet"), factor=OuterRef("factor"), basis=OuterRef("basis")).filter(
        Q(effective_to=None) | Q(effective_to__gt=OuterRef("effective_to"))
    )
    rows = Limit.objects.visible_to(user).filter(effective_to__lt=today + SOON, outlet__is_active=True)
    rows = rows.filter(~Exists(later)).select_related("outlet__facility").order_by("effective_to")
    found = []
    for row in rows:
        name = f"{row.outlet.facility.name} {row.outlet.number} · {words.factor_name(row.factor)}"
        over = row.effective_to < today
        text = _("ended on %(day)s") if over else _("ends on %(day)s")
        url = address(register, row) if register else ""
        found.append(
            Item(name, url, text % {"day": row.effective_to}, None, "danger" if over else "warning", "ruler-measure")
        )
    return found


def without_role(user: User, since: datetime) -> Items:
    """Return accounts that wait for a role."""
    rows = User.objects.filter(role=NO_ROLE, is_active=True).select_related("organisation").order_by("created_at")
    return [
        Item(row.name, link("role", row.pk), str(row.organisation or row.username), row.created_at, "warning", "user")
        for row in rows
    ]


def unused_passwords(user: User, since: datetime) -> Items:
    """Return accounts whose one-time password was never used."""
    rows = User.objects.filter(must_change_password=True, is_active=True).order_by("created_at")
    return [Item(row.name, link("users", q=row.username), row.username, row.created_at, "info", "key") for row in rows]


def locked_accounts(user: User, since: datetime) -> Items:
    """Return user names that are locked out after failed sign-ins."""
    begin = timezone.now() - timedelta(hours=settings.AXES_COOLOFF_TIME)
    rows = AccessAttempt.objects.filter(
        failures_since_start__gte=settings.AXES_FAILURE_LIMIT, attempt_time__gte=begin
    ).order_by("-attempt_time")
    return [
        Item(
            row.username or "—", link("users", q=row.username or ""), row.ip_address or "", row.attempt_time,
            "danger", "lock", row.failures_since_start,
        )
        for row in rows
    ]  # fmt: skip


def remarkable(user: User, since: datetime) -> Items:
    """Return what the audit administrator should look at since yesterday."""
    rows = AuditEntry.objects.filter(at__gte=since, verb__in=REMARKABLE).order_by("-at", "-id")[:60]
    return [
        Item(
            f"{verbs.actor(row.actor_name)} · {verbs.verb(row.verb)}", link("audit", verb=row.verb), row.object_name,
            row.at,
            "danger" if row.verb == "account.second-factor-wrong" else "warning", "shield-check",
        )
        for row in rows
    ]  # fmt: skip


# ---- what is wrong


def exceeding(user: User, since: datetime) -> Items:
    """Return outlets above their limits in their newest hour, the worst first."""
    rows = [row for row in facts(user).places if row.state == "exceeding" and row.place.kind == "outlet"]
    return [_place(row, "danger") for row in sorted(rows, key=lambda row: -(row.value or 0))]


def polluted(user: User, since: datetime) -> Items:
    """Return air stations from lightly polluted on, the worst first."""
    states = {f"level-{level}" for level in range(POLLUTED, 7)}
    rows = [row for row in facts(user).places if row.place.medium == Medium.AIR and row.state in states]
    return [_place(row, "warning", value=row.word.label) for row in sorted(rows, key=lambda row: -(row.value or 0))]


def below_target(user: User, since: datetime) -> Items:
    """Return sections whose class is worse than their target."""
    found = []
    for row in facts(user).places:
        station = getattr(row.place, "station", None) if row.place.medium == Medium.WATER else None
        if station is None or not station.target_class or not row.value or row.value <= station.target_class:
            continue
        target = words.state(f"class-{station.target_class}").label
        detail = f"{_('target')} {target}" + (f" · {row.headline}" if row.headline else "")
        found.append(_place(row, "warning", detail, row.word.label))
    return sorted(found, key=lambda item: str(item.value), reverse=True)


def noisy(user: User, since: datetime) -> Items:
    """Return noise stations above the limit of their zone in the newest hour."""
    rows = [row for row in facts(user).places if row.place.medium == Medium.NOISE and row.state == "exceeding"]
    return [_place(row, "warning", value=f"{row.value:.0f} dB" if row.value else "") for row in rows]


def without_data(user: User, since: datetime) -> Items:
    """Return places whose data should be there and is not."""
    rows = [row for row in facts(user).places if row.state == "no-data" and row.since is not None]
    return [_place(row, "warning", value="") for row in sorted(rows, key=lambda row: row.since, reverse=True)]


def disconnected(user: User, since: datetime) -> Items:
    """Return devices that are off line or silent."""
    rows = [device for device in facts(user).devices if device.status in ("offline", "silent")]
    return [_device(device, value=words.CONNECTED[device.status].label) for device in rows]


def open_gaps(user: User, since: datetime) -> Items:
    """Return devices with data missing that may still come, most gaps first."""
    rows = [device for device in facts(user).devices if device.open_gaps]
    return [_device(device, value=device.open_gaps) for device in sorted(rows, key=lambda row: -row.open_gaps)]


def wrong_clocks(user: User, since: datetime) -> Items:
    """Return devices whose clock is off by more than is tolerated."""
    rows = [
        (abs(device.state.clock_offset), device)
        for device in facts(user).devices
        if device.is_active and hasattr(device, "state") and device.state.clock_offset is not None
    ]
    wrong = sorted((row for row in rows if row[0] > settings.GATEWAY_CLOCK_TOLERANCE_SECONDS), key=lambda row: -row[0])
    return [_device(device, value=offset(device.state.clock_offset)) for _seconds, device in wrong]


# ---- what changed


def happened(user: User, since: datetime) -> Items:
    """Return changes of state, gaps and new devices since yesterday, newest first."""
    found = []
    for event in facts(user).events:
        subject = event.place or event.device or event.detail.get("mn", "")
        url = ""
        if event.place_id:
            url = link("place", event.place_id)
        elif event.device_id:
            url = link("device", event.device_id)
        elif user.may("device.adopt"):
            url = link("unregistered")
        tone = words.SEVERITIES.get(event.severity, "info")
        found.append(Item(subject, url, words.event_sentence(event.kind, event.detail), event.at, tone))
    return found


def changed_records(user: User, since: datetime) -> Items:
    """Return what people changed in the registers since yesterday."""
    found = []
    for row, register, record in facts(user).changes:
        url = "" if record is None else address(register, record)
        detail = " · ".join(
            filter(None, [str(register.model._meta.verbose_name), verbs.actor(row.actor_name), row.reason])
        )
        found.append(
            Item(
                row.object_name,
                url,
                detail,
                row.at,
                "info",
                register.icon,
                verbs.WHATS.get(row.verb.rpartition(".")[2], ""),
            )
        )
    return found


def accounts(user: User, since: datetime) -> Items:
    """Return accounts made or changed since yesterday."""
    rows = AuditEntry.objects.filter(at__gte=since, verb__startswith="user.").order_by("-at", "-id")[:60]
    return [
        Item(row.object_name, "", f"{verbs.verb(row.verb)} · {verbs.actor(row.actor_name)}", row.at, "info", "user", "")
        for row in rows
    ]


def trail(user: User, since: datetime) -> Items:
    """Return how often each verb was done since yesterday, most first."""
    rows = AuditEntry.objects.filter(at__gte=since).order_by().values("verb").annotate(number=Count("pk"))
    ranked = rows.order_by("-number", "verb").values_list("verb", "number")
    return [Item(verbs.verb(verb), link("audit", verb=verb), icon="history", value=number) for verb, number in ranked]


# ---- lines


def _place(row: Current, tone: str, detail: str | None = None, value: Any = None) -> Item:
    place = row.place
    region = place.region.name if words.chinese() else place.region.name_en or place.region.name
    name = place.name
    if place.kind == "outlet":
        name = place.outlet.facility.name
        detail = f"{outletname(place)} · {region}" if detail is None else detail
    return Item(
        name, link("place", place.pk), region if detail is None else detail, row.since, tone, row.icon,
        (row.headline or row.word.label) if value is None else value,
    )  # fmt: skip


def _device(device: Any, detail: str = "", value: Any = "") -> Item:
    last = getattr(getattr(device, "state", None), "last_packet_at", None)
    return Item(device.mn, link("device", device.pk), detail or device.place.name, last, "warning", "router", value)


CONCERNS = [
    Concern(
        "unregistered",
        gettext_lazy("Unregistered devices"),
        "todo",
        unregistered,
        "device.adopt",
        10,
        listed("unregistered"),
    ),
    Concern(
        "held", gettext_lazy("Held packets to check"), "todo", held, "packet.release", 20, listed("problems", days=7)
    ),
    Concern(
        "commands",
        gettext_lazy("Commands that failed"),
        "todo",
        failed_commands,
        "device.command",
        30,
    ),
    Concern("lost", gettext_lazy("Data that devices did not send again"), "todo", lost_gaps, "device.command", 40),
    Concern(
        "unmapped",
        gettext_lazy("Codes without a factor"),
        "todo",
        unmapped,
        "place.edit",
        50,
        listed("devices", problem="unmapped"),
    ),
    Concern("limits", gettext_lazy("Limits that end"), "todo", expired_limits, "place.edit", 60),
    Concern(
        "without-role",
        gettext_lazy("Accounts without a role"),
        "todo",
        without_role,
        "role.assign",
        10,
        listed("roles"),
    ),
    Concern("remarkable", gettext_lazy("To be looked at"), "todo", remarkable, "audit.view", 10, listed("audit")),
    Concern(
        "passwords",
        gettext_lazy("One-time passwords not used yet"),
        "todo",
        unused_passwords,
        "user.manage",
        20,
        listed("users"),
    ),
    Concern(
        "locked",
        gettext_lazy("Locked out after failed sign-ins"),
        "wrong",
        locked_accounts,
        "user.manage",
        10,
        listed("users"),
    ),
    Concern(
        "exceeding",
        gettext_lazy("Outlets above their limits"),
        "wrong",
        exceeding,
        "data.view",
        10,
        listed("places", kind="outlet", state="exceeding"),
    ),
    Concern(
        "polluted",
        gettext_lazy("Air stations that are polluted"),
        "wrong",
        polluted,
        "data.view",
        20,
        listed("places", medium="air", sort="value"),
    ),
    Concern(
        "below-target",
        gettext_lazy("Sections worse than their target"),
        "wrong",
        below_target,
        "data.view",
        30,
        listed("places", medium="water", target="missed"),
    ),
    Concern(
        "noisy",
        gettext_lazy("Noise above the limit"),
        "wrong",
        noisy,
        "data.view",
        35,
        listed("places", medium="noise", state="exceeding"),
    ),
    Concern(
        "without-data",
        gettext_lazy("Places without data"),
        "wrong",
        without_data,
        "data.view",
        40,
        listed("places", state="no-data"),
    ),
    Concern(
        "disconnected",
        gettext_lazy("Devices off line or silent"),
        "wrong",
        disconnected,
        "device.view",
        50,
        listed("devices", problem="away"),
    ),
    Concern(
        "gaps", gettext_lazy("Data missing"), "wrong", open_gaps, "device.view", 60, listed("devices", problem="gaps")
    ),
    Concern(
        "clocks",
        gettext_lazy("Clocks that are off"),
        "wrong",
        wrong_clocks,
        "device.view",
        70,
        listed("devices", sort="-clock"),
    ),
    Concern("happened", gettext_lazy("Changes of state"), "changed", happened, "data.view", 10),
    Concern("records", gettext_lazy("Changes in the registers"), "changed", changed_records, "data.view", 20),
    Concern("accounts", gettext_lazy("Accounts"), "changed", accounts, "user.manage", 10),
    Concern("assigned", gettext_lazy("Roles and accounts"), "changed", accounts, "role.assign", 10),
    Concern("trail", gettext_lazy("Done since yesterday"), "changed", trail, "audit.view", 10, listed("audit")),
]
