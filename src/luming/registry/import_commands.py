"""``luming import``: import facilities, outlets, stations, devices, series, limits and aliases from a file."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from luming.registry import commands


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``luming import``."""
    parser.add_argument("file", nargs="?", type=Path, help="an Excel workbook or a CSV file / 文件")
    parser.add_argument("--template", type=Path, metavar="OUT.xlsx", help="write a workbook to fill in / 生成模板")
    parser.add_argument("--dry-run", action="store_true", help="only say what would happen / 只检查不导入")
    parser.add_argument("--errors", type=Path, metavar="OUT.csv", help="write what is wrong as CSV too / 错误清单")
    parser.add_argument("--reason", default="", help="kept in the audit trail / 事由")
    parser.add_argument("--language", choices=["zh-hans", "en"], default="zh-hans", help="of messages / 语言")
    parser.set_defaults(run=commands.run, action=run)


def run(args: argparse.Namespace) -> int:
    """Write the template, import the file, or both; exit code 0 done, 1 faulty rows, 2 no such file."""
    from django.utils import translation

    with translation.override(args.language):
        if args.template:
            return _template(args)
        if args.file is None:
            print("name a file, or --template OUT.xlsx / 请指定文件，或用 --template 生成模板", file=sys.stderr)
            return 2
        return _import(args)


def _template(args: argparse.Namespace) -> int:
    from luming.registry.importing import template

    args.template.write_bytes(template())
    print(args.template)
    return 0


def _import(args: argparse.Namespace) -> int:
    from django.utils.translation import gettext as _

    from luming.registry.importing import TABLES, import_places
    from luming.registry.problems import write_csv

    if not args.file.is_file():
        print(f"{args.file}: no such file / 文件不存在", file=sys.stderr)
        return 2
    report = import_places(None, args.file, args.dry_run, reason=args.reason)
    for problem in [*report.warnings, *report.problems]:
        print(problem, file=sys.stderr)
    if args.errors:
        write_csv([*report.problems, *report.warnings], args.errors)
    if report.problems:
        print(_("%(count)d problems; nothing was imported.") % {"count": len(report.problems)}, file=sys.stderr)
        return 1
    report.print({table.name: table.label for table in TABLES})
    print(_("Imported.") if report.applied else _("Dry run: nothing was imported."))
    return 0
