"""Long work of the person who is signed in: the list, one task with its progress, its result."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from luming.core import work
from luming.core.models import Task
from luming.web.access import signed_in

SHOWN = 50
UNFINISHED = (Task.State.QUEUED, Task.State.RUNNING)
# Whether the header shows the badge: set by the page of an unfinished task, cleared when none is left.
FLAG = "luming-works"


@signed_in
def listing(request: HttpRequest) -> HttpResponse:
    """List my tasks, newest first."""
    tasks = Task.objects.visible_to(request.user)[:SHOWN]
    template = "web/tasks_rows.html" if request.htmx and not request.htmx.boosted else "web/tasks.html"
    return render(request, template, {"tasks": tasks})


@signed_in
def page(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one task; its progress follows by itself."""
    task = get_object_or_404(Task.objects.visible_to(request.user), pk=pk)
    if task.state in UNFINISHED:
        request.session[FLAG] = True
    part = request.htmx and not request.htmx.boosted
    response = render(request, "web/task_now.html" if part else "web/task.html", {"task": task})
    if part and task.state not in UNFINISHED:
        response.status_code = 286  # htmx stops asking
    return response


@signed_in
def badge(request: HttpRequest) -> HttpResponse:
    """Return how many of my tasks are under way."""
    count = Task.objects.visible_to(request.user).filter(state__in=UNFINISHED).count()
    if not count:
        request.session.pop(FLAG, None)
    stop = request.htmx and not count  # 286: htmx asks no more
    return render(request, "web/tasks_badge.html", {"count": count}, status=286 if stop else 200)


@signed_in
def result(request: HttpRequest, pk: int) -> FileResponse:
    """Send the result of one of my tasks."""
    task = get_object_or_404(Task.objects.visible_to(request.user), pk=pk)
    if not task.file:
        raise Http404
    return FileResponse(task.file.open("rb"), as_attachment=True, filename=task.file_name or "result")


@signed_in
@require_POST
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Cancel one of my tasks."""
    task = get_object_or_404(Task.objects.visible_to(request.user), pk=pk)
    try:
        work.cancel(request.user, task)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return redirect("tasks")
