"""What the verbs and actors of the audit trail are called on pages; the trail itself keeps their codes."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from luming.core import manifest

SYSTEM = "system"  # the actor that is the platform itself (luming.core.audit)

# The last part of a verb, alike for every record.
WHATS: dict[str, Any] = {
    "create": gettext_lazy("Made"),
    "change": gettext_lazy("Changed"),
    "delete": gettext_lazy("Deleted"),
    "restore": gettext_lazy("Brought back"),
    "attach": gettext_lazy("File kept"),
    "detach": gettext_lazy("File removed"),
    "reattach": gettext_lazy("File brought back"),
    "note": gettext_lazy("Remark written"),
    "unnote": gettext_lazy("Remark taken back"),
    "tag": gettext_lazy("Tag added"),
    "untag": gettext_lazy("Tag removed"),
    "export": gettext_lazy("Exported"),
    "write": gettext_lazy("Written"),
    "publish": gettext_lazy("Published"),
    "withdraw": gettext_lazy("Withdrawn"),
    "start": gettext_lazy("Started"),
    "cancel": gettext_lazy("Cancelled"),
}
# Verbs with words of their own.
VERBS: dict[str, Any] = {
    "account.change-password": gettext_lazy("The own password was changed"),
    "account.language": gettext_lazy("The language of the pages was chosen"),
    "account.recovery-code-used": gettext_lazy("A recovery code was used"),
    "account.recovery-codes": gettext_lazy("New recovery codes were made"),
    "account.second-factor-enrol": gettext_lazy("A second factor was enrolled"),
    "account.second-factor-remove": gettext_lazy("The second factor was removed"),
    "account.second-factor-wrong": gettext_lazy("Wrong codes of the second factor"),
    "backup.make": gettext_lazy("A backup was made"),
    "city.load": gettext_lazy("The city's profile was loaded"),
    "demo.load": gettext_lazy("Demonstration data was loaded"),
    "device.adopt": gettext_lazy("A device was adopted"),
    "device.cancel-command": gettext_lazy("A command was cancelled"),
    "device.command": gettext_lazy("A command was sent to a device"),
    "device.dismiss": gettext_lazy("An unregistered device was dismissed"),
    "device.follow-command": gettext_lazy("The register followed a command to the device"),
    "device.set-key": gettext_lazy("The key of a device was set"),
    "evidence.issue": gettext_lazy("An evidence sheet was issued"),
    "factor.map": gettext_lazy("A code as sent was mapped to a factor"),
    "job.retry": gettext_lazy("A failed job was started again"),
    "mark.confirm": gettext_lazy("A mark was confirmed"),
    "mark.make": gettext_lazy("A period was marked"),
    "mark.refuse": gettext_lazy("A mark was refused"),
    "mark.reopen": gettext_lazy("The decision about a mark was taken back"),
    "mark.withdraw": gettext_lazy("A mark was withdrawn"),
    "packet.release": gettext_lazy("Held packets were released"),
    "place.import": gettext_lazy("Places were imported"),
    "quality.end": gettext_lazy("A setting of a quality check was given a last day"),
    "quality.set": gettext_lazy("A quality check was set otherwise"),
    "sample.analysed": gettext_lazy("The analysis of a sample was signed"),
    "sample.disposed": gettext_lazy("The disposal of a sample was signed"),
    "sample.handed": gettext_lazy("The handing over of a sample was signed"),
    "sample.issue": gettext_lazy("A sample of a plan was numbered"),
    "sample.not-taken": gettext_lazy("It was signed that a sample could not be taken"),
    "sample.received": gettext_lazy("The receipt of a sample was signed"),
    "sample.rejected": gettext_lazy("The rejection of a sample was signed"),
    "sample.result": gettext_lazy("A result of a sample was entered"),
    "sample.review": gettext_lazy("A result of a sample was reviewed"),
    "sample.stored": gettext_lazy("The storing of a sample was signed"),
    "sample.taken": gettext_lazy("The taking of a sample was signed"),
    "review.answer": gettext_lazy("A question on data was answered"),
    "review.ask": gettext_lazy("A question on data was asked"),
    "review.countersign": gettext_lazy("A review was signed by a second person"),
    "review.discard": gettext_lazy("Drafts of a review were taken back"),
    "review.draft": gettext_lazy("A review was drafted"),
    "review.open": gettext_lazy("A day was looked at for review"),
    "review.reopen": gettext_lazy("A reviewed day was opened again"),
    "review.send-back": gettext_lazy("A review was sent back by the second person"),
    "review.submit": gettext_lazy("A day of data was reviewed and signed"),
    "setup.administrators": gettext_lazy("First run: administrators"),
    "setup.backup": gettext_lazy("First run: backup"),
    "setup.city": gettext_lazy("First run: city"),
    "setup.gateway": gettext_lazy("First run: gateway"),
    "setup.stations": gettext_lazy("First run: stations"),
    "suspicion.acknowledge": gettext_lazy("A suspicion of fabricated data was taken up"),
    "suspicion.dismiss": gettext_lazy("A suspicion of fabricated data was dismissed"),
    "suspicion.reopen": gettext_lazy("A suspicion of fabricated data was opened again"),
    "user.activate": gettext_lazy("An account was switched on"),
    "user.assign-role": gettext_lazy("A role and scope were assigned"),
    "user.create": gettext_lazy("An account was made"),
    "user.deactivate": gettext_lazy("An account was switched off"),
    "user.reset-password": gettext_lazy("A password was reset"),
    "user.reset-second-factor": gettext_lazy("A second factor was reset"),
    "view.delete": gettext_lazy("A saved view was deleted"),
    "view.save": gettext_lazy("A view was saved"),
}


def actor(name: str) -> str:
    """Return what a page calls an actor: the name as it was then, or the platform itself."""
    return _("The platform") if name == SYSTEM else name


def verb(code: str) -> str:
    """Return the words of a verb such as ``limit.create``; a third party's own verb stays a code."""
    if code in VERBS:
        return str(VERBS[code])
    name, _dot, what = code.rpartition(".")
    if what not in WHATS:
        return code
    return f"{_record(name)}: {WHATS[what]}" if name else str(WHATS[what])


def _record(name: str) -> str:
    """Return what a verb's first part is called: the key of a register, or a model's name."""
    register = manifest.register(name)
    if register is not None:
        return str(register.title)
    for model in apps.get_models():
        if model._meta.model_name == name:
            return str(model._meta.verbose_name)
    return name
