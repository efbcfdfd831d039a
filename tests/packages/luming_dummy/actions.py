"""The dummy's verbs beside create, change and delete."""

from django.core.exceptions import ValidationError
from django.db import transaction

from luming.core import audit
from luming_dummy.models import Well


def seal(user, records, *, reason="", depth_m):
    """Seal wells down to a depth."""
    audit.require(user, "place.edit")
    with transaction.atomic():
        for well in Well.objects.select_for_update().filter(pk__in=[record.pk for record in records]).order_by("pk"):
            if depth_m > well.depth_m:
                raise ValidationError({"depth_m": f"{well} is only {well.depth_m} m deep."})
            _set_sealed(user, well, True, reason)
    return f"{len(records)} sealed."


def unseal(user, records, *, reason=""):
    """Open wells again."""
    audit.require(user, "place.edit")
    with transaction.atomic():
        for well in Well.objects.select_for_update().filter(pk__in=[record.pk for record in records]).order_by("pk"):
            _set_sealed(user, well, False, reason)


def _set_sealed(user, well, sealed, reason):
    changes = {"is_sealed": [well.is_sealed, sealed]}
    well.is_sealed = sealed
    well.save()
    audit.record(user, "well.seal" if sealed else "well.open", well, reason=reason, changes=changes)
