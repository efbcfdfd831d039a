"""Results from Excel and CSV: the template, all wrong rows at once, nothing twice."""

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone, translation
from python_calamine import CalamineWorkbook

from luming.registry.importing.cells import CellError
from luming.telemetry.sampling import files
from luming.telemetry.sampling.models import SampleResult

URL = "sample-results-import"


def csv(taken, *lines):
    head = "样品编号,因子,结果,单位,检出限,方法,分析人,仪器,分析时间,原因"
    when = timezone.localtime(taken.taken_to).strftime("%Y-%m-%d %H:%M")
    return "\n".join([head, *(line.format(number=taken.number, when=when) for line in lines)]).encode()


GOOD = (
    "{number},a34013,5.2,mg/m³,1,HJ 836-2017,检测员,天平,{when},",
    "{number},二氧化硫,3L,,,HJ 57-2017,检测员,,{when},",
    "{number},a21026,,,,,,,,",
)


def send(client, content, name="results.csv", **values):
    return client.post(reverse(URL), {"file": SimpleUploadedFile(name, content), "action": "check", **values})


def test_a_file_is_checked_and_entered_once(world, taken):
    client = world.client("reviewer")
    page = send(client, csv(taken, *GOOD))
    assert page.context["report"].problems == []
    assert "<b>2</b> new" in page.content.decode() and not SampleResult.objects.exists()
    token = page.context["token"]
    done = client.post(reverse(URL), {"action": "apply", "token": token}, follow=True).content.decode()
    assert "Results entered: 2." in done
    below = SampleResult.objects.get(factor="a21026")
    assert (below.below_detection, below.detection_limit, below.unit) == (True, 3.0, "mg/m³")
    assert "nothing to enter" in send(client, csv(taken, *GOOD)).content.decode()
    assert SampleResult.objects.count() == 2


def test_all_bad_rows_are_listed_and_nothing_is_entered(world, taken):
    client = world.client("reviewer")
    lines = (
        GOOD[0],
        "nobody,a34013,5,,,x,y,,{when},",
        "{number},a34013,6,,,x,y,,{when},",
        "{number},gold,5,,,x,y,,{when},",
        "{number},a21026,many,,,x,y,,yesterday,",
        "{number},a01011,5,,,x,y,,{when},",
    )
    page = send(client, csv(taken, *lines))
    rows = {problem.row for problem in page.context["report"].problems}
    assert rows == {3, 4, 5, 6, 7}
    errors = client.post(reverse(URL), {"action": "errors", "token": page.context["token"]})
    assert errors["Content-Type"].startswith("text/csv") and "gold" in errors.content.decode()
    applied = client.post(reverse(URL), {"action": "apply", "token": page.context["token"]})
    assert "Nothing is entered" in applied.content.decode()
    assert not SampleResult.objects.exists()


def test_the_template_holds_what_is_missing_and_can_be_imported(world, taken):
    client = world.client("reviewer")
    answer = client.get(reverse(URL), {"template": ""})
    grid = CalamineWorkbook.from_filelike(io.BytesIO(answer.content)).get_sheet_by_index(0).to_python()
    assert [row[1] for row in grid[1:]] == ["a34013", "a21026"] and grid[1][0] == taken.number
    assert grid[1][5] == "HJ 836-2017"
    page = send(client, answer.content, "results.xlsx")  # not filled in
    assert "nothing to enter" in page.content.decode()


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (b"", "a.csv", "empty"),
        (b"PK\x03\x04 no workbook", "a.xlsx", "damaged"),
        (b"a,b\n1,2", "a.csv", "heading is not known"),
        ("样品编号,因子\n1,2".encode(), "a.csv", "column is missing"),
        (b"x", "a.pdf", "Only Excel"),
    ],
)
def test_files_that_cannot_be_read_are_refused_in_words(world, taken, content, name, said):
    assert said in send(world.client("reviewer"), content, name).content.decode()


def test_without_a_file_or_after_a_day(world):
    client = world.client("reviewer")
    assert "Choose a file" in client.post(reverse(URL), {"action": "check"}).content.decode()
    gone = client.post(reverse(URL), {"action": "apply", "token": "0" * 64 + ".csv/x"}, follow=True)
    assert "choose it again" in gone.content.decode()


@pytest.mark.parametrize(
    ("written", "value", "below", "limit"),
    [("40", 40.0, False, None), ("<0.025", None, True, 0.025), ("＜4", None, True, 4.0), ("0.01L", None, True, 0.01),
     ("ND", None, True, None), ("未检出", None, True, None), (7, 7.0, False, None)],
)  # fmt: skip
def test_ways_to_write_a_result(written, value, below, limit):
    assert files.figure(written) == files.Figure(value, below, limit)


def test_what_is_no_result():
    with translation.override("en"), pytest.raises(CellError, match="number"):
        files.figure("about 4")
