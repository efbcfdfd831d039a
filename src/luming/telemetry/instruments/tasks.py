"""Jobs of instruments, run by ``luming worker`` (procrastinate finds them by the module's name)."""

from __future__ import annotations

from procrastinate.contrib.django import app

from luming.telemetry.instruments import health, wire


@app.periodic(cron="* * * * *")
@app.task(queueing_lock="instruments-wire", lock="instruments-wire", pass_context=False)
def read_wire(timestamp: int) -> int:
    """Read what devices told of themselves since the last time."""
    return wire.read()


@app.periodic(cron="* * * * *")
@app.task(queueing_lock="instruments-health", lock="instruments-health", pass_context=False)
def compute_health(timestamp: int) -> int:
    """Compute the health of the noted days."""
    return health.run()


@app.periodic(cron="3-59/10 * * * *")
@app.task(queueing_lock="instruments-recent", lock="instruments-recent", pass_context=False)
def note_recent_health(timestamp: int) -> None:
    """Note today and yesterday of all places: what is expected of them grows with the clock."""
    health.note_recent()
