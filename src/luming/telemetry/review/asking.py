"""Questions to the enterprise or maintainer of a place, and their answers through the portal."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from luming.core import audit, files
from luming.core.models import Attachment, User
from luming.registry.models import Place, Series
from luming.telemetry.review import rules
from luming.telemetry.review.models import Question, ReviewDay

ASK = "review.decide"
ANSWER = "portal.view"
LONGEST = 2000


def ask(user: User | None, day: ReviewDay, series: Series, start: datetime, end: datetime, text: str) -> Question:
    """Ask the enterprise or maintainer about a period; a day for the answer follows from the dated rule."""
    audit.require(user, ASK)
    if user is not None:
        Place.objects.visible_to(user).get(pk=day.place_id)
    if not text.strip():
        raise ValidationError(_("Write the question."))
    with transaction.atomic():
        now = timezone.now()
        rule = rules.of_place(rules.rules(day.day), day.place)
        row = Question.objects.create(
            place_id=day.place_id, day=day, series=series, start=start, end=end, text=text.strip(), asked_by=user,
            asked_at=now, deadline=now + timedelta(days=rule.answer_days),
        )  # fmt: skip
        audit.record(user, "review.ask", row, place=day.place_id, text=row.text, deadline=row.deadline.isoformat())
    return row


def answer(user: User, question: Question, text: str, file: UploadedFile | None = None) -> Question:
    """Answer a question, once, with words and perhaps a file; a day that was submitted is taken up again."""
    audit.require(user, ANSWER)
    text = text.strip()
    if not text:
        raise ValidationError(_("Write the answer."))
    if len(text) > LONGEST:
        raise ValidationError(_("The answer is longer than %(count)d characters.") % {"count": LONGEST})
    with transaction.atomic():
        visible = Question.objects.visible_to(user)
        row = visible.select_for_update(of=("self",)).get(pk=question.pk)
        if not row.is_open:
            raise ValidationError(_("This question has been answered already."))
        row.answer, row.answered_by, row.answered_at = text, user, timezone.now()
        row.save(update_fields=["answer", "answered_by", "answered_at"])
        kept = _keep(user, row, file) if file is not None else None
        audit.record(user, "review.answer", row, place=row.place_id, text=text, attachment=kept.pk if kept else None)
        if row.day_id is not None:
            _take_up(ReviewDay.objects.select_for_update().get(pk=row.day_id))
    return row


def _take_up(day: ReviewDay) -> None:
    """Put a day whose question was answered before the reviewers again."""
    from luming.telemetry.review import actions
    from luming.telemetry.review.importance import POINTS

    if day.is_waiting:
        each, most = POINTS["answer"]
        number = sum(row[1] for row in day.grounds if row[0] == "answer") + 1
        others = [row for row in day.grounds if row[0] != "answer"]
        day.grounds = [*others, ["answer", number, min(each * number, most)]]
        day.importance = sum(row[2] for row in day.grounds)
        day.save(update_fields=["grounds", "importance"])
    elif not day.awaits_second:
        actions.reopen(None, day, _("An answer to a question came."), ground="answer")


def _keep(user: User, question: Question, file: UploadedFile) -> Attachment:
    """Keep the file of an answer with the question."""
    name = files.clean_name(file.name or "")
    if (file.size or 0) > settings.UPLOAD_BYTES:
        limit = settings.UPLOAD_BYTES // 2**20
        raise ValidationError(
            _("“%(name)s” is larger than %(limit)s MB: make it smaller or split it.") % {"name": name, "limit": limit}
        )
    media_type = files.recognise(file, name)
    found = hashlib.sha256()
    for chunk in file.chunks():
        found.update(chunk)
    file.seek(0)
    row = Attachment(
        name=name, media_type=media_type, size=file.size, sha256=found.hexdigest(), uploaded_by=user,
        object_type=Question._meta.label_lower, object_id=str(question.pk),
    )  # fmt: skip
    row.file.save(name, file, save=False)
    try:
        row.save()
    except BaseException:
        row.file.storage.delete(row.file.name)  # no row, no file
        raise
    return row
