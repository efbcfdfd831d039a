"""The pages of marks: made by the enterprise, decided by the bureau, counted per enterprise; and who sees what."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation

from luming.core import manifest
from luming.core.models import Attachment, Organisation
from luming.registry.models import Facility
from luming.telemetry.marks import wanting
from luming.telemetry.marks.models import Mark, MarkCode
from luming.telemetry.models import Judgement

HOUR = timedelta(hours=1)
# Queries of each page for the given role; a query in a loop breaks them.
BUDGETS = {"list": 10, "mark": 22, "outlet": 27, "portal": 21, "figures": 6}


def text_of(client, url, **values):
    response = client.get(url, values)
    assert response.status_code == 200, url
    return response.content.decode()


def local(moment):
    return timezone.localtime(moment).strftime("%Y-%m-%dT%H:%M")


def addresses(marked):
    return {
        "list": ("reviewer", reverse("marks")),
        "mark": ("reviewer", reverse("mark", args=[marked.against.pk])),
        "outlet": ("enterprise", reverse("mark-outlet", args=[marked.world.outlet.pk])),
        "portal": ("enterprise", reverse("portal-section", args=["marks"])),
        "figures": ("reviewer", reverse("mark-figures")),
    }


def test_pages_keep_their_budgets(world, marked):
    found = {}
    for name, (role, url) in addresses(marked).items():
        client = world.client(role)
        client.get("/account/")
        with CaptureQueriesContext(connection) as queries:
            assert client.get(url).status_code == 200, name
        found[name] = len(queries)
    assert {name: number for name, number in found.items() if number > BUDGETS[name]} == {}


def test_an_enterprise_marks_periods_of_its_outlet(world, marked):
    client, url = world.client("enterprise"), reverse("mark-outlet", args=[world.outlet.pk])
    text = text_of(client, url)
    assert "exceeds a limit" in text and "Fault or accident" not in text and "Hot standby" in text
    code = MarkCode.objects.get(code="fault")
    hour = marked.hour - 24 * HOUR
    values = {
        "start": [local(hour), local(hour + 3 * HOUR)], "end": [local(hour + HOUR), local(hour + 4 * HOUR)],
        "code": code.pk, "explanation": "fan failed", "factor": ["a34013"],
        "file": SimpleUploadedFile("log.txt", "风机故障".encode()),
    }  # fmt: skip
    assert client.post(url, values).status_code == 302
    made = list(Mark.objects.filter(code=code).order_by("start"))
    assert [(row.start, row.factors, row.explanation) for row in made] == [
        (hour, "a34013", "fan failed"), (hour + 3 * HOUR, "a34013", "fan failed"),
    ]  # fmt: skip
    assert Attachment.objects.filter(object_type="marks.mark").count() == 2
    assert "fan failed" in text_of(client, reverse("mark", args=[made[0].pk]))
    text = text_of(client, reverse("portal-section", args=["marks"]))
    assert "日志与标记不符" in text and "Own marks" in text


def test_every_problem_of_every_period_stands_at_its_row(world, marked):
    client, url = world.client("enterprise"), reverse("mark-outlet", args=[world.outlet.pk])
    code = MarkCode.objects.get(code="fault")
    number = Mark.objects.count()
    values = {"start": ["2026-01-01T08:00", "nonsense", local(timezone.now())], "explanation": "x", "code": code.pk,
              "end": ["2026-01-01T07:00", "", local(timezone.now() + HOUR)]}  # fmt: skip
    text = client.post(url, values).content.decode()
    assert "Give both times" in text and "Nothing was marked yet." in text and 'value="2026-01-01T08:00"' in text
    values |= {"start": [values["start"][0], values["start"][2]], "end": [values["end"][0], values["end"][2]]}
    text = client.post(url, values).content.decode()
    assert "ends before it begins" in text and "not over yet" in text
    assert "Choose the state" in client.post(url, values | {"code": ""}).content.decode()
    assert Mark.objects.count() == number


def test_what_is_not_ones_own_does_not_exist(world, marked):
    client = world.client("enterprise")
    elsewhere = reverse("mark-outlet", args=[world.elsewhere.pk])
    assert client.get(elsewhere).status_code == client.post(elsewhere, {}).status_code == 404
    Facility.objects.filter(pk=world.facility.pk).update(organisation=Organisation.objects.create(name="丙"))
    for name in ("mark", "mark-withdraw"):
        address = reverse(name, args=[marked.waiting.pk])
        assert (client.post if name == "mark-withdraw" else client.get)(address).status_code == 404
    assert str(marked.waiting.pk) not in text_of(client, reverse("marks"))
    assert client.get(reverse("mark-outlet", args=[world.station.pk])).status_code == 404


def test_withdrawing(world, marked):
    client = world.client("enterprise")
    assert client.post(reverse("mark-withdraw", args=[marked.waiting.pk])).status_code == 302
    assert Mark.objects.get(pk=marked.waiting.pk).state == "withdrawn"
    client.post(reverse("mark-withdraw", args=[marked.confirmed.pk]))
    assert Mark.objects.get(pk=marked.confirmed.pk).state == "confirmed"
    assert "has decided about this mark" in text_of(client, reverse("mark-outlet", args=[world.outlet.pk]))


def test_the_bureau_decides(world, marked):
    client = world.client("enforcement")
    url = reverse("mark", args=[marked.against.pk])
    text = text_of(client, url)
    assert "The device itself sent these hours as normal" in text and "late" in text
    assert (
        "Write why the mark is refused"
        in client.post(reverse("mark-refuse", args=[marked.against.pk]), {"reason": ""}, follow=True).content.decode()
    )
    client.post(reverse("mark-refuse", args=[marked.against.pk]), {"reason": "device was normal"})
    assert "device was normal" in text_of(client, url)
    client.post(reverse("mark-reopen", args=[marked.against.pk]), {"reason": "photo"})
    client.post(reverse("mark-confirm", args=[marked.against.pk]), {"reason": ""})
    assert Mark.objects.get(pk=marked.against.pk).state == "confirmed"
    text = client.post(reverse("mark-confirm", args=[marked.against.pk]), follow=True).content.decode()
    assert "waits for no decision" in text
    assert "A mark was confirmed" in text and "The decision about a mark was taken back" in text


def test_the_list_is_filtered_and_confirmed_in_bulk(world, marked):
    client, url = world.client("reviewer"), reverse("marks")

    def listed(**values):
        text = text_of(client, url, **values)
        return {name for name in ("waiting", "against", "confirmed", "refused")
                if f'/marks/{getattr(marked, name).pk}/"' in text}  # fmt: skip

    assert listed() == {"waiting", "against"}
    assert listed(late="1") == listed(against="1") == {"against"}
    assert listed(code="low-load") == {"waiting"} and listed(view="refused") == {"refused"}
    assert listed(view="all", q="see log") == {"waiting", "against", "confirmed", "refused"}
    assert listed(view="all", facility=str(world.facility.pk + 1)) == set()
    assert "No mark in your scope" in text_of(client, url, q="nothing of the kind")
    response = client.get(url, headers={"HX-Request": "true"})
    assert "<html" not in response.content.decode()
    text = client.post(
        reverse("marks-confirm"), {"mark": [marked.waiting.pk, marked.against.pk]}, follow=True
    ).content.decode()
    assert "late or contradictory" in text
    assert Mark.objects.get(pk=marked.waiting.pk).state == "confirmed"
    assert Mark.objects.get(pk=marked.against.pk).state == "submitted"
    assert "Choose at least one mark" in client.post(reverse("marks-confirm"), {}, follow=True).content.decode()


def test_figures_per_enterprise(world, marked):
    text = text_of(world.client("reviewer"), reverse("mark-figures"))
    assert world.facility.name in text
    lines = world.client("reviewer").get(reverse("mark-figures-csv")).content.decode("utf-8-sig").splitlines()
    late = Mark.objects.filter(late=True).count()
    against = Mark.objects.filter(contradicted=True).count()
    assert lines[1].split(",") == [
        world.facility.name, "4", "5.0", str(late), str(25.0 * late), str(against), str(25.0 * against),
        "1", "50.0", "2",
    ]  # fmt: skip
    assert "No marks in this period" in text_of(
        world.client("reviewer"), reverse("mark-figures"), **{"from": "2001-01-01", "to": "2001-01-02"}
    )


def test_what_calls_for_a_mark(world, marked):
    found = wanting.open_periods([world.outlet], timezone.now())
    grounds = {row.ground: row for row in found if row.start >= marked.hour - 28 * HOUR}
    assert grounds["exceeding"].start == marked.hour
    assert (grounds["missing"].start, grounds["missing"].hours) == (marked.hour - 5 * HOUR, 1)
    assert "flagged" not in grounds  # its hour is marked
    automatic = wanting.automatic(world.outlet, marked.hour - 20 * HOUR, marked.hour + HOUR)
    assert [(letter, start) for letter, start, _end, _code in automatic] == [("D", marked.hour - 8 * HOUR)]
    items = {concern.key: concern for concern in manifest.concerns()}
    since = timezone.now()
    first = items["marks-decide"].items(world.users["reviewer"], since)[0]
    assert first.url.endswith(f"/{marked.against.pk}/")
    assert items["marks-make"].items(world.users["enterprise"], since)
    assert items["marks-make"].items(world.users["duty"], since) == []


def test_panels_and_timelines_tell_of_marks(world, marked):
    for name, pk in (("place", world.outlet.pk), ("facility", world.facility.pk)):
        assert "Marked periods" in text_of(world.client("reviewer"), reverse(name, args=[pk]))
    source = next(row for row in manifest.timelines("outlet") if row.key == "marks")
    with translation.override("en"):
        labels = [moment.label for moment in source.moments(world.users["duty"], world.outlet, timezone.now(), 20)]
    assert any("refused" in label for label in labels) and any("Marked:" in label for label in labels)


def test_the_chart_holds_values_and_marks(world, marked):
    day = timezone.localtime(marked.hour)
    values = {"span": "custom", "interval": "hour", "from": f"{day - 24 * HOUR:%Y-%m-%d}", "to": f"{day:%Y-%m-%d}"}
    answer = world.client("reviewer").get(reverse("mark-chart", args=[world.outlet.pk]), values).json()
    assert len(answer["gaps"]) == 3 and answer["series"][0]["t"]  # the refused one is none


@pytest.mark.parametrize("key", ["marks", "mark-codes"])
def test_registers_are_listed(world, marked, key):
    assert text_of(world.client("reviewer"), reverse("register", args=[key]))


def test_a_judgement_names_the_marks_that_entered_it(world, marked):
    own = {"code": "maintenance", "marks": [marked.confirmed.pk], "factors": [], "excluded": True, "shutdown": False}
    Judgement.objects.filter(pk=world.judgement.pk).update(detail=world.judgement.detail | {"marks": [own]})
    text = text_of(world.client("duty"), reverse("judgement", args=[world.outlet.pk, world.judgement.pk]))
    assert reverse("mark", args=[marked.confirmed.pk]) in text and "keeps values out" in text


def test_what_came_after_a_mark_speaks_against_it_too(world, marked):
    url = reverse("mark", args=[marked.waiting.pk])
    assert "Found since it was made" not in text_of(world.client("reviewer"), url)
    marked.make("banked", -20, -19)
    text = text_of(world.client("reviewer"), url)
    assert "Found since it was made" in text and "Another mark on the same time" in text
    assert "Found since" not in text_of(world.client("enterprise"), url)
