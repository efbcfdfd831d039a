"""The dossier: a PDF of what the panels say; and the reading of their markup."""

import datetime

import pytest
from django.test import RequestFactory
from django.urls import reverse
from django.utils import translation
from luming_dummy.models import Well

from luming.web.onefile import dossier, drawing, paper, subjects

ROOM = 'class="card"'


def test_texts_facts_lists_and_tables():
    html = f"""
      <div {ROOM}><p>One  <b>two</b><br>three</p>
      <dl><dt>Code</dt><dd>F1 <span>x</span></dd><dt>Empty</dt></dl>
      <ul><li><span>left</span><b>right</b></li><li class="d-print-none">screen</li></ul></div>
      <table><thead><tr><th>A</th><th class="num">B</th></tr></thead>
        <tr><td>1<small class="d-block">below</small></td>
          <td><button class="lm-cell">2.5</button> <small>mg</small></td></tr>
        <tr><td>3</td></tr></table>"""
    assert paper.blocks(html) == [
        {"kind": "paragraph", "text": "One two\nthree"},
        {"kind": "facts", "rows": [["Code", "F1 x"], ["Empty", ""]]},
        {"kind": "rows", "rows": [["left", "right"]]},
        {"kind": "table", "head": ["A", "B"], "rows": [["1\nbelow", "2.5 mg"], ["3", ""]], "width": 2, "right": [1]},
    ]


@pytest.mark.parametrize(
    "html",
    [
        "<svg><text>x</text></svg>", "<form><p>x</p></form>", "<button>x</button>", "<div data-unprinted>x</div>",
        '<span class="visually-hidden">x</span>', "<p hidden>x</p>", "<luming-map>x</luming-map>",
        '<p class="d-none">x</p>', "<script>x</script>", "<table></table>", "",
    ],
)  # fmt: skip
def test_what_is_for_the_screen_stays_there(html):
    assert paper.blocks(html) == []


def test_what_is_for_paper_only_and_rows_of_links():
    html = (
        '<p class="d-none d-print-inline">x</p><a class="lm-row"><svg></svg>'
        '<span class="grow"><span>a</span><small>b</small></span><b>c</b></a>'
    )
    assert paper.blocks(html) == [{"kind": "paragraph", "text": "x"}, {"kind": "rows", "rows": [["a\nb", "c"]]}]
    assert paper.blocks("<p>a &lt;b&gt; #let</p>") == [{"kind": "paragraph", "text": "a <b> #let"}]


def content(world, role, of, key, language="en"):
    request = RequestFactory().get("/")
    request.user = world.users[role]
    with translation.override(language):
        return dossier.content(request, subjects.find(request.user, of, str(key)))


def test_it_holds_what_the_panels_say_and_who_printed_it_when(world):
    Well.objects.create(
        code="W1", name="Deep well", region=world.facility.region, facility=world.facility, depth_m=123.5,
        longitude=109.8, latitude=40.6,
    )  # fmt: skip
    found = content(world, "duty", "facility", world.facility.pk)
    assert found["title"] == world.facility.name and found["demo"] == "DEMONSTRATION DATA"
    assert found["printed"].startswith("Printed by duty on ") and str(datetime.datetime.now().year) in found["printed"]
    parts = {part["title"]: str(part["blocks"]) for part in found["parts"]}
    assert "GB 32100" in parts["Identity and checks"] or "credit code" in parts["Identity and checks"]
    assert "12.5" in parts["Outlets now"] and "Exceeding" in parts["Outlets now"]
    assert "Exceeded on 1 of the last 90 days" in parts["Portrait"] and "+2" in parts["Portrait"]
    assert "Hours above the limit: 1 (Exceedances)" in parts["Timeline"]
    assert "Deep well of" in parts["Wells"] and "123.5" in parts["Wells"]  # a third party's
    assert "Show older" not in str(parts) and "Choose files" not in str(parts)


def test_it_holds_what_this_person_may_see(world):
    parts = {part["title"] for part in content(world, "enterprise", "facility", world.facility.pk)["parts"]}
    assert "Portrait" not in parts and "Identity and checks" in parts


@pytest.mark.parametrize(
    ("of", "key"), [("facility", "facility"), ("place", "outlet"), ("place", "station"), ("region", "")]
)
@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_every_kind_of_file_has_one(world, of, key, language):
    user = world.users["duty"]
    user.language = language
    user.save()
    pk = getattr(world, key).pk if key else "150203"
    response = world.client("duty").get(reverse("file-dossier", args=[of, pk]))
    assert response.status_code == 200 and response.headers["Content-Type"] == "application/pdf"
    assert response.content.startswith(b"%PDF-")


def test_a_name_cannot_reach_into_the_template(world):
    world.facility.name = '#panic("x") $ ] } \\ "'
    world.facility.save()
    response = world.client("duty").get(reverse("file-dossier", args=["facility", world.facility.pk]))
    assert response.content.startswith(b"%PDF-")


def test_the_map_shows_what_lies_near_and_no_more_than_one_may_see(world):
    def points(role):
        found = subjects.find(world.users[role], "facility", str(world.facility.pk))
        return drawing.drawing(world.users[role], found.subject).count("<circle")

    # Itself with its ring, its outlet, the station and the other district's outlet and facility in 10 km.
    assert points("duty") > points("district") > points("enterprise") >= 2
    region = subjects.find(world.users["duty"], "region", "150203").subject
    assert "<path" in drawing.drawing(world.users["duty"], region)  # its boundary
    world.facility.name = "</text><script>"
    assert "<script>" not in drawing.drawing(world.users["duty"], world.facility)


def test_the_font_is_the_packages_or_the_machines(settings, tmp_path):
    dossier.fonts.cache_clear()
    settings.NODE_PACKAGES = tmp_path
    assert dossier.fonts() == []
    dossier.fonts.cache_clear()
