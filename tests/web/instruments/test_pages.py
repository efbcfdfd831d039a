"""The pages of devices' health: what they show to whom, their forms, figures, exports, and how much they ask."""

import csv
import io
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from luming.registry.models import Device, Outlet
from luming.telemetry.instruments.models import Calibration, HealthDay, Instrument, Maintenance, MaintenancePlan
from luming.web.instruments import overview


def text(response):
    return response.content.decode()


def test_the_list_begins_with_what_needs_attention(world, kept):
    page = text(world.client("duty").get(reverse("device-health-list")))
    assert page.index(world.device.mn) < page.index(world.other_device.mn)
    assert "Out of control" in page and "Overdue" in page
    assert "100.0%" in page and "50.0%" in page  # availability of 30 days
    assert "95.6%" in page  # 22 of 23: the stopped hour needs no value


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("need=out", {"one"}),
        ("need=late", {"one"}),
        ("need=poor", {"two"}),
        ("need=away", set()),
        ("maintainer=none", {"two"}),
        ("q=DC1", {"two"}),
        ("sort=-available", {"one", "two"}),
        ("sort=nonsense&span=custom&from=x", {"one", "two"}),
    ],
)
def test_the_list_is_narrowed(world, kept, query, shown):
    page = text(world.client("duty").get(f"{reverse('device-health-list')}?{query}", headers={"HX-Request": "true"}))
    found = {name for name, mn in (("one", world.device.mn), ("two", world.other_device.mn)) if mn in page}
    assert found == shown
    assert "<html" not in page


def test_outsiders_see_their_own_devices(world, kept):
    for role in ("maintainer", "enterprise", "district"):
        page = text(world.client(role).get(reverse("device-health-list")))
        assert world.device.mn in page and world.other_device.mn not in page, role
        foreign = reverse("device-health", args=[world.other_device.pk])
        assert world.client(role).get(foreign).status_code == 404
    assert world.client("maintainer").get(reverse("device-calibrate", args=[world.other_device.pk])).status_code == 404


def test_the_page_of_a_device(world, kept):
    page = text(world.client("duty").get(reverse("device-health", args=[kept.device.pk])))
    for shown in (
        "Likely causes", "creeps", "Its packets are not accepted", "SO2 analyser", "C-17", "CERT-1", "Clean the probe",
        "Pump exchanged", "Within limits", "Out of control", "HJ 75-2017", "not verified", "luming-drift",
        "State of the",
    ):  # fmt: skip
        assert shown in page, shown
    assert reverse("device-calibrate", args=[kept.device.pk]) in page
    assert reverse("packets") in page
    enterprise = text(world.client("enterprise").get(reverse("device-health", args=[kept.device.pk])))
    assert "Its packets are not accepted" in enterprise and 'href="/packets/' not in enterprise
    reader = text(world.client("enforcement").get(reverse("device-health", args=[kept.device.pk])))
    assert reverse("device-calibrate", args=[kept.device.pk]) not in reader


def test_a_device_without_anything(world):
    page = text(world.client("duty").get(reverse("device-health", args=[world.other_device.pk])))
    for shown in ("It has never been heard", "No drift is known yet", "Nothing is entered in the log",
                  "No instrument is entered", "Nothing was expected in this period", "Nothing is due"):  # fmt: skip
        assert shown in page, shown


def test_the_drift_as_data(world, kept):
    (one,) = world.client("duty").get(reverse("device-drift", args=[kept.device.pk])).json()["drifts"]
    assert [round(point["v"], 6) for point in one["points"]] == [0.1, 2.0, 5.0, 8.1, 11.5]
    assert [point["tone"] for point in one["points"]] == ["is-good", "is-good", "is-warn", "is-warn", "is-bad"]
    assert (one["adjust"], one["control"], one["unit"]) == (2.5, 10.0, "%FS")
    assert len(one["ewma"]) == 5 and one["points"][-1]["url"] == f"/registers/calibrations/{kept.calibration.pk}/"


def post(world, kept, name, role="duty", **values):
    url = reverse(name, args=[kept.device.pk])
    return world.client(role).post(url, values)


def test_a_calibration_is_entered_in_the_field(world, kept):
    at = timezone.localtime() - timedelta(minutes=5)
    values = {"instrument": kept.instrument.pk, "kind": "span",
              "performed_at": f"{at:%Y-%m-%dT%H:%M}", "supply": kept.gas.pk, "response": "80.5",
              "performed_by": "乙"}  # fmt: skip
    response = post(world, kept, "device-calibrate", "maintainer", **values)
    assert response.status_code == 302
    row = Calibration.objects.first()
    assert (row.standard, row.drift, row.result, row.performed_by) == (80.0, 0.5, "ok", "乙")
    again = text(post(world, kept, "device-calibrate", "maintainer", **values))
    assert "is-invalid" in again or "invalid-feedback" in again or "alert-danger" in again
    wrong = text(
        post(
            world,
            kept,
            "device-calibrate",
            **(values | {"response": "", "supply": "", "performed_at": f"{at:%Y-%m-%d}T00:01"}),
        )
    )
    assert "A calibration needs the value of the standard" in wrong
    assert "Choose the factor" in text(post(world, kept, "device-calibrate", **(values | {"instrument": ""})))


def test_work_is_entered_and_its_plan_moves_on(world, kept):
    start = timezone.localtime() - timedelta(hours=2)
    values = {"kind": "cleaning", "start": f"{start:%Y-%m-%dT%H:%M}", "end": f"{start:%Y-%m-%dT%H:%M}",
              "what": "Probe cleaned", "performed_by": "乙", "plan": kept.plan.pk}  # fmt: skip
    assert post(world, kept, "device-maintain", **values).status_code == 302
    assert Maintenance.objects.first().what == "Probe cleaned"
    assert MaintenancePlan.objects.get().next_due_on == start.date() + timedelta(days=30)
    wrong = text(post(world, kept, "device-maintain", **(values | {"start": "2999-01-01T00:00", "end": ""})))
    assert "has not come yet" in wrong and "Probe cleaned" in wrong  # what was typed stays


def test_the_form_begins_with_what_is_known(world, kept):
    url = reverse("device-calibrate", args=[kept.device.pk])
    page = text(world.client("maintainer").get(f"{url}?instrument={kept.instrument.pk}&factor=a21026&kind=zero"))
    assert 'value="zero" selected' in page and "运维甲 maintainer" in page
    assert "C-17" in page  # an expired standard may have been used: the record says the truth


def test_maintainers_are_compared(world, kept):
    page = text(world.client("duty").get(reverse("maintainers")))
    assert "运维甲" in page and "Nobody" in page
    own = text(world.client("maintainer").get(reverse("maintainers")))
    assert "运维甲" in own and "Nobody" not in own
    answer = world.client("duty").get(reverse("maintainers-csv") + "?span=7d")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert rows[0][0] == "Maintainer"
    first = dict(zip(rows[0], rows[1], strict=True))
    assert (first["Maintainer"], first["Periods expected"], first["Periods valid"]) == ("运维甲", "168", "154")
    assert first["Valid-data rate"] == f"{154 / 161:.6f}" and first["Out of control"] == "1"
    assert int(first["Calibrations overdue"]) == 2  # zero and full system were never done


def test_periods_of_addresses():
    from django.http import QueryDict

    today = timezone.localdate()
    usual = overview.read_period(QueryDict())
    assert (usual.last, usual.days, usual.span) == (today - timedelta(days=1), 30, "30d")
    own = overview.read_period(QueryDict("span=custom&from=2026-01-01&to=2026-01-31"))
    assert own.days == 31
    for odd in ("span=custom&from=2026-02-01&to=2026-01-01", "span=x", "span=custom&from=0000&to=%00"):
        assert overview.read_period(QueryDict(odd)).span == "30d"


def test_shares_are_not_rounded_up():
    assert overview.per_cent(0.99999) == "99.9%" and overview.per_cent(1.0) == "100.0%"
    assert overview.per_cent(0.957) == "95.7%" and overview.per_cent(None) == "—"


def test_home_names_what_is_wrong_and_late(world, kept):
    page = text(world.client("duty").get("/"))
    assert "Instruments out of control" in page and "Upkeep of devices that is late or due" in page
    assert "sulphur dioxide: Zero calibration and 3 more" in page
    page = text(world.client("maintainer").get(reverse("portal")))
    assert "Device health" in page and "Out of control" in page


def test_the_file_shows_devices_and_their_work(world, kept):
    page = text(world.client("duty").get(reverse("place", args=[world.outlet.pk])))
    assert "Devices and their upkeep" in page and reverse("device-health", args=[kept.device.pk]) in page
    story = text(world.client("duty").get(reverse("file-timeline", args=["place", world.outlet.pk]) + "?source=upkeep"))
    assert "Pump exchanged" in story and "Span calibration" in story
    assert "Health and upkeep" in text(world.client("duty").get(reverse("device", args=[kept.device.pk])))


def test_registers_list_edit_and_refuse(world, kept):
    client = world.client("reviewer")
    for key in ("instruments", "calibrations", "maintenance", "maintenance-plans", "supplies", "certificates",
                "device-information", "health-days"):  # fmt: skip
        assert client.get(f"/registers/{key}/").status_code == 200, key
    record = client.get(f"/registers/calibrations/{kept.calibration.pk}/")
    assert record.status_code == 200
    assert client.get("/registers/instruments/new/").status_code == 200
    assert world.client("district").get("/registers/instruments/new/").status_code == 403
    assert world.client("leader").get("/registers/calibrations/").status_code == 403


def queries(client, url):
    cache.clear()
    with CaptureQueriesContext(connection) as found:
        assert client.get(url).status_code == 200
    return len(found)


def test_more_devices_and_records_cost_no_more_queries(world, kept):
    client = world.client("duty")
    urls = [reverse("device-health-list"), reverse("maintainers"), reverse("device-health", args=[kept.device.pk])]
    for url in urls:
        client.get(url)
    before = [queries(client, url) for url in urls]
    today = timezone.localdate()
    for i in range(6):
        device = Device.objects.create(mn=f"MORE{i}", place=Outlet.objects.first(), system="31")
        Instrument.objects.create(device=device, name="n", factors="a21026", serial="1")
        HealthDay.objects.create(
            device=device, factor="a21026", day=today - timedelta(days=1), expected=24, held=1, valid=1, stopped=0,
            computed_at=timezone.now(),
        )  # fmt: skip
        Instrument.objects.create(device=kept.device, name=f"n{i}", factors="a21002", serial=f"2{i}")
    assert [queries(client, url) for url in urls] == before
    assert before[0] <= 16 and before[1] <= 16 and before[2] <= 36
