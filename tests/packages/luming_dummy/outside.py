"""What the dummy adds to the public site and the portal; see luming_dummy.apps."""

from luming.core.manifest import Section
from luming_dummy.models import Well


def wells():
    """Return the number of wells for the public front page."""
    number = Well.objects.count()
    return {"number": number} if number else None


def wells_page(item):
    """Return the page of all wells, or of one by its code."""
    if item:
        well = Well.objects.filter(code=item).first()
        return {"wells": [well]} if well else None
    return {"wells": list(Well.objects.all())}


def wells_file(item):
    """Return the depth of a well as rows."""
    well = Well.objects.filter(code=item).first()
    return (f"{item}.csv", [["code", "depth"], [well.code, well.depth_m]]) if well else None


def visits(user):
    """Return what the portal shows to an enterprise, and nothing to others."""
    return {"name": user.organisation.name} if user.organisation else None


def visits_page(user, item):
    """Return the page of visits, or of the first one."""
    return {"name": str(user.organisation), "item": item} if item in ("", "1") else None


PUBLIC_SECTIONS = [
    Section(
        "dummy-wells", "Wells of the dummy", "luming_dummy/public.html", wells, 500,
        page=wells_page, page_template="luming_dummy/public_page.html", download=wells_file,
    ),
]  # fmt: skip
PORTAL_SECTIONS = [
    Section(
        "dummy-visits", "Visits of the dummy", "luming_dummy/portal.html", visits, 500,
        page=visits_page, page_template="luming_dummy/portal_page.html",
    ),
]  # fmt: skip
