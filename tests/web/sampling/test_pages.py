"""The pages of sampling: from the plan to the accepted result, on the desk and beside the outlet."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from luming.core.models import Attachment
from luming.telemetry.sampling import actions
from luming.telemetry.sampling.models import Comparison, ResultReview, Sample, SampleResult, SamplingPlan

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 32


def local(moment):
    return timezone.localtime(moment).strftime("%Y-%m-%dT%H:%M")


def text(response, status=200):
    assert response.status_code == status, response.content.decode()[:500]
    return response.content.decode()


def test_a_plan_is_made_changed_and_its_round_numbered(world):
    client, today = world.client("duty"), timezone.localdate()
    form = {
        "medium": "gas", "name": "月度比对", "purpose": "comparison", "places": [world.outlet.pk],
        "factors": ["a34013", "a21026"], "frequency": "month", "starts_on": today.isoformat(), "blanks": 0,
        "parallels": 1,
    }  # fmt: skip
    wrong = text(client.post(reverse("sampling-plan-new"), form | {"places": []}))
    assert "This field is required" in wrong
    response = client.post(reverse("sampling-plan-new"), form, follow=True)
    plan = SamplingPlan.objects.get()
    assert "Number the samples" in text(response)
    response = client.post(reverse("sampling-issue", args=[plan.pk]), {"day": today.isoformat()}, follow=True)
    assert "Samples numbered: 2." in text(response)
    response = client.post(reverse("sampling-issue", args=[plan.pk]), {"day": "2026-13-45"}, follow=True)
    assert "Choose the day" in text(response)
    change = form | {"name": "季度比对", "frequency": "quarter", "reason": "频次调整"}
    assert "季度比对" in text(client.post(reverse("sampling-plan-edit", args=[plan.pk]), change, follow=True))
    text(client.post(reverse("sampling-plan-edit", args=[plan.pk]), change | {"stop": "on"}, follow=True))
    plan.refresh_from_db()
    assert not plan.is_active and plan.frequency == "quarter"


def test_forms_offer_the_places_of_a_medium(world):
    client = world.client("duty")
    assert world.outlet.name in text(client.get(reverse("sampling-plan-new"), {"medium": "gas"}))
    assert world.outlet.name not in text(client.get(reverse("sampling-plan-new"), {"medium": "air"}))
    page = text(client.get(reverse("sample-new"), {"place": world.outlet.pk}))
    assert f'value="{world.outlet.pk}" selected' in page
    form = {
        "medium": "gas",
        "place": world.outlet.pk,
        "due_on": "2026-11-28",
        "factors": ["a34013"],
        "control": "spike",
    }
    assert "Name the sample" in text(client.post(reverse("sample-new"), form))
    text(client.post(reverse("sample-new"), form | {"control": "none"}), 302)
    assert Sample.objects.get().number == f"{world.outlet.code}-20261128-01"


def test_the_desk_lists_samples_by_where_they_stand(world, samples, taken):
    client = world.client("duty")
    page = text(client.get(reverse("sampling")))
    assert samples[1].number in page and "Parallel sample" in page
    moving = text(client.get(reverse("sampling"), {"tab": "moving"}))
    assert taken.number in moving and samples[1].number not in moving
    assert "No sample fits" in text(client.get(reverse("sampling"), {"tab": "moving", "q": "nothing"}))
    assert "No sample is here" in text(client.get(reverse("sampling"), {"tab": "over"}))
    assert taken.number in text(client.get(reverse("sampling"), {"tab": "moving", "place": taken.place_id}))


def test_the_desk_shows_rounds_to_be_numbered(world, plan):
    page = text(world.client("duty").get(reverse("sampling")))
    assert "Rounds to be numbered" in page and plan.name in page
    assert plan.name not in text(world.client("enterprise").get(reverse("sampling")))


def test_labels_are_a_pdf_and_lead_to_the_sample(world, samples):
    client = world.client("duty")
    answer = client.get(reverse("sample-labels"), {"pk": [sample.pk for sample in samples]})
    assert answer["Content-Type"] == "application/pdf" and answer.content.startswith(b"%PDF")
    assert client.get(reverse("sample-labels"), {"pk": "x"}).status_code == 302
    scanned = client.get(reverse("sample-scan", args=[samples[0].number]))
    assert scanned["Location"] == reverse("sample-take", args=[samples[0].pk])
    seen = world.client("leader").get(reverse("sample-scan", args=[samples[0].number]))
    assert seen["Location"] == reverse("sample", args=[samples[0].pk])
    assert world.client("enterprise").get(reverse("sample-scan", args=[samples[0].number])).status_code == 404


def test_from_the_label_to_the_laboratory_in_two_taps_each(world, samples):
    client, sample = world.client("duty"), samples[0]
    url = reverse("sample-take", args=[sample.pk])
    page = text(client.get(url))
    assert 'value="duty"' in page  # who signs is proposed as the sampler
    now = timezone.now()
    form = {
        "taken_from": local(now), "taken_to": local(now), "samplers": "duty", "kind": "grab", "weather": "晴",
        "longitude": "109.812345", "latitude": "40.6", "accuracy_m": "8",
    }  # fmt: skip
    wrong = text(client.post(url, form | {"taken_to": local(now + timedelta(days=1))}))
    assert "lies in the future" in wrong
    photo = SimpleUploadedFile("outlet.png", PNG)
    assert "Signed" in text(client.post(url, form | {"photo": photo}, follow=True))
    assert Attachment.objects.get().category == "photo"
    assert client.get(url).status_code == 302  # taken already: on with custody
    custody = reverse("sample-custody", args=[sample.pk])
    assert "Hand over" in text(client.get(custody))
    step = text(client.get(custody, {"step": "handed"}))
    assert 'name="to_whom"' in step
    form = {"kind": "handed", "at": local(timezone.now() + timedelta(minutes=1)), "temperature_c": "4.5"}
    assert "Say to whom" in text(client.post(custody, form))
    text(client.post(custody, form | {"to_whom": "收样室"}), 302)
    received = text(client.get(custody, {"step": "received"}))
    assert 'value="收样室"' in received
    again = client.post(custody, {"kind": "taken", "at": local(now)}, follow=True)
    assert "cannot follow any more" in text(again)
    page = text(client.get(reverse("sample", args=[sample.pk])))
    assert "Every step is as it was signed" in page and "收样室" in page and "109.81235" in page


def test_more_photos_are_kept_or_refused(world, taken):
    client, url = world.client("duty"), reverse("sample-photos", args=[taken.pk])
    assert "kept with the sample" in text(client.post(url, {"photo": SimpleUploadedFile("a.png", PNG)}, follow=True))
    refused = client.post(url, {"photo": SimpleUploadedFile("a.exe", b"MZ")}, follow=True)
    assert "alert-danger" in text(refused)


def row(sample, factor, **values):
    fields = {"value": "", "unit": "mg/m³", "limit": "", "method": "HJ 836-2017", "reason": ""} | values
    return {f"{name}-{sample.pk}-{factor}": value for name, value in fields.items()}


def test_results_are_typed_in_a_table(world, taken):
    client, url = world.client("reviewer"), reverse("sample-results")
    page = text(client.get(url))
    assert taken.number in page and f'name="value-{taken.pk}-a34013"' in page
    shared = {"analyst": "检测员", "instrument": "天平", "analysed_at": local(timezone.now())}
    assert "Fill in at least one" in text(client.post(url, shared | row(taken, "a34013")))
    wrong = text(client.post(url, shared | row(taken, "a34013", value="many") | row(taken, "a21026", value="3L")))
    assert "not a number" in wrong and 'value="3L"' in wrong
    wrong = text(client.post(url, shared | row(taken, "a34013", value="5", unit="kPa")))
    assert "does not fit" in wrong
    assert "sample had not been taken" in text(
        client.post(url, shared | {"analysed_at": "2020-01-01T00:00"} | row(taken, "a34013", value="5"))
    )
    assert not SampleResult.objects.exists()
    done = client.post(url, shared | row(taken, "a34013", value="5.2") | row(taken, "a21026", value="<3"), follow=True)
    assert "Results entered: 2." in text(done) and "No result is missing" in text(done)
    below = SampleResult.objects.get(factor="a21026")
    assert (below.below_detection, below.detection_limit, below.value) == (True, 3.0, None)


def test_an_accepted_result_is_corrected_or_withdrawn_with_a_reason(world, second, taken, entered):
    for result in entered:
        actions.review(second.user, result, "accepted", seen=actions.seen_hash(result, Sample.objects.get(pk=taken.pk)))
    client, url = world.client("reviewer"), f"{reverse('sample-results')}?sample={taken.pk}"
    assert "withdraw" in text(client.get(url))
    shared = {"analyst": "检测员", "analysed_at": local(timezone.now())}
    assert "say why" in text(client.post(url, shared | row(taken, "a34013", value="6.5")))
    text(client.post(url, shared | row(taken, "a34013", value="6.5", reason="抄错")), 302)
    gone = row(taken, "a21026", reason="瓶破") | {f"withdraw-{taken.pk}-a21026": "on"}
    text(client.post(url, shared | gone), 302)
    assert SampleResult.objects.filter(revision=1).count() == 2
    assert "withdrawn" in text(client.get(reverse("sample", args=[taken.pk])))


def test_review_is_another_persons(world, second, taken, entered):
    url = reverse("sample-review")
    own = text(world.client("reviewer").get(url))
    assert "your own" in own and "Accept the chosen" not in own
    seen = {f"seen-{row.pk}": actions.seen_hash(row, Sample.objects.get(pk=taken.pk)) for row in entered}
    form = {"result": [row.pk for row in entered], "decision": "accepted"} | seen
    refused = world.client("reviewer").post(url, form, follow=True)  # as a program would, past the page
    assert "Another person must review" in text(refused) and not ResultReview.objects.exists()
    page = text(second.client.get(url))
    assert "Accept the chosen" in page and "steps as signed" in page
    assert "look again" in text(second.client.post(url, form | {f"seen-{entered[0].pk}": "0"}, follow=True))
    assert "Say why" in text(second.client.post(url, form | {"decision": "returned"}, follow=True))
    assert "at least one result" in text(second.client.post(url, {"decision": "accepted"}, follow=True))
    text(second.client.post(url, form, follow=True))
    assert ResultReview.objects.filter(decision="accepted", reviewed_by=second.user).count() == 2
    assert "No result waits" in text(second.client.get(url))
    assert second.client.post(url, form | {"result": ["0"]}).status_code == 404


def test_no_other_door_changes_a_result(world, entered):
    """The API and the pages of the register read results; only the verbs enter and review them."""
    client = world.client("reviewer")
    for url in (f"/api/v1/sample-results/{entered[0].pk}/", f"/api/v1/sample-results/{entered[0].pk}"):
        for method in ("patch", "put", "post", "delete"):
            status = getattr(client, method)(url, '{"value": 1}', content_type="application/json").status_code
            assert status in (301, 400, 403, 404, 405), (method, url, status)
    client.post(reverse("record-edit", args=["sample-results", entered[0].pk]), {"value": "1"})
    entered[0].refresh_from_db()
    assert entered[0].value == 6.0 and SampleResult.objects.count() == 2
    assert not ResultReview.objects.exists()


def test_comparisons_are_listed_drawn_and_shown_at_the_place(world, second, taken, entered):
    for result in entered:
        actions.review(second.user, result, "accepted", seen=actions.seen_hash(result, Sample.objects.get(pk=taken.pk)))
    found = Comparison.objects.get(factor="a34013")
    assert found.automatic is not None and found.outcome in ("passed", "failed")
    Comparison.objects.create(**{
        **{field.name: getattr(found, field.name) for field in Comparison._meta.fields if field.name != "id"},
        "number": 1, "outcome": "failed", "error": 9.0,
    })  # fmt: skip
    client = world.client("duty")
    page = text(client.get(reverse("sample-comparisons"), {"place": taken.place_id}))
    assert "luming-comparisons" in page and "Not passed" in page
    assert "No comparison is here" in text(client.get(reverse("sample-comparisons"), {"outcome": "unknown"}))
    assert taken.number in text(client.get(reverse("sample-comparisons"), {"factor": "a34013", "outcome": "failed"}))
    points = client.get(reverse("sample-comparison-points", args=[taken.place_id])).json()
    assert {one["points"][0]["manual"] for one in points["series"]} == {6.0, 7.0}
    place = text(client.get(reverse("place", args=[taken.place_id])))
    assert "Manual sampling" in place and "failed: the automatic values" in place
    home = text(client.get(reverse("home-summary")))
    assert "Manual and automatic differ too much" in home
    story = text(client.get(reverse("file-timeline", args=["place", taken.place_id])))
    assert "Sample taken" in story and "Manual result accepted" in story


def test_home_names_what_is_to_be_done(world, second, plan, samples, taken, entered):
    assert "Samples to be taken" in text(world.client("duty").get(reverse("home-summary")))
    assert "Manual results to be reviewed" in text(second.client.get(reverse("home-summary")))
    assert "Manual results to be reviewed" not in text(world.client("reviewer").get(reverse("home-summary")))


def test_outsiders_see_taken_samples_and_accepted_results_of_their_own(world, second, samples, taken, entered):
    client = world.client("enterprise")
    page = text(client.get(reverse("sample", args=[taken.pk])))
    assert taken.number in page and "6" not in page.partition("Results")[2].partition('<td class="num"')[2][:40]
    assert client.get(reverse("sample", args=[samples[1].pk])).status_code == 404
    assert client.get(reverse("sampling-plan", args=[taken.plan_id])).status_code == 403
    assert samples[1].number not in text(client.get(reverse("sampling")))


@pytest.mark.parametrize("key", ["sampling-plans", "manual-samples", "custody", "sample-results", "sample-comparisons"])
def test_registers_list_and_export(world, second, entered, taken, key):
    for result in entered:
        actions.review(second.user, result, "accepted", seen=actions.seen_hash(result, Sample.objects.get(pk=taken.pk)))
    client = world.client("reviewer")
    assert "<table" in text(client.get(reverse("register", args=[key])))
