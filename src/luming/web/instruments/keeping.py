"""Forms for work in the field: a calibration, an entry of the maintenance log; laid out for a phone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from luming.registry.models import Device, Series
from luming.telemetry.instruments import actions, upkeep, words
from luming.telemetry.instruments.models import (
    CALIBRATIONS,
    MAINTENANCE,
    Instrument,
    MaintenancePlan,
    Supply,
    factor_name,
)
from luming.web.access import needs
from luming.web.forms import Styled
from luming.web.instruments.views import device_of

_MOMENT = "%Y-%m-%dT%H:%M"


def _moment(label: Any, *, required: bool = True) -> forms.DateTimeField:
    return forms.DateTimeField(
        label=label, required=required, widget=forms.DateTimeInput({"type": "datetime-local"}, format=_MOMENT)
    )


def _number(label: Any, help_text: Any = "") -> forms.FloatField:
    return forms.FloatField(
        label=label, required=False, help_text=help_text,
        widget=forms.NumberInput({"step": "any", "inputmode": "decimal"}),
    )  # fmt: skip


class CalibrationForm(Styled):
    """What was calibrated, the standard and what the instrument showed."""

    instrument = forms.ModelChoiceField(None, label=gettext_lazy("Instrument"), required=False)
    factor = forms.ChoiceField(
        label=gettext_lazy("Factor"),
        required=False,
        help_text=gettext_lazy("Empty: the one that the instrument measures."),
    )
    kind = forms.ChoiceField(label=gettext_lazy("Kind"), choices=CALIBRATIONS)
    performed_at = _moment(gettext_lazy("At"))
    supply = forms.ModelChoiceField(None, label=gettext_lazy("Standard gas or solution used"), required=False)
    standard = _number(gettext_lazy("Standard value"), gettext_lazy("Empty: the certified value of the standard used."))
    response = _number(gettext_lazy("Response"), gettext_lazy("What the instrument showed before it was adjusted."))
    adjusted = _number(gettext_lazy("Response after adjusting"), gettext_lazy("Empty: it was not adjusted."))
    unit = forms.CharField(label=gettext_lazy("Unit"), max_length=20, required=False)
    full_scale = _number(gettext_lazy("Full scale"), gettext_lazy("Empty: the range of the instrument."))
    performed_by = forms.CharField(label=gettext_lazy("Performed by"), max_length=80)
    note = forms.CharField(label=gettext_lazy("Note"), max_length=200, required=False)

    def __init__(self, device: Device, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        instruments = Instrument.objects.filter(device=device, retired_on=None).order_by("name")
        self.fields["instrument"].queryset = instruments  # type: ignore[attr-defined]
        self.fields["supply"].queryset = Supply.objects.filter(  # type: ignore[attr-defined]
            device=device, is_finished=False, kind__in=(Supply.Kind.GAS, Supply.Kind.REAGENT)
        )
        codes = dict.fromkeys(code for row in instruments for code in row.codes)
        codes |= dict.fromkeys(
            Series.objects.filter(place=device.place_id).order_by("factor").values_list("factor", flat=True)
        )
        self.fields["factor"].choices = [  # type: ignore[attr-defined]
            ("", ""),
            *((code, factor_name(code)) for code in codes),
        ]
        if len(instruments) == 1:
            self.fields["instrument"].initial = instruments[0].pk

    def clean(self) -> dict[str, Any]:
        """Take the factor from the instrument where that measures one only."""
        values: dict[str, Any] = super().clean() or {}
        instrument = values.get("instrument")
        if not values.get("factor"):
            if instrument is not None and len(instrument.codes) == 1:
                values["factor"] = instrument.codes[0]
            else:
                self.add_error("factor", _("Choose the factor that was calibrated."))
        return values


class MaintenanceForm(Styled):
    """What was done, from when to when, by whom."""

    kind = forms.ChoiceField(label=gettext_lazy("Kind"), choices=MAINTENANCE)
    instrument = forms.ModelChoiceField(
        None, label=gettext_lazy("Instrument"), required=False, help_text=gettext_lazy("Empty: the device as a whole.")
    )
    start = _moment(gettext_lazy("From"))
    end = _moment(gettext_lazy("To"), required=False)
    what = forms.CharField(
        label=gettext_lazy("What was done"), max_length=1000, widget=forms.Textarea(attrs={"rows": 3})
    )
    performed_by = forms.CharField(label=gettext_lazy("Performed by"), max_length=80)
    plan = forms.ModelChoiceField(
        None, label=gettext_lazy("Plan"), required=False, help_text=gettext_lazy("Its next day moves on.")
    )

    def __init__(self, device: Device, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["end"].help_text = _("Empty: still going on.")
        own = Instrument.objects.filter(device=device, retired_on=None).order_by("name")
        self.fields["instrument"].queryset = own  # type: ignore[attr-defined]
        self.fields["plan"].queryset = MaintenancePlan.objects.filter(  # type: ignore[attr-defined]
            device=device, is_active=True
        )


@needs("instrument.keep")
def calibrate(request: HttpRequest, pk: int) -> HttpResponse:
    """Enter a calibration."""
    device = device_of(request, pk)
    initial = _prefilled(request, ("instrument", "factor", "kind", "supply")) | {"performed_at": timezone.localtime()}
    form = CalibrationForm(device, request.POST or None, initial=initial | {"performed_by": _who(request)})
    if (row := _entered(request, form, actions.create_calibration, device)) is not None:
        text = _("The calibration is entered: %(result)s") % {"result": words.RESULTS[row.result].label}
        found = " · ".join(filter(None, [text, words.drift_text(row)]))
        messages.add_message(request, messages.WARNING if upkeep.needs_adjusting(row) else messages.SUCCESS, found)
        return redirect("device-health", device.pk)
    values = {"device": device, "form": form, "title": _("Enter a calibration")}
    return render(request, "web/instruments/form.html", values)


@needs("instrument.keep")
def maintain(request: HttpRequest, pk: int) -> HttpResponse:
    """Enter work in the maintenance log."""
    device = device_of(request, pk)
    initial = _prefilled(request, ("instrument", "kind", "plan")) | {"start": timezone.localtime()}
    form = MaintenanceForm(device, request.POST or None, initial=initial | {"performed_by": _who(request)})
    if _entered(request, form, actions.create_maintenance, device) is not None:
        messages.success(request, _("The work is entered in the log."))
        return redirect("device-health", device.pk)
    values = {"device": device, "form": form, "title": _("Enter maintenance")}
    return render(request, "web/instruments/form.html", values)


def _entered(request: HttpRequest, form: forms.Form, verb: Callable[..., Any], device: Device) -> Any:
    """Call the verb with what was typed; None when nothing was sent or something is wrong, which the form says then."""
    if request.method != "POST" or not form.is_valid():
        return None
    given = {name: value for name, value in form.cleaned_data.items() if value not in (None, "")}
    try:
        return verb(request.user, device=device, **given)
    except ValidationError as error:
        for name, problems in getattr(error, "error_dict", {NON_FIELD_ERRORS: [error]}).items():
            form.add_error(name if name in form.fields else None, problems)
    return None


def _prefilled(request: HttpRequest, names: tuple[str, ...]) -> dict[str, str]:
    return {name: request.GET[name] for name in names if request.GET.get(name)}


def _who(request: HttpRequest) -> str:
    organisation = request.user.organisation
    return f"{organisation.name} {request.user.name}"[:80] if organisation else request.user.name
