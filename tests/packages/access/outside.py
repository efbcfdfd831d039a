"""The addresses of portal, public site, second factor and first run."""

from access.groups import EVERYONE, PUBLIC

SYSTEM = frozenset({"system-admin"})
PORTAL = frozenset({"enterprise", "maintainer"})

ROWS: dict = {
    "public": ("get", (), {}, PUBLIC),
    "public-front": ("get", ("zh",), {}, PUBLIC),
    "public-section": ("get", ("en", "air"), {}, PUBLIC),
    "public-item": ("get", ("zh", "air", "S1"), {}, PUBLIC),
    "public-csv": ("get", ("zh", "air", "S1/30"), {}, PUBLIC),
    "portal": ("get", (), {}, PORTAL),
    "portal-section": ("get", ("transmission",), {}, PORTAL),
    "portal-item": ("get", ("dummy-visits", "1"), {}, PORTAL),
    "help": ("get", ("help/home",), {}, EVERYONE),
    "setup": ("get", (), {}, PUBLIC),
    "setup-city": ("get", (), {}, PUBLIC),
    "setup-administrators": ("get", (), {}, PUBLIC),
    "setup-stations": ("get", (), {}, SYSTEM),
    "setup-template": ("get", (), {}, SYSTEM),
    "setup-gateway": ("get", (), {}, SYSTEM),
    "setup-backup": ("get", (), {}, SYSTEM),
    "setup-summary": ("get", (), {}, SYSTEM),
    "system-backup": ("post", (), {}, SYSTEM),
    "system-retry": ("post", ("failed-job",), {}, SYSTEM),
    "second-factor": ("get", (), {}, EVERYONE),
    "second-factor-enrol": ("get", (), {}, EVERYONE),
    "second-factor-codes": ("get", (), {}, EVERYONE),
    "second-factor-remove": ("get", (), {}, EVERYONE),
    "second-factor-reset": ("post", ("account",), {"reason": "a test"}, {"security-admin"}),
}


def failed_job() -> int:
    """Leave a failed job in the queue; return its number."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, args, status)"
            " VALUES ('default', 'luming.core.backup_jobs.now', '{}', 'failed') RETURNING id"
        )
        return cursor.fetchone()[0]
