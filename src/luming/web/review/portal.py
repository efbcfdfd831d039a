"""The enterprises' side: questions about their places in the portal, and the answer to one."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from luming.core import manifest
from luming.core.manifest import Section
from luming.core.models import Attachment, User
from luming.telemetry.review import asking
from luming.telemetry.review.models import Question
from luming.telemetry.review.words import problem_of
from luming.web.access import needs

SHOWN = 5
ANSWERED_SHOWN = 50


def _questions(user: User) -> Any:
    return Question.objects.visible_to(user).select_related("place", "series", "answered_by")


def section(user: User) -> dict[str, Any] | None:
    """Return the questions that wait for an answer, the most urgent first."""
    rows = list(_questions(user).filter(answered_at=None).order_by("deadline"))
    if not rows and not Question.objects.visible_to(user).exists():
        return None
    return {"rows": rows[:SHOWN], "more": max(len(rows) - SHOWN, 0), "now": timezone.now()}


def page(user: User, item: str) -> dict[str, Any] | None:
    """Return all questions, or one of them with its answer."""
    if item:
        if not (item.isascii() and item.isdigit() and len(item) < 19):
            return None
        row = _questions(user).filter(pk=int(item)).first()
        if row is None:
            return None
        files = Attachment.objects.filter(
            object_type=Question._meta.label_lower, object_id=str(row.pk), removed_at=None
        )
        return {"question": row, "files": list(files), "longest": asking.LONGEST, "now": timezone.now()}
    rows = _questions(user).order_by(F("answered_at").desc(nulls_first=True), "deadline")
    return {"rows": list(rows[:ANSWERED_SHOWN]), "now": timezone.now()}


@needs(asking.ANSWER)
@require_POST
def answer(request: HttpRequest, pk: int) -> HttpResponse:
    """Answer a question with words and perhaps a file."""
    question = get_object_or_404(Question.objects.visible_to(request.user), pk=pk)
    text = request.POST.get("answer", "")
    try:
        asking.answer(request.user, question, text, request.FILES.get("file"))
    except ValidationError as error:  # what was typed stays in the form
        own = next(entry for entry in manifest.portal_sections() if entry.key == "questions")
        values = {"section": own, "item": str(pk), "typed": text, "problem": problem_of(error)}
        return render(request, "web/review/portal_page.html", {**(page(request.user, str(pk)) or {}), **values})
    messages.success(request, _("The answer was sent to the bureau."))
    return redirect("portal-item", "questions", str(pk))


SECTIONS = [
    Section(
        "questions", gettext_lazy("Questions on data"), "web/review/portal_questions.html", section, 15, icon="help",
        page=page, page_template="web/review/portal_page.html",
    )
]  # fmt: skip
