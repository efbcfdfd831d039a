"""What the engine of registers adds to the manifest of the web."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from luming.core.manifest import NavigationItem, Work, registers
from luming.web.registers import exporting, import_views

# The manifest of the web is read last: by then all others have named their registers.
NAVIGATION: list[NavigationItem] = [
    NavigationItem(_("All registers"), "registers", "books", "data.view", "register", 5),
    *(
        NavigationItem(
            register.title, "register", register.icon, register.view, "register", register.order, (register.key,)
        )
        for register in registers()
        if register.menu
    ),
]
WORKS: list[Work] = [
    Work(exporting.WORK, _("Export of a register"), exporting.run),
    Work(import_views.WORK, _("Import into a register"), import_views.run),
]
