"""The words that the map's scripts write; {n} and the like are filled in by the browser."""

from __future__ import annotations

from django.utils.translation import gettext as _


def texts() -> dict[str, str]:
    """Return the words in the reader's language."""
    return _page() | _tools() | _files() | {f"way-{i}": way for i, way in enumerate(_ways())}


def _ways() -> tuple[str, ...]:
    """Return the sixteen directions, clockwise from north."""
    return (
        _("N"), _("NNE"), _("NE"), _("ENE"), _("E"), _("ESE"), _("SE"), _("SSE"),
        _("S"), _("SSW"), _("SW"), _("WSW"), _("W"), _("WNW"), _("NW"), _("NNW"),
    )  # fmt: skip


def _page() -> dict[str, str]:
    return {
        "map": _("Map of the city"),
        "map-failed": _("The map could not be loaded. Check the connection and load the page again."),
        "no-webgl": _("This browser cannot draw the map (WebGL is off). The registers list the same places."),
        "failed": _("The server did not answer. Try again."),
        "signed-out": _("The session is over. Load the page again and sign in."),
        "layer-failed": _("This layer could not be loaded. Switch it off and on to try again."),
        "no-layer": _("No layer has this name."),
        "legend-of": _("Legend of {name}"),
        "timed": _("Has a history: follows the time slider"),
        "timed-short": _("history"),
        "now": _("Now"),
        "close": _("Close"),
        "zoom-in": _("Closer"),
        "zoom-out": _("Farther"),
        "in-view": _("{n} in view"),
        "nothing-in-view": _("Nothing of the layers shown lies in view. Move the map or show more layers."),
        "more-rows": _("The first {n} are listed."),
        "state": _("State"),
        "value": _("Value"),
        "period": _("Period from"),
        "since": _("In this state since"),
        "code": _("Code"),
        "layer": _("Layer"),
        "file": _("File"),
        "position": _("Position (CGCS2000)"),
        "open-page": _("Open the page"),
        "around": _("What is around it"),
        "inside": _("What is inside"),
        "upwind": _("Upwind of here"),
        "also-here": _("Also here"),
        "area-no-layer": _("Show at least one layer: what is counted are the layers that are shown."),
        "feature-gone": _("This place is not there any more, or outside your scope."),
        "copied": _("The link is copied."),
        "copy-yourself": _("The browser did not allow copying: press Ctrl+C."),
    }


def _tools() -> dict[str, str]:
    return {
        "draw-point": _("Click a point. By keyboard: arrow keys move the map, Enter takes the crosshair."),
        "draw-line": _("Click the corners; double click ends. By keyboard: arrow keys and Enter; Ctrl+Enter ends."),
        "draw-polygon": _("Click the corners; double click ends. By keyboard: arrow keys and Enter; Ctrl+Enter ends."),
        "draw-rectangle": _("Click two opposite corners. By keyboard: arrow keys and Enter."),
        "draw-circle": _("Click the centre, then the edge. By keyboard: arrow keys and Enter."),
        "more-points": _("More corners are needed."),
        "cancelled": _("Drawing was cancelled."),
        "area-empty": _(
            "Draw an area, type a circle, or choose a region. What lies inside the layers shown is counted."
        ),
        "inside-count": _("{n} inside {area}"),
        "no-point": _("Write longitude and latitude, such as 109.95, 40.62 or 109°57′00″E 40°37′12″N."),
        "no-radius": _("Write a distance in metres, up to 200,000."),
        "no-direction": _("Write the direction from which the wind blows, 0 to 360 degrees."),
        "no-angle": _("The half angle lies between 1 and 180 degrees."),
        "bearing": _("{n}° {way}"),
        "outline-length": _("Outline {n}"),
        "legs": _("Sections, with the direction at their beginning"),
        "upwind-count": _("{n} upwind ({way}) within {length}"),
        "wind-asked": _("Asking for the wind …"),
        "wind-none": _("No station in your scope measured the wind in the last three hours. Enter it by hand."),
        "wind-of": _("{distance} away, hour from {hour}."),
        "wind-calm": _("It was calm: the direction means little."),
        "wind-by-hand": _("Entered by hand."),
        "wind-of-link": _("From the link."),
    }


def _files() -> dict[str, str]:
    return {
        "file-added": _("{name}: {n} features shown."),
        "features": _("{n} features"),
        "zoom-to": _("Show"),
        "remove": _("Remove"),
        "remove-file": _("Remove {name}"),
        "too-many-files": _("No more than {n} files at once: remove one first."),
        "file-too-large": _("The file is larger than {n} MB. Cut or simplify it."),
        "file-too-detailed": _("The file has more than {n} points. Simplify it."),
        "file-kmz": _("KMZ is a packed KML: unpack it and take the .kml file inside."),
        "file-unknown": _("This is neither GeoJSON nor KML."),
        "file-xml": _("The KML is no well-formed XML."),
        "file-entities": _("The KML declares entities (DOCTYPE); such files are not read."),
        "file-crs": _("The coordinates are in {name}. Export the file in WGS-84 or CGCS2000 longitude and latitude."),
        "file-projected": _(
            "The coordinates are not degrees. Export the file in WGS-84 or CGCS2000 longitude and latitude."
        ),
        "file-empty": _("The file holds nothing that can be drawn."),
        "file-unreadable": _("The file could not be read."),
    }
