"""Settings of checks on pages: parameters described, a form made of them, and how a setting is shown."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from luming.core.models import User
from luming.registry.models import Interval, Medium, Series
from luming.science.qc import factors
from luming.science.qc.model import Check, Severity
from luming.telemetry.quality import words
from luming.telemetry.quality.facts import short
from luming.telemetry.quality.models import CheckSetting
from luming.web.forms import Styled
from luming.web.words import factor_name

PREFIX = "p-"


def figure(value: float) -> str:
    """Return a number as pages show it: none for NaN, ∞ for what is never reached."""
    if math.isnan(value):
        return "—"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    return f"{value:g}"


@dataclass(frozen=True, slots=True)
class Described:
    """A parameter as a check's page shows it; ``special`` are (factor, number, unit) where the default differs."""

    name: str
    title: str
    unit: str
    default: str
    bounds: str
    special: list[tuple[str, str, str]]


def described(check: Check) -> list[Described]:
    """Return the parameters of a check for its page."""
    found = []
    for one in check.parameters:
        special = []
        for key, value in one.by_factor.items():
            medium, _colon, name = key.rpartition(":")
            if medium and medium not in check.media:
                continue
            unit = one.unit or factors.unit(name, medium)
            special.append((_factor_title(name, medium), figure(value), unit))
        bounds = "" if math.isinf(one.minimum) and math.isinf(one.maximum) else _bounds(one.minimum, one.maximum)
        found.append(Described(one.name, words.parameter(one), one.unit, figure(one.default), bounds, special))
    return found


def _bounds(low: float, high: float) -> str:
    return f"{figure(low)} … {figure(high)}"


def _factor_title(name: str, medium: str) -> str:
    code = next((code for code, factor in factors.names(medium).items() if factor == name), name)
    title = factor_name(code)
    return f"{Medium(medium).label} · {title}" if medium else title


@dataclass(frozen=True, slots=True)
class Shown:
    """A setting as pages show it."""

    setting: CheckSetting
    today: date

    @property
    def scope(self) -> str:
        """Return what it is for."""
        row = self.setting
        if row.series is not None:
            return f"{row.series.place.name} · {factor_name(row.series.factor)} · {row.series.get_interval_display()}"
        medium = str(Medium(row.medium).label)
        return f"{medium} · {factor_name(row.factor)}" if row.factor else medium

    @property
    def what(self) -> str:
        """Return what it changes, in one line."""
        row = self.setting
        said = [] if row.enabled else [_("not in use")]
        said += [f"{name} = {value:g}" for name, value in sorted(row.parameters.items())]
        if row.severity:
            said.append(str(words.SEVERITIES[row.severity]))
        return " · ".join(said)

    @property
    def active(self) -> bool:
        """Tell whether it is in force today."""
        last = self.setting.effective_to
        return self.setting.effective_from <= self.today and (last is None or self.today <= last)

    @property
    def may_end(self) -> bool:
        """Tell whether it has no last day yet."""
        return self.setting.effective_to is None


class SettingForm(Styled):
    """What a check does otherwise, where, from when and why. The verb checks the rest."""

    target = forms.ChoiceField(label=gettext_lazy("For"))
    enabled = forms.BooleanField(label=gettext_lazy("In use"), required=False)
    severity = forms.ChoiceField(label=gettext_lazy("Severity"), required=False)
    effective_from = forms.DateField(
        label=gettext_lazy("Effective from"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=400, required=False)

    def __init__(self, check: Check, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.check, self.user = check, user
        self._chosen = self.data.get("target") or self.initial.get("target") or ""
        self.fields["target"].choices = self._targets()  # type: ignore[attr-defined]
        self.fields["severity"].choices = self._severities()  # type: ignore[attr-defined]
        medium, factor = self._of_target()
        for one in check.parameters:
            default = one.of(factor, medium)
            # what differs by factor is in its unit; counts of rows and multiples have none
            unit = one.unit or (factors.unit(factor, medium) if factor and one.by_factor else "")
            title = capfirst(words.parameter(one))
            self.fields[PREFIX + one.name] = forms.FloatField(
                label=f"{title} ({unit})" if unit else title,
                required=False,
                help_text=_("Default: %(value)s") % {"value": figure(default)},
                widget=forms.NumberInput(
                    attrs={"step": "any", "class": "form-control", "placeholder": figure(default)}
                ),
            )

    def _targets(self) -> list[tuple[str, str]]:
        """Return factors of media that the register has, and the series that the address names."""
        rows = (
            Series.objects.visible_to(self.user)
            .filter(place__medium__in=self.check.media)
            .order_by("place__medium", "factor")
            .values_list("place__medium", "factor")
            .distinct()
        )
        found = [(f"{m}:{code}", f"{Medium(m).label} · {factor_name(code)}") for m, code in rows]
        media = [(f"{m}:", _("%(medium)s, all factors") % {"medium": Medium(m).label}) for m in Medium.values]
        found += [entry for entry in media if entry[0][:-1] in self.check.media]
        series = self._series_of_target()
        if series is not None:
            name = f"{series.place.name} · {factor_name(series.factor)} · {series.get_interval_display()}"
            found.insert(0, (f"series:{series.pk}", name))
        return found

    def _series_of_target(self) -> Series | None:
        kind, _colon, pk = self._chosen.partition(":")
        if kind != "series" or not pk.isdecimal():
            return None
        visible = Series.objects.visible_to(self.user).filter(place__medium__in=self.check.media)
        return visible.select_related("place").filter(pk=pk).first()

    def _of_target(self) -> tuple[str, str]:
        """Return medium and short factor name of the chosen target."""
        series = self._series_of_target()
        if series is not None:
            return series.place.medium, short(series.factor, series.place.medium)
        medium, _colon, code = self._chosen.partition(":")
        if medium not in Medium.values:
            medium, _colon, code = str(self.fields["target"].choices[0][0]).partition(":")  # type: ignore[attr-defined]
        return medium, short(code, medium)

    def _severities(self) -> list[tuple[str, Any]]:
        own = words.SEVERITIES[self.check.severity.value]
        default = [("", _("As in the catalogue: %(severity)s") % {"severity": own})]
        if self.check.severity is Severity.SIGNAL:
            return default
        return default + [(key, label) for key, label in words.SEVERITIES.items() if key != Severity.SIGNAL.value]

    @property
    def parameters(self) -> list[Any]:
        """Return the fields of the parameters."""
        return [self[PREFIX + one.name] for one in self.check.parameters]

    def numbers(self) -> dict[str, float]:
        """Return the parameters that were given."""
        values = ((one.name, self.cleaned_data.get(PREFIX + one.name)) for one in self.check.parameters)
        return {name: value for name, value in values if value is not None}

    def scope(self) -> dict[str, Any]:
        """Return what the setting is for, as the verb takes it."""
        series = self._series_of_target()
        if series is not None:
            return {"series": series}
        medium, _colon, code = self.cleaned_data["target"].partition(":")
        return {"medium": medium, "factor": code}

    def setting(self) -> dict[str, Any]:
        """Return what is set, as the verb takes it."""
        names = ("enabled", "severity", "effective_from", "reason")
        return {name: self.cleaned_data[name] for name in names} | {"parameters": self.numbers()}

    def series(self) -> list[Series]:
        """Return the series that a preview runs over: the chosen one, or the hourly ones of the factor."""
        series = self._series_of_target()
        if series is not None:
            return [series]
        scope = self.scope()
        rows = Series.objects.visible_to(self.user).filter(place__medium=scope["medium"], interval=Interval.HOUR)
        if scope["factor"]:
            rows = rows.filter(factor=scope["factor"])
        return list(rows.select_related("place").order_by("pk"))

    def refuse(self, error: ValidationError) -> None:
        """Show what the verb refused beside its field."""
        if not hasattr(error, "error_dict"):
            self.add_error(None, error)
            return
        for name, problems in error.message_dict.items():
            known = PREFIX + name if PREFIX + name in self.fields else name
            self.add_error(known if known in self.fields else None, problems)  # type: ignore[arg-type]
