"""The one console command, ``luming``.

Each sub-command lives in the ``commands.py`` of its room and is imported only when it is called, so that
``luming hj212 decode`` starts without Django. A command module offers ``configure(parser)``, which adds its arguments
and sets ``run`` (``args -> exit code``) with ``parser.set_defaults(run=...)``.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

from luming import __version__

# name -> (module, what it does)
COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("luming.ops.demo", "run everything on this machine with a simulated fleet / 演示"),
    "serve": ("luming.ops.serve", "run the web pages / 网页服务"),
    "gateway": ("luming.telemetry.gateway.commands", "receive HJ 212 packets over TCP / 接收网关"),
    "worker": ("luming.ops.worker", "run background jobs / 后台任务"),
    "simulate": ("luming.demo.simulate", "drive a simulated fleet of data loggers / 模拟数采仪"),
    "replay": ("luming.demo.replay", "speak HJ 212 from a CSV file / 回放文件"),
    "hj212": ("luming.hj212.commands", "decode, encode and explain HJ 212 packets / 报文工具"),
    "air": ("luming.standards.air_commands", "air quality index from files / 空气质量指数"),
    "water": ("luming.standards.water_commands", "surface water class from files / 地表水类别"),
    "qc": ("luming.telemetry.qc_commands", "check the values of a file, list the checks / 数据质量检查"),
    "stats": ("luming.standards.stats_commands", "hours, days, months, years from files / 统计值"),
    "cems": ("luming.standards.cems_commands", "convert readings of flue gas in files / 烟气折算"),
    "permitting": ("luming.domains.permitting.commands", "compute daily emissions again / 重算日排放量"),
    "statistics": ("luming.telemetry.statistics.commands", "compute statistics again / 重算统计值"),
    "city": ("luming.registry.commands", "load a city profile / 城市配置"),
    "import": ("luming.registry.import_commands", "import places from Excel or CSV / 导入点位"),
    "verify": ("luming.telemetry.evidence.commands", "compare stored records with their hash trees / 验证数据完整性"),
    "start": ("luming.ops.start", "run the installation: database, pages, gateway, worker / 启动全部服务"),
    "setup-token": ("luming.core.setup_commands", "print the token of the first-run wizard / 初始设置令牌"),
    "backup": ("luming.ops.backup", "back up database and files / 备份"),
    "restore": ("luming.ops.restore", "restore a backup / 恢复备份"),
    "migrate": ("luming.ops.migrate", "bring the database to this version / 迁移数据库"),
    "manage": ("luming.ops.manage", "Django's own management commands / 管理命令"),
    "user": ("luming.core.commands", "create users and one-time passwords / 用户"),
    "search": ("luming.core.search_commands", "build the search index anew / 重建搜索索引"),
    "doctor": ("luming.ops.doctor", "say what is wrong with this installation and how to mend it / 体检"),
}


def build_parser(selected: str | None) -> argparse.ArgumentParser:
    """Build the parser; only the selected command's module is imported."""
    parser = argparse.ArgumentParser(prog="luming", description="鹿鸣 Luming 生态环境数智管理系统")
    parser.add_argument("--version", action="version", version=f"luming {__version__}")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, (module, text) in COMMANDS.items():
        sub = subparsers.add_parser(name, help=text, description=text)
        if name == selected:
            importlib.import_module(module).configure(sub)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``luming``; returns the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    selected = next((word for word in arguments if not word.startswith("-")), None)
    args = build_parser(selected).parse_args(arguments)
    try:
        return int(args.run(args) or 0)
    except BrokenPipeError:  # `luming … | head` is not an error
        sys.stderr.close()
        return 0
    except KeyboardInterrupt:
        return 130
