"""The workbench over HTTP: what it shows, what its keys do, what it says when something is refused."""

import hashlib
import json
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from luming.core.models import Attachment
from luming.registry.models import Outlet, Series
from luming.telemetry.marks.models import Mark, MarkCode
from luming.telemetry.models import Gap
from luming.telemetry.review import actions, presence, queue
from luming.telemetry.review.models import Draft, Review, ReviewDay, ReviewRule


@pytest.fixture
def reviewer(review):
    return review.world.client("reviewer")


def url(review, name="review-data"):
    return reverse(name, args=[review.day.place_id, review.date.isoformat()])


def data(client, review):
    return client.get(url(review)).json()


def decide(client, review, hour, action="accept", named="plausible", hours=1, **more):
    fields = {
        "series": review.series.pk, "start": review.ms(hour), "end": review.ms(hour + hours), "action": action,
        "code": review.code(named).pk, **more,
    }  # fmt: skip
    return client.post(url(review, "review-draft"), fields)


def sign(client, review, **more):
    fields = {"fingerprint": data(client, review)["fingerprint"]} | more
    return client.post(url(review, "review-submit"), fields)


def test_the_page_holds_the_day(review, reviewer):
    response = reviewer.get(url(review, "review-day"))
    assert response.status_code == 200 and b"luming-review" in response.content
    found = data(reviewer, review)
    assert (len(found["rows"]), len(found["series"])) == (24, 2)
    cell = found["cells"][str(review.series.pk)][5]
    assert (cell["q"], cell["d"], cell["v"]) == (1, True, 5.5)
    assert cell["c"][0].startswith("GEN-SPIKE")
    assert (found["doubtful"], found["undecided"], found["open"]) == (1, 1, True)
    assert found["series"][0]["limit"] == {"upper": 10.0, "converted": True}
    assert [row["key"] for row in found["reasons"]["accept"]] == [1, 2, 3, 4, 5]


def test_gaps_and_days_around_are_drawn(review, reviewer):
    gap = Gap.objects.get()
    Gap.objects.filter(pk=gap.pk).update(start=review.at(3), end=review.at(4))
    review.send(review.series, [3.0], review.date - timedelta(days=1), first=23)
    found = data(reviewer, review)
    assert [(band["kind"], band["start"]) for band in found["bands"]] == [("gap", review.ms(3))]
    assert [review.ms(-1), 3.0, 3.0, 0] in found["around"][str(review.series.pk)]


def test_marks_of_the_enterprise_are_drawn(review, reviewer):
    code = MarkCode.objects.first()
    Mark.objects.create(
        outlet=review.world.outlet, code=code, start=review.at(2), end=review.at(4), explanation="t", late=True,
        deadline=review.at(10), made_at=review.at(12), edition="t",
    )  # fmt: skip
    (band,) = [band for band in data(reviewer, review)["bands"] if band["kind"] == "mark"]
    assert (band["start"], band["end"]) == (review.ms(2), review.ms(4))
    assert band["label"].endswith("Made late")


def test_a_draft_is_kept_at_once_and_taken_back(review, reviewer):
    found = decide(reviewer, review, 5).json()
    assert (found["undecided"], found["drafts"][0]["action"], found["drafts"][0]["step"]) == (0, "accept", 1)
    assert data(reviewer, review)["drafts"] == found["drafts"]
    assert reviewer.post(url(review, "review-discard")).json()["drafts"] == []
    decide(reviewer, review, 5)
    decide(reviewer, review, 6)
    left = reviewer.post(url(review, "review-discard"), {"step": 1}).json()["drafts"]
    assert [row["start"] for row in left] == [review.ms(6)]
    assert reviewer.post(url(review, "review-discard"), {"all": "1"}).json()["drafts"] == []


@pytest.mark.parametrize(
    "fields",
    [
        {"code": ""}, {"code": "99999"}, {"series": "x"}, {"start": "tomorrow"}, {"end": "99999999999999999999"},
        {"action": "replace"}, {"value": "a lot"}, {"series": "424242"},
    ],
)  # fmt: skip
def test_what_cannot_be_kept_is_refused_in_words(review, reviewer, fields):
    response = decide(reviewer, review, 5, **fields)
    assert response.status_code == 422 and response.json()["problem"]
    assert not Draft.objects.exists()


def test_a_number_may_be_typed_with_a_comma(review, reviewer):
    found = decide(reviewer, review, 5, "replace", "instrument-memory", method="value", value="4,25").json()
    assert found["drafts"][0]["value"] == 4.25


def test_signing_leads_to_the_next_day(review, reviewer):
    second = review.date - timedelta(days=1)
    review.send(review.series, [5.0] * 24, second)
    queue.fill(second)
    decide(reviewer, review, 5)
    found = sign(reviewer, review, next="1").json()
    assert (
        found["next"]["day"] == second.isoformat()
        and found["left"] == ReviewDay.objects.filter(state__in=ReviewDay.WAITING).count()
    )
    assert Review.objects.get().user == review.world.users["reviewer"]
    after = data(reviewer, review)
    assert (after["open"], after["signed"], len(after["history"])) == (False, True, 1)
    assert decide(reviewer, review, 6).status_code == 422


def test_signing_what_changed_says_what_changed(review, reviewer):
    decide(reviewer, review, 5)
    fingerprint = data(reviewer, review)["fingerprint"]
    review.send(review.series, [9.9], review.date, first=7)
    response = reviewer.post(url(review, "review-submit"), {"fingerprint": fingerprint})
    assert response.status_code == 409
    assert response.json()["data"]["cells"][str(review.series.pk)][7]["v"] == 9.9
    assert not Review.objects.exists()


def test_undecided_values_are_refused(review, reviewer):
    response = sign(reviewer, review)
    assert response.status_code == 422 and "1" in response.json()["problem"]


def test_minutes_of_an_hour(review, reviewer):
    minute = Series.objects.create(
        place=review.world.outlet, factor="a34013", interval="minute", seconds=600, unit="mg/m³"
    )
    review.send(minute, [1.0, 2.0, 3.0], review.date, first=6, interval_seconds=600)  # from one o'clock
    address = url(review, "review-minutes")
    found = reviewer.get(address, {"hour": review.ms(1)}).json()
    assert (len(found["rows"]), [row["id"] for row in found["series"]]) == (3, [minute.pk])
    assert reviewer.get(address, {"hour": review.ms(30)}).status_code == 404
    assert reviewer.get(address, {"hour": "x"}).status_code == 404
    fields = {"series": minute.pk, "end": review.ms(1) + 600_000}
    assert decide(reviewer, review, 1, "invalid", "power", **fields).status_code == 200
    decide(reviewer, review, 5)
    assert sign(reviewer, review).status_code == 200
    assert Review.objects.get().decisions.filter(series=minute).get().periods == 1


def test_neighbours(review, reviewer):
    other = Outlet.objects.create(
        code="F1-DA002", name="二号", medium="gas", region=review.world.outlet.region, longitude=109.8, latitude=40.6,
        facility=review.world.facility, number="DA002",
    )  # fmt: skip
    series = Series.objects.create(place=other, factor="a34013", interval="hour", seconds=3600, unit="mg/m³")
    review.send(series, [4.0] * 24, review.date)
    found = reviewer.get(url(review, "review-neighbours")).json()
    assert found["factors"]["a34013"][0]["points"][0] == [review.ms(0), 4.0]
    assert data(reviewer, review)["others"][str(review.series.pk)][0]["id"] == series.pk


def test_colleagues_are_named(review, reviewer):
    other = review.world.users["duty"]
    presence.touch(other, review.day)
    assert "duty" in reviewer.get(url(review, "review-here")).content.decode()
    assert review.day.presences.filter(user=review.world.users["reviewer"]).exists()
    review.world.client("district").get(url(review, "review-here"))
    assert not review.day.presences.filter(user=review.world.users["district"]).exists(), "onlookers are not told of"


def test_others_of_the_bureau_look_but_do_not_decide(review):
    client = review.world.client("duty")
    assert data(client, review)["open"] is False
    assert decide(client, review, 5).status_code == 403


def test_outside_the_scope_there_is_no_day(review):
    district = review.world.client("district")
    elsewhere = reverse("review-day", args=[review.world.elsewhere.pk, review.date.isoformat()])
    assert district.get(elsewhere).status_code == 404
    for text in ("tomorrow", "2026-13-01", "1066-01-01"):
        address = reverse("review-day", args=[review.world.outlet.pk, text])
        assert review.world.client("reviewer").get(address).status_code == 404


def test_an_older_day_is_put_into_the_queue_for_a_reviewer_only(review, reviewer):
    older = reverse("review-day", args=[review.world.outlet.pk, "2026-01-05"])
    assert review.world.client("duty").get(older).status_code == 404
    assert reviewer.get(older).status_code == 200
    assert ReviewDay.objects.filter(day="2026-01-05").count() == 1


def test_next_leads_to_the_weightiest(review, reviewer):
    response = reviewer.get(reverse("review-next"))
    assert response.headers["Location"] == url(review, "review-day")
    queue.fill(review.date - timedelta(days=1))
    found = reviewer.get(reverse("review-next"), {"after": review.day.pk}, headers={"Accept": "application/json"})
    assert found.json()["next"]["id"] != review.day.pk
    ReviewDay.objects.update(state="submitted")
    assert reviewer.get(reverse("review-next")).headers["Location"] == reverse("review-queue")


# ---- queue, signatures -----------------------------------------------------------------------------------------------


def test_the_queue_lists_counts_and_filters(review, reviewer):
    page = reviewer.get(reverse("review-queue")).content.decode()
    assert "suspect values: 1" in page and "overdue" in page
    for query in ({"q": "烟囱"}, {"medium": "gas", "kind": "outlet", "late": "1"}, {"day": review.date.isoformat()}):
        assert review.world.facility.name in reviewer.get(reverse("review-queue"), query).content.decode()
    for query in ({"q": "nowhere"}, {"medium": "water"}, {"mine": "1"}, {"day": "x", "kind": "station"}):
        assert "Nothing found" in reviewer.get(reverse("review-queue"), query).content.decode()
    assert "Nothing is signed yet" in reviewer.get(reverse("review-queue"), {"view": "done"}).content.decode()


def test_quiet_days_are_signed_together(review, reviewer):
    quiet = review.date - timedelta(days=1)
    for one in review.world.outlet.series.filter(interval="hour"):
        review.send(one, [5.0] * 24, quiet)
    queue.fill(quiet)
    listed = reviewer.get(reverse("review-queue"), {"view": "quiet"})
    (row,) = [item for item in listed.context["rows"] if item["print"]]
    chosen = f"{row['day'].pk}.{row['print']}"
    assert chosen in listed.content.decode()
    response = reviewer.post(reverse("review-bulk"), {"day": [chosen, "x", f"{review.day.pk}.{'0' * 64}"]}, follow=True)
    said = response.content.decode()
    assert "Days signed: 1" in said and "something spoke there" in said
    assert "Choose at least one day" in reviewer.post(reverse("review-bulk"), follow=True).content.decode()


def test_a_signature_is_shown_checked_and_exported(review, reviewer):
    decide(reviewer, review, 5, reason="genuine")
    sign(reviewer, review)
    signed = Review.objects.get()
    address = reverse("review-signature", args=[signed.pk])
    page = reviewer.get(address, {"check": "1"}).content.decode()
    assert signed.hash in page and "genuine" in page and "holds" in page and "does not hold" not in page
    text = reviewer.get(reverse("review-document", args=[signed.pk])).content
    assert hashlib.sha256(text).hexdigest() == signed.hash
    listed = reviewer.get(reverse("register", args=["reviews"])).content.decode()
    assert signed.hash[:12] in listed
    assert review.world.client("enterprise").get(address).status_code == 403
    again = reviewer.post(reverse("review-reopen", args=[signed.pk]), {"reason": "x"}, follow=True).content.decode()
    assert "open again" in again
    assert "Say why" in reviewer.post(reverse("review-reopen", args=[signed.pk]), follow=True).content.decode()


def test_the_second_signature(review, reviewer):
    ReviewRule.objects.create(control="outlet", four_eyes=True, effective_from="2021-01-01")
    decide(reviewer, review, 5)
    sign(reviewer, review)
    signed = Review.objects.get()
    address = reverse("review-signature", args=[signed.pk])
    assert "somebody else than the first signer" in reviewer.get(address).content.decode()
    refused = reviewer.post(reverse("review-countersign", args=[signed.pk]), follow=True).content.decode()
    assert "Four eyes" in refused
    world = review.world
    other = type(world.users["duty"]).objects.create_user(
        "second", "Luming-2026!", name="second", role="reviewer", language="en"
    )
    world.users["second"] = other
    client = world.client("second")
    assert "Sign as the second person" in client.get(address).content.decode()
    assert signed.hash[:1] and "second signature" in client.get(reverse("home")).content.decode()
    client.post(reverse("review-send-back", args=[signed.pk]), {"reason": "look at 6"})
    assert "look at 6" in client.get(address).content.decode()
    sign(reviewer, review)
    newest = Review.objects.get(number=2)
    page = client.post(reverse("review-countersign", args=[newest.pk]), follow=True).content.decode()
    assert "official now" in page
    assert client.get(reverse("review-queue"), {"view": "second"}).status_code == 200


def test_home_panel_timeline_and_tile(review, reviewer):
    home = reviewer.get(reverse("home")).content.decode()
    assert "Reviews overdue" in home
    place = reviewer.get(reverse("place", args=[review.world.outlet.pk])).content.decode()
    assert "Data review" in place and url(review, "review-day") in place
    decide(reviewer, review, 5)
    sign(reviewer, review)
    story = reviewer.get(reverse("file-timeline", args=["place", review.world.outlet.pk])).content.decode()
    assert "reviewed" in story
    assert "Days reviewed in time" in reviewer.get(reverse("cockpit")).content.decode()


# ---- the portal ------------------------------------------------------------------------------------------------------


def test_an_enterprise_answers_in_the_portal(review, reviewer):
    client = review.world.client("enterprise")
    assert "s-questions" not in client.get(reverse("portal")).content.decode()
    assert "No question" in client.get(reverse("portal-section", args=["questions"])).content.decode()
    decide(reviewer, review, 5, "ask", "other-ask", reason="Why so high?")
    sign(reviewer, review)
    question = review.world.outlet.questions.get()
    assert "Why so high?" in client.get(reverse("portal")).content.decode()
    assert "Why so high?" in client.get(reverse("portal-section", args=["questions"])).content.decode()
    address = reverse("portal-item", args=["questions", str(question.pk)])
    assert "Send the answer" in client.get(address).content.decode()
    answer = reverse("review-answer", args=[question.pk])
    assert "Write the answer" in client.post(answer, {"answer": " "}).content.decode()
    file = SimpleUploadedFile("log.txt", b"the log")
    client.post(answer, {"answer": "A blow-back.", "file": file})
    page = client.get(address).content.decode()
    assert "A blow-back." in page and "log.txt" in page
    assert client.get(reverse("attachment", args=[Attachment.objects.get().pk])).status_code == 200
    assert client.get(reverse("portal-item", args=["questions", "x"])).status_code == 404
    found = data(reviewer, review)
    assert (found["state"], found["questions"][0]["answer"]) == ("Reopened", "A blow-back.")
    assert "A blow-back." in reviewer.get(reverse("register", args=["questions"])).content.decode()
    for key in ("review-reasons", "review-rules"):
        assert reviewer.get(reverse("register", args=[key])).status_code == 200


# ---- queries ---------------------------------------------------------------------------------------------------------

BUDGETS = {"review-data": 27, "review-day": 30, "review-draft": 26, "review-discard": 21, "review-submit": 60}


def count(client, method, address, fields=None):
    with CaptureQueriesContext(connection) as queries:
        response = getattr(client, method)(address, fields or {})
    assert response.status_code == 200, response.content[:300]
    return len(queries)


def test_pages_keep_their_budgets(review, reviewer):
    reviewer.get("/account/")
    fields = {
        "series": review.series.pk, "start": review.ms(5), "end": review.ms(6), "action": "accept",
        "code": review.code("plausible").pk,
    }  # fmt: skip
    found = {name: count(reviewer, "get", url(review, name)) for name in ("review-data", "review-day")}
    found["review-draft"] = count(reviewer, "post", url(review, "review-draft"), fields)
    found["review-discard"] = count(reviewer, "post", url(review, "review-discard"))
    reviewer.post(url(review, "review-draft"), fields)
    fingerprint = json.loads(reviewer.get(url(review)).content)["fingerprint"]
    found["review-submit"] = count(
        reviewer, "post", url(review, "review-submit"), {"fingerprint": fingerprint, "next": "1"}
    )
    assert {name: number for name, number in found.items() if number > BUDGETS[name]} == {}, found


def test_more_days_cost_no_more_queries(review, reviewer):
    address = reverse("review-queue")
    reviewer.get(address)
    before = {view: count(reviewer, "get", f"{address}?view={view}") for view in ("waiting", "quiet")}
    for back in range(1, 6):
        queue.fill(review.date - timedelta(days=back))
    assert {view: count(reviewer, "get", f"{address}?view={view}") for view in before} == before
    assert actions.PERMISSION == "review.decide"
