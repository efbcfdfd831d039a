"""Manifest of the disclosure domain."""

from django.utils.translation import gettext_lazy as _

from luming.core.manifest import DomainConfig, NavigationItem


class DisclosureConfig(DomainConfig):
    """What the disclosure domain adds to the product."""

    name = "luming.domains.disclosure"
    label = "disclosure"

    def ready(self) -> None:
        """Name the hooks; their modules need the loaded models."""
        from luming.domains.disclosure import home, registers, sections

        self.registers = registers.REGISTERS
        self.concerns = home.CONCERNS
        self.public_sections, self.portal_sections = sections.PUBLIC_SECTIONS, sections.PORTAL_SECTIONS
        self.navigation = [
            NavigationItem(
                _("Announcements"), "register", "speakerphone", "announcement.edit", "outside", 10, ("announcements",)
            ),
            NavigationItem(_("Public site"), "public", "world", "announcement.edit", "outside", 20),
        ]
