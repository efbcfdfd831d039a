"""The addresses of the room of statistics."""

from access.groups import DATA

ROWS: dict = {
    "statistics": ("get", (), {}, DATA),
    "statistics-rates": ("get", (), {}, DATA),
    "statistic": ("get", ("statistic",), {}, DATA),
    "place-statistics": ("get", ("outlet",), {}, DATA),
    "place-statistics-export": ("get", ("outlet",), {}, DATA),
    "statistics-api": ("get", (), {}, DATA),
    "statistics-api-one": ("get", ("statistic",), {}, DATA),
}


def known(world, arguments):
    """Make the statistic that the rows name, once."""
    if "statistic" not in arguments:
        return {}
    from statistic_rows import row

    from luming.telemetry.statistics.models import Statistic

    held = Statistic.objects.filter(place=world.outlet.pk, factor="a34013").first()
    if held is None:
        held = row(world.outlet, "a34013", "2026-05-01", 5.0)
        held.save()
    return {"statistic": held.pk}
