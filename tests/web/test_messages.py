"""Nothing is untranslated: every string has its Chinese, and no Chinese hides in code or templates of the pages."""

import importlib.util
import re
from pathlib import Path

import pytest
from django.utils import translation
from django.utils.translation import gettext

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = [path for path in (ROOT / "src" / "luming").rglob("*.html") if "templates" in path.parts]


@pytest.fixture(scope="module")
def messages():
    spec = importlib.util.spec_from_file_location("messages", ROOT / "tools" / "messages.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_string_is_translated(messages):
    others = messages.elsewhere()
    found = {text: where for text, where in messages.strings().items() if text not in others}
    assert not messages.problems(found, messages.read()), "run: python tools/messages.py, and translate"


def test_the_compiled_catalogue_is_of_the_text(messages):
    assert messages.is_compiled(messages.read())


def test_django_reads_what_we_compile(messages):
    with translation.override("zh-hans"):
        missing = [
            text
            for text, chinese in messages.read().items()
            if gettext(text) != chinese and text not in messages.elsewhere()
        ]
    assert not missing


def test_english_pages_hold_no_chinese():
    """Templates are written in English; only the two names of the languages are their own."""
    allowed = {"中", "中文", "　"}
    for path in TEMPLATES:
        text = path.read_text(encoding="utf-8")
        text = re.sub(r'"PingFang SC"|、', "", text)
        assert set(re.findall(r"[\u3000-\u303f\u4e00-\u9fff]+", text)) <= allowed, path.name


def test_templates_hold_no_untranslated_english():
    """Words between tags come through translate; what is left are names and units."""
    names = {
        "MN",
        "QN",
        "Enter",
        "km",
        "kg",
        "Ctrl ↵",
        "Ctrl K",
        "Ctrl",
        "Shift",
        "Esc",
        "MB",
        "nbsp",
        "lt",
        "CSV",
        "AQI",
        "CGCS2000",
        "GeoJSON",
        "UTC",
        "SHA-256",
        "SM3",
        "PDF",
        "EN",
        "English",
        "r",
        "min",
        "luming city load baotou",
        "luming import places.xlsx",
        "luming demo",
        "luming setup-token",
    }
    for path in TEMPLATES:
        text = re.sub(r"<(style|pre)\b.*?</\1>", "", path.read_text(encoding="utf-8"), flags=re.S)
        text = re.sub(r"{% block body_attributes %}.*?{% endblock %}", "\0", text)
        text = re.sub(r"{%.*?%}|{{.*?}}|{#.*?#}", "\0", text, flags=re.S)
        text = re.sub(r"<[^>]*>", "\0", text, flags=re.S)
        words = {piece.strip(" \n·–—%*/()=:,&;×+≤≥•|") for piece in text.split("\0")}
        left = {word for word in words if re.search(r"[A-Za-z]{2,}", word)} - names
        assert not {word for word in left if not re.fullmatch(r"(500 ·)?|&\w+", word)}, path.name
