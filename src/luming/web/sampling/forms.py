"""Forms of sampling; the rules are in the verbs, a form only reads what a person typed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from luming.core.models import User
from luming.core.roles import ROLES
from luming.hj212 import FACTORS
from luming.registry.models import Medium, Place
from luming.telemetry.sampling import rules
from luming.telemetry.sampling.models import CustodyEvent, Sample, SamplingPlan
from luming.web import words
from luming.web.forms import Styled

MOMENT = "%Y-%m-%dT%H:%M"
# What is usually analysed of a medium; other factors follow.
FIRST = {
    "sewage": ("w01018", "w21003", "w21011", "w21001", "w01001", "w01012", "w01010"),
    "water": ("w01019", "w21003", "w21011", "w21001", "w01001", "w01009", "w01018", "w01010"),
    "gas": ("a34013", "a21026", "a21002", "a19001", "a24088"),
    "air": ("a34004", "a34002", "a21026", "a21004", "a05024", "a21005", "a34001"),
    "noise": ("LA", "LAeq"),
}
_MEDIA = {"sewage": {"water"}, "water": {"water"}, "gas": {"air", "gas"}, "air": {"air"}, "noise": {"noise"}}


def factor_choices(medium: str) -> list[tuple[str, str]]:
    """Return the factors that samples of a medium are analysed for, the usual ones first."""
    first = {code: position for position, code in enumerate(FIRST.get(medium, ()))}
    found = [
        factor.code
        for factor in FACTORS.values()
        if factor.medium in _MEDIA.get(medium, ()) and factor.kind in ("pollutant", "parameter", "noise")
    ]
    found += [code for code in first if code in FACTORS and code not in found]
    found.sort(key=lambda code: (first.get(code, 99), code))
    return [(code, f"{words.factor_name(code)} ({code})") for code in found if rules.known_factor(code)]


class DateInput(forms.DateInput):
    """A day, chosen by the browser."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class MomentInput(forms.DateTimeInput):
    """A moment in the city's time, chosen by the browser."""

    input_type = "datetime-local"

    def __init__(self) -> None:
        super().__init__(format=MOMENT)


def moment_field(label: Any, **values: Any) -> forms.DateTimeField:
    """Return a field for a moment."""
    return forms.DateTimeField(
        label=label, widget=MomentInput(), input_formats=[MOMENT, f"{MOMENT}:%S", "%Y-%m-%d %H:%M"], **values
    )


class PlanForm(Styled):
    """A sampling plan with its places."""

    name = forms.CharField(label=_("Name"), max_length=120)
    purpose = forms.ChoiceField(label=_("Purpose"), choices=SamplingPlan.Purpose.choices)
    places = forms.ModelMultipleChoiceField(
        label=_("Places"), queryset=Place.objects.none(), widget=forms.SelectMultiple(attrs={"size": 10})
    )
    factors = forms.MultipleChoiceField(label=_("Factors"), widget=forms.SelectMultiple(attrs={"size": 10}))
    standards = forms.CharField(label=_("Sampling standards"), max_length=200, required=False)
    frequency = forms.ChoiceField(label=_("Frequency"), choices=SamplingPlan.Frequency.choices)
    starts_on = forms.DateField(label=_("First round"), widget=DateInput())
    ends_on = forms.DateField(label=_("Last day"), widget=DateInput(), required=False)
    blanks = forms.IntegerField(label=_("Blank samples per round"), min_value=0, max_value=20, initial=0)
    parallels = forms.IntegerField(label=_("Parallel samples per round"), min_value=0, max_value=20, initial=0)
    responsible = forms.ModelChoiceField(label=_("Responsible"), queryset=User.objects.none(), required=False)
    note = forms.CharField(label=_("Note"), max_length=300, required=False)

    def __init__(self, user: User, medium: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        places = Place.objects.visible_to(user).filter(medium=medium, is_active=True)
        self.fields["places"].queryset = places  # type: ignore[attr-defined]
        self.fields["factors"].choices = factor_choices(medium)  # type: ignore[attr-defined]
        internal = [key for key, role in ROLES.items() if role.internal and "sample.plan" in role.permissions]
        self.fields["responsible"].queryset = User.objects.filter(role__in=internal, is_active=True)  # type: ignore[attr-defined]


class SampleForm(Styled):
    """A sample outside any plan."""

    place = forms.ModelChoiceField(label=_("Place"), queryset=Place.objects.none())
    due_on = forms.DateField(label=_("Due on"), widget=DateInput(), initial=timezone.localdate)
    factors = forms.MultipleChoiceField(label=_("Factors"), widget=forms.SelectMultiple(attrs={"size": 10}))
    control = forms.ChoiceField(label=_("Quality control"), choices=Sample.Control.choices)
    control_of = forms.ModelChoiceField(
        label=_("Belongs to"), queryset=Sample.objects.none(), required=False,
        help_text=_("The sample that a blank, parallel or spiked one controls."),
    )  # fmt: skip
    note = forms.CharField(label=_("Note"), max_length=300, required=False)

    def __init__(self, user: User, medium: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        places = Place.objects.visible_to(user).filter(medium=medium, is_active=True)
        self.fields["place"].queryset = places  # type: ignore[attr-defined]
        self.fields["factors"].choices = factor_choices(medium)  # type: ignore[attr-defined]
        open_samples = Sample.objects.visible_to(user).filter(
            place__medium=medium, control=Sample.Control.NONE, due_on__gte=timezone.localdate() - timedelta(days=30)
        )
        self.fields["control_of"].queryset = open_samples.order_by("-due_on", "number")  # type: ignore[attr-defined]


class TakeForm(Styled):
    """What is written down where the sample is taken."""

    taken_from = moment_field(_("Taken from"))
    taken_to = moment_field(_("Taken to"))
    samplers = forms.CharField(label=_("Samplers"), max_length=120)
    kind = forms.ChoiceField(label=_("Kind"), choices=Sample.Kind.choices)
    weather = forms.CharField(label=_("Weather"), max_length=80, required=False)
    flow = forms.CharField(label=_("Flow and working condition"), max_length=120, required=False)
    preservation = forms.CharField(label=_("Preservation"), max_length=200, required=False)
    temperature_c = forms.FloatField(label=_("Temperature (°C)"), required=False)
    note = forms.CharField(label=_("Note"), max_length=300, required=False)
    longitude = forms.FloatField(required=False, widget=forms.HiddenInput())
    latitude = forms.FloatField(required=False, widget=forms.HiddenInput())
    accuracy_m = forms.FloatField(required=False, widget=forms.HiddenInput())


class StepForm(Styled):
    """The next step of custody."""

    kind = forms.ChoiceField(choices=CustodyEvent.Kind.choices, widget=forms.HiddenInput())
    at = moment_field(_("At"))
    from_whom = forms.CharField(label=_("Handed by"), max_length=80, required=False)
    to_whom = forms.CharField(label=_("Handed to"), max_length=80, required=False)
    temperature_c = forms.FloatField(label=_("Temperature (°C)"), required=False)
    preservation = forms.CharField(label=_("Preservation"), max_length=200, required=False)
    reason = forms.CharField(label=_("Reason"), max_length=300, required=False)


# What a step asks for, the most needed first.
STEP_FIELDS = {
    "handed": ("to_whom", "temperature_c", "at"),
    "received": ("from_whom", "temperature_c", "at"),
    "stored": ("preservation", "temperature_c", "at"),
    "analysed": ("at",),
    "rejected": ("reason", "temperature_c", "at"),
    "not-taken": ("reason", "at"),
    "disposed": ("at", "reason"),
}
MEDIA = Medium.choices


def put_problems(form: forms.Form, problems: dict[str, list[str]]) -> None:
    """Show what a verb said beside the fields that it is about; the rest above the form."""
    for name, texts in problems.items():
        form.add_error(name if name in form.fields else None, texts)
