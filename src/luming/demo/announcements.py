"""What the demonstration's bureau has announced: a bulletin, a warning, a notice; one draft waits."""

from __future__ import annotations

from luming.domains.disclosure import actions
from luming.domains.disclosure.models import Announcement

PUBLISHED = [
    (
        "notice",
        "zh-hans",
        "演示：公众网站开通",
        "演示文字：空气和水环境质量实况自即日起在此公布。\n\n数据由自动监测站实时传送，未经审核。",
    ),
    ("bulletin", "zh-hans", "演示：地表水水质月报", "演示文字：本月全市断面水质总体稳定。\n\n详细数据见“水”栏目。"),
    (
        "warning",
        "zh-hans",
        "演示：沙尘天气健康提示",
        "演示文字：受冷空气影响，预计夜间有扬沙。\n\n请减少户外活动，关闭门窗。",
    ),
    (
        "notice",
        "en",
        "Demonstration: the public site is open",
        "Invented text: air and water are published here, as they come from automatic stations.",
    ),
]
DRAFT = ("result", "zh-hans", "演示：执法抽查结果公示（草稿）", "演示文字：待审核后发布。")


def load() -> int:
    """Publish the demonstration's announcements once; return how many were written."""
    if Announcement.objects.exists():
        return 0
    for kind, lang, title, body in PUBLISHED:
        actions.publish(None, actions.write(None, kind=kind, lang=lang, title=title, body=body))
    kind, lang, title, body = DRAFT
    actions.write(None, kind=kind, lang=lang, title=title, body=body)
    return len(PUBLISHED) + 1
