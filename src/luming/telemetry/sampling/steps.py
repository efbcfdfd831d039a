"""The steps of custody: which may follow which, and what each must say."""

from __future__ import annotations

from luming.telemetry.sampling.models import CustodyEvent, Sample

Kind, State = CustodyEvent.Kind, Sample.State

# State → what may be done next, the usual step first.
NEXT: dict[str, tuple[Kind, ...]] = {
    State.PLANNED: (Kind.TAKEN, Kind.NOT_TAKEN),
    State.TAKEN: (Kind.HANDED, Kind.RECEIVED, Kind.ANALYSED, Kind.REJECTED),  # analysed on site: temperature, pH
    State.HANDED: (Kind.RECEIVED, Kind.HANDED, Kind.REJECTED),
    State.RECEIVED: (Kind.ANALYSED, Kind.STORED, Kind.REJECTED),
    State.STORED: (Kind.ANALYSED, Kind.HANDED, Kind.DISPOSED),
    State.ANALYSED: (Kind.DISPOSED, Kind.STORED, Kind.ANALYSED),
    State.REJECTED: (Kind.DISPOSED,),
    State.DISPOSED: (),
    State.NOT_TAKEN: (),
}
EXPLAINED = frozenset({Kind.REJECTED, Kind.NOT_TAKEN})  # must say why
NAMES_WHOM = frozenset({Kind.HANDED, Kind.RECEIVED})  # must say from or to whom
# Where a result may be entered: the sample exists and was not rejected.
ANALYSABLE = frozenset({State.TAKEN, State.HANDED, State.RECEIVED, State.STORED, State.ANALYSED, State.DISPOSED})
"""States in which results may be entered."""
WAITING = frozenset({State.TAKEN, State.HANDED, State.RECEIVED, State.STORED})  # the holding time runs
