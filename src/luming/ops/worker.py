"""``luming worker``: background jobs, kept in PostgreSQL by procrastinate."""

from __future__ import annotations

import argparse
import asyncio
import os


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``luming worker``."""
    parser.add_argument("--concurrency", type=int, default=2, help="jobs at the same time")
    parser.add_argument(
        "--metrics-port", type=int, default=int(os.environ.get("LUMING_WORKER_METRICS_PORT", "9214")), help="0 for none"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Work until stopped; a job under way is finished first."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "luming.web.settings")
    import django

    django.setup()
    from procrastinate.contrib.django import app

    from luming.ops.health import serve_health

    if args.metrics_port:
        serve_health(args.metrics_port)
    worker_app = app.with_connector(app.connector.get_worker_connector())
    asyncio.run(_work(worker_app, args.concurrency))
    return 0


async def _work(worker_app: object, concurrency: int) -> None:
    async with worker_app.open_async():  # type: ignore[attr-defined]
        await worker_app.run_worker_async(  # type: ignore[attr-defined]
            concurrency=concurrency,
            delete_jobs="successful",
            shutdown_graceful_timeout=20,
            fetch_job_polling_interval=2,
        )
