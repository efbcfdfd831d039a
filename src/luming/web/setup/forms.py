"""Forms of the first-run wizard; the rules are in the verbs."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from luming.core.roles import ADMINISTRATORS, ROLES
from luming.registry import city
from luming.web.forms import Styled


class TokenForm(Styled):
    """The one-time token."""

    token = forms.CharField(
        label=_("Setup token"),
        max_length=60,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autofocus": True, "spellcheck": "false"}),
    )


class CityForm(Styled):
    """The profile of the city."""

    profile = forms.ChoiceField(label=_("City profile"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(name, city.read(folder).text("name")) for name, folder in city.available().items()]
        self.fields["profile"].choices = choices  # type: ignore[attr-defined]


DEFAULTS = {"system-admin": "sysadmin", "security-admin": "secadmin", "audit-admin": "audadmin"}


class AdministratorsForm(Styled):
    """Username and name of each of the three."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for role in ADMINISTRATORS:
            self.fields[f"{role}-username"] = forms.CharField(
                label=_("Username"), max_length=40, initial=DEFAULTS[role]
            )
            self.fields[f"{role}-name"] = forms.CharField(label=_("Name of the person"), max_length=60)
        for field in self.fields.values():
            field.widget.attrs |= {"class": "form-control", "autocomplete": "off"}

    def rows(self) -> list[tuple[Any, Any, Any]]:
        """Return (role, username field, name field)."""
        return [(ROLES[role], self[f"{role}-username"], self[f"{role}-name"]) for role in ADMINISTRATORS]

    def people(self) -> dict[str, tuple[str, str]]:
        """Return role -> username and name."""
        values = self.cleaned_data
        return {role: (values[f"{role}-username"], values[f"{role}-name"]) for role in ADMINISTRATORS}


class GatewayForm(Styled):
    """Where the gateway listens."""

    host = forms.ChoiceField(
        label=_("Reachable from"),
        choices=[("0.0.0.0", _("the network: data loggers connect to it")), ("127.0.0.1", _("this machine only"))],
    )
    port = forms.IntegerField(label=_("Port"), help_text=_("9212 unless your loggers are set to another one."))


class BackupForm(Styled):
    """Where backups go."""

    folder = forms.CharField(
        label=_("Folder"), max_length=300, help_text=_("On this machine, best on another disk or a mounted share.")
    )
    keep = forms.IntegerField(label=_("Backups kept"), help_text=_("One is made every night."))
