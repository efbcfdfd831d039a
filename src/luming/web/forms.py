"""Forms of the shell; the rules are in the verbs, a form only reads what a person typed."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm
from django.utils.translation import gettext_lazy as _

from luming.core.models import Organisation, User
from luming.core.roles import ROLE_CHOICES, ROLES
from luming.registry.models import Device, Place, Region


class Styled(forms.Form):
    """Gives each field the classes of the look and an address for its help."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        for field in self.fields.values():
            kind = field.widget
            if isinstance(kind, forms.CheckboxInput):
                look = "form-check-input"
            elif isinstance(kind, forms.Select):
                look = "form-select"
            else:
                look = "form-control"
            kind.attrs["class"] = f"{kind.attrs.get('class', '')} {look}".strip()


class SignInForm(Styled, AuthenticationForm):
    """Username and password."""


class PasswordForm(Styled):
    """A change of one's own password."""

    old = forms.CharField(
        label=_("Present password"), strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "current-password"})
    )
    new = forms.CharField(
        label=_("New password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("At least 10 characters; not only digits; not a common password; not like your name."),
    )
    again = forms.CharField(
        label=_("New password again"), strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "new-password"})
    )

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_old(self) -> str:
        """Check the present password."""
        if not self.user.check_password(self.cleaned_data["old"]):
            raise forms.ValidationError(_("This is not your present password."))
        return str(self.cleaned_data["old"])

    def clean(self) -> dict[str, Any]:
        """Check that the new password was typed twice."""
        values: dict[str, Any] = super().clean() or {}
        if values.get("new") and values.get("again") and values["new"] != values["again"]:
            self.add_error("again", _("The two new passwords differ."))
        return values


class CodeForm(Styled):
    """A code of the second factor."""

    code = forms.CharField(
        label=_("Six digits or recovery code"),
        max_length=20,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "autofocus": True, "spellcheck": "false"}),
    )


class ConfirmForm(Styled):
    """The password once more, before something that weakens the account."""

    password = forms.CharField(
        label=_("Present password"), strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "current-password"})
    )


class UserForm(Styled):
    """A new account."""

    username = forms.CharField(label=_("Username"), max_length=40)
    name = forms.CharField(label=_("Name"), max_length=60)
    organisation = forms.ModelChoiceField(
        label=_("Organisation"), queryset=Organisation.objects.all(), required=False, empty_label=_("The bureau itself")
    )
    language = forms.ChoiceField(label=_("Language"), choices=[("zh-hans", "中文"), ("en", "English")])


class RoleForm(Styled):
    """Role and data scope of an account."""

    role = forms.ChoiceField(label=_("Role"), choices=ROLE_CHOICES)
    regions = forms.ModelMultipleChoiceField(
        label=_("Regions"),
        queryset=Region.objects.exclude(level__in=[Region.Level.PROVINCE, Region.Level.TOWNSHIP]),
        required=False,
        widget=forms.SelectMultiple(attrs={"size": 11}),
        help_text=_("None chosen means the whole city."),
    )
    organisation = forms.ModelChoiceField(label=_("Organisation"), queryset=Organisation.objects.all(), required=False)
    reason = forms.CharField(label=_("Reason"), max_length=200)


class PlaceFilter(Styled):
    """Filter of the list of places."""

    q = forms.CharField(required=False)
    kind = forms.ChoiceField(required=False)
    medium = forms.ChoiceField(required=False)
    region = forms.ChoiceField(required=False)
    state = forms.ChoiceField(required=False)


class AdoptForm(Styled):
    """Where an unregistered device belongs. The verb checks the rest."""

    name = forms.CharField(label=_("Name"), max_length=120, required=False)
    place = forms.ModelChoiceField(label=_("Place"), queryset=Place.objects.none())
    edition = forms.TypedChoiceField(
        label=_("Protocol edition"), coerce=int, choices=Device._meta.get_field("edition").choices
    )
    reason = forms.CharField(label=_("Reason"), max_length=200, required=False)

    def __init__(self, places: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["place"].queryset = places  # type: ignore[attr-defined]


class ReasonForm(Styled):
    """A reason for the audit trail."""

    reason = forms.CharField(label=_("Reason"), max_length=200)


def internal_roles() -> list[str]:
    """Return the roles whose holders work for the bureau."""
    return [role.key for role in ROLES.values() if role.internal]


def is_language(value: str) -> bool:
    """Tell whether the pages speak a language."""
    return value in dict(settings.LANGUAGES)
