"""The addresses of this room."""

from django.urls import URLPattern, path

from luming.web.sampling import comparisons, desk, labels, plans, results, reviewing, samples

urlpatterns: list[URLPattern] = [
    path("sampling/", desk.page, name="sampling"),
    path("sampling/plans/new/", plans.new, name="sampling-plan-new"),
    path("sampling/plans/<int:pk>/", plans.page, name="sampling-plan"),
    path("sampling/plans/<int:pk>/edit/", plans.edit, name="sampling-plan-edit"),
    path("sampling/plans/<int:pk>/issue/", plans.issue, name="sampling-issue"),
    path("sampling/labels/", labels.sheet, name="sample-labels"),
    path("sampling/results/", results.table, name="sample-results"),
    path("sampling/results/import/", results.importing, name="sample-results-import"),
    path("sampling/review/", reviewing.page, name="sample-review"),
    path("sampling/comparisons/", comparisons.page, name="sample-comparisons"),
    path("sampling/comparisons/<int:pk>/points/", comparisons.points, name="sample-comparison-points"),
    path("sampling/new/", samples.new, name="sample-new"),
    path("sampling/<int:pk>/", samples.page, name="sample"),
    path("sampling/<int:pk>/take/", samples.take, name="sample-take"),
    path("sampling/<int:pk>/custody/", samples.custody, name="sample-custody"),
    path("sampling/<int:pk>/photos/", samples.photos, name="sample-photos"),
    # What the QR code of a label opens: short, so that the code stays coarse enough for a wet label.
    path("s/<path:number>/", samples.scanned, name="sample-scan"),
]
