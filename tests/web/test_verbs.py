"""Verbs and actors of the audit trail have words; their codes stay in the trail."""

import ast
from pathlib import Path

import pytest
from django.utils import translation

from luming.core import audit
from luming.web import verbs

PACKAGE = Path(__file__).resolve().parents[2] / "src" / "luming"


@pytest.mark.parametrize(
    ("code", "chinese", "english"),
    [
        ("city.load", "载入城市配置", "The city's profile was loaded"),
        ("limit.create", "限值: 新建", "Limit: Made"),
        ("facility.tag", "排污单位: 添加标签", "Facility: Tag added"),
        ("facilities.export", "排污单位: 导出", "Facilities: Exported"),
        ("view.save", "保存视图", "A view was saved"),
        ("orchard.prune", "orchard.prune", "orchard.prune"),  # a third party's own
    ],
)
def test_words_of_verbs(code, chinese, english):
    with translation.override("zh-hans"):
        assert verbs.verb(code) == chinese
    with translation.override("en"):
        assert verbs.verb(code) == english


def test_the_platform_is_named_and_people_keep_their_names():
    with translation.override("zh-hans"):
        assert (verbs.actor(verbs.SYSTEM), verbs.actor("张三")) == ("平台", "张三")


def test_every_verb_of_the_product_has_words():
    """Verbs that the code writes as they are; those made of a model and a known word are words by their making."""
    missing = {verb for verb in written() if verbs.verb(verb) == verb}
    assert not missing


def written():
    """Return the verbs that calls of ``audit.record`` and ``audit.entry`` name."""
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and getattr(node.func, "attr", "") in ("record", "entry")
                and len(node.args) > 1
            ):
                choices = (
                    [node.args[1].body, node.args[1].orelse] if isinstance(node.args[1], ast.IfExp) else [node.args[1]]
                )
                yield from (item.value for item in choices if isinstance(item, ast.Constant) and "." in str(item.value))


def test_the_trail_shows_words_and_keeps_codes(world):
    audit.record(None, "city.load", world.facility.region)
    page = world.client("audit-admin").get("/audit/").content.decode()
    assert "The city&#x27;s profile was loaded" in page and "city.load" in page and "The platform" in page
