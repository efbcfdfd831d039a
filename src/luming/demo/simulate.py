"""``luming simulate``: the demonstration fleet as a crowd of HJ 212 data loggers in one process."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import signal
from collections import Counter
from collections.abc import Sequence

from luming.demo import fleet
from luming.demo.logger import SimulatedLogger

log = logging.getLogger("luming.simulate")
REPORT_SECONDS = 300


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``luming simulate``."""
    parser.add_argument("--host", default="127.0.0.1", help="of the gateway / 接收网关地址")
    parser.add_argument(
        "--port", type=int, default=int(os.environ.get("LUMING_GATEWAY_PORT", "9212")), help="of the gateway / 端口"
    )
    parser.add_argument("--seed", type=int, default=fleet.SEED, help="of the fleet; must be the one that was loaded")
    parser.add_argument(
        "--speed", type=float, default=1.0, help="real-time packets per minute and logger / 每台每分钟实时报文数"
    )
    parser.add_argument("--only", nargs="*", metavar="CODE", help="codes of places; all by default / 仅模拟这些点位")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Drive the fleet until interrupted."""
    if not 0 < args.speed <= 60:
        print("--speed is more than 0 and at most 60 / --speed 应大于0且不超过60")
        return 2
    loggers = fleet.describe(args.seed).loggers
    if args.only:
        unknown = sorted(set(args.only) - {logger.site.code for logger in loggers})
        if unknown:
            print(f"no such place in the fleet: {', '.join(unknown)} / 没有这些点位")
            return 2
        loggers = tuple(logger for logger in loggers if logger.site.code in args.only)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("luming.hj212").setLevel(logging.WARNING)
    crowd = [SimulatedLogger(logger, args.host, args.port, speed=args.speed) for logger in loggers]
    log.info("%d loggers speak to %s:%d / %d 台数采仪开始上报", len(crowd), args.host, args.port, len(crowd))
    asyncio.run(drive(crowd))
    log.info("stopped: %s / 已停止", summary(crowd))
    return 0


async def drive(crowd: Sequence[SimulatedLogger]) -> None:
    """Run all loggers until SIGINT or SIGTERM."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # Windows
            loop.add_signal_handler(number, stop.set)
    tasks = [asyncio.create_task(logger.run(), name=logger.logger.site.code) for logger in crowd]
    tasks.append(asyncio.create_task(_report(crowd)))
    stopping = asyncio.create_task(stop.wait())
    try:
        done, _ = await asyncio.wait([*tasks, stopping], return_when=asyncio.FIRST_COMPLETED)
        for task in done - {stopping}:
            task.result()  # a logger ends only by an error: let it be seen
    finally:
        stopping.cancel()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, stopping, return_exceptions=True)


async def _report(crowd: Sequence[SimulatedLogger]) -> None:
    while True:
        await asyncio.sleep(REPORT_SECONDS)
        log.info("%s", summary(crowd))


def summary(crowd: Sequence[SimulatedLogger]) -> str:
    """Return one line on how the fleet is doing."""
    counts: Counter[str] = Counter()
    for logger in crowd:
        counts += logger.counts
    connected = sum(logger.client.connected for logger in crowd)
    figures = ", ".join(f"{count} {name}" for name, count in sorted(counts.items())) or "nothing sent"
    return f"{connected}/{len(crowd)} connected; {figures}"
