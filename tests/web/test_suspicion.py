"""One suspicion on a page: sentence, numbers and picture in the page's language, from the stored dictionary."""

import json
import re

import pytest
from django.template.loader import render_to_string
from django.utils import translation

from luming.science.qc.fraud import CHECKS, as_dict, synthetic
from luming.web.templatetags import suspicions

DIGITS = next(check for check in CHECKS if check.code == "FRAUD-DIGITS")


@pytest.fixture(scope="module")
def stored():
    window = synthetic.prefer(synthetic.honest("stack", 1), 0.2, 1)
    return json.loads(json.dumps(as_dict(DIGITS.run(window, "so2", **DIGITS.defaults("so2"))[0])))


@pytest.mark.parametrize(("language", "key", "title", "name"), [
    ("zh-hans", "zh", "末位数字异常", "效应量"), ("en", "en", "Uneven last digits", "effect size"),
])  # fmt: skip
def test_the_partial_says_it_in_the_language_of_the_page(stored, language, key, title, name):
    with translation.override(language):
        html = render_to_string("web/quality/suspicion.html", {"suspicion": stored})
    assert title in html and stored[key] in html and name in html and "FRAUD-DIGITS" in html
    assert f'data-language="{key}"' in html and "Rao &amp; Scott" in html
    picture = json.loads(re.search(r'<script type="application/json">(.*?)</script>', html, re.DOTALL)[1])
    assert picture == stored["picture"]
    assert "style=" not in html and "onclick" not in html


def test_a_stored_picture_cannot_break_out_of_its_script(stored):
    evil = {**stored, "picture": {**stored["picture"], "x": ["</script><script>alert(1)</script>"]}}
    assert "</script><script>alert" not in render_to_string("web/quality/suspicion.html", {"suspicion": evil})


def test_codes_and_numbers_of_another_catalogue_are_shown_as_they_are():
    assert suspicions.suspicion_title("FRAUD-OLD") == "FRAUD-OLD"
    assert suspicions.suspicion_advice("FRAUD-OLD") == suspicions.suspicion_source("FRAUD-OLD") == ""
    shown = suspicions.suspicion_numbers({"numbers": {"p": 1e-300, "n": 8760.0, "new": 0.25, "cap": None}})
    assert [figure for _, figure in shown] == ["< 1e-99", "8,760", "0.25"] and shown[2][0] == "new"
