"""``luming gateway``: receive HJ 212 packets over TCP."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import logging
import os
import signal
import subprocess
import sys
import time

log = logging.getLogger("luming.gateway")

RESTART_SECONDS = 1.0


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``luming gateway``."""
    parser.add_argument("--host", help="address to listen on / 监听地址 (LUMING_GATEWAY_HOST)")
    parser.add_argument("--port", type=int, help="port to listen on / 监听端口 (LUMING_GATEWAY_PORT)")
    parser.add_argument(
        "--metrics-port",
        type=int,
        help="port of /metrics and /healthz; process n uses port + n; -1: none / 指标端口",
    )
    parser.add_argument("--metrics-host", help="address of /metrics and /healthz (127.0.0.1) / 指标监听地址")
    parser.add_argument("--processes", type=int, default=1, help="processes side by side on one port / 进程数")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the gateway until it is told to stop (SIGTERM, Ctrl-C)."""
    if args.processes < 1:
        print("--processes: at least 1 / 至少 1 个进程", file=sys.stderr)
        return 2
    if args.processes > 1:
        return _supervise(args)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "luming.web.settings")
    import django

    django.setup()
    from luming.telemetry.gateway.server import Options

    given = {
        "host": args.host,
        "port": args.port,
        "metrics_host": args.metrics_host,
        "metrics_port": args.metrics_port,
    }
    options = Options(**{name: value for name, value in given.items() if value is not None})
    try:
        import uvloop

        loop_factory = uvloop.new_event_loop
    except ImportError:  # a platform without it
        loop_factory = None
    _tune()
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        return runner.run(serve(options))


def _tune() -> None:
    """Fit the interpreter to the work: short-lived objects in masses, and a writing thread that must not wait long.

    The collector looks at what is new after 700 objects by default, and at everything soon after; packets make no
    cycles. The writing thread waits for its turn after each of its dozen round trips to the database.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)
    sys.setswitchinterval(0.0005)


async def serve(options: object) -> int:
    """Start a gateway, wait for a signal, stop it; returns the exit code."""
    from django.db import DatabaseError

    from luming.telemetry import store
    from luming.telemetry.gateway.server import Gateway

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    gateway = Gateway(options)  # type: ignore[arg-type]
    while not stop.is_set():
        try:
            await gateway.start()
            break
        except (store.StoreUnavailable, DatabaseError) as error:
            log.error("waiting for the database: %s", str(error).strip().splitlines()[0])
            gateway = Gateway(options)  # type: ignore[arg-type]
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), 2)
        except OSError as error:
            log.error("cannot listen: %s / 无法监听端口", error)
            return 1
    else:
        return 0
    print(f"gateway: {gateway.options.host}:{gateway.port}, metrics: {gateway.metrics_port}", flush=True)
    await stop.wait()
    return 0 if await gateway.stop() else 1


def _supervise(args: argparse.Namespace) -> int:
    """Run several processes on one port (SO_REUSEPORT); one that dies is started again."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "luming.web.settings")
    from django.conf import settings

    stopping = False

    def stop(_number: int, _frame: object) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    metrics_port = settings.GATEWAY_METRICS_PORT if args.metrics_port is None else args.metrics_port
    commands = []
    for number in range(args.processes):
        command = [sys.executable, "-m", "luming", "gateway"]
        command += ["--metrics-port", str(metrics_port + number if metrics_port >= 0 else -1)]
        for name in ("host", "port", "metrics_host"):
            if (value := getattr(args, name)) is not None:
                command += ["--" + name.replace("_", "-"), str(value)]
        commands.append(command)
    children = [subprocess.Popen(command) for command in commands]
    while not stopping:
        time.sleep(0.2)
        for number, child in enumerate(children):
            if child.poll() is not None and not stopping:
                log.error("gateway process %s ended with %s, starting it again", number, child.returncode)
                time.sleep(RESTART_SECONDS)
                children[number] = subprocess.Popen(commands[number])
    for child in children:
        child.terminate()
    return max(abs(child.wait()) for child in children)
