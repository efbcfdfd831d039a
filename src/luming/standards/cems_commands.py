"""``luming cems``: flue gas in files converted to the standard state, dry gas and reference oxygen; amounts."""

from __future__ import annotations

import argparse

import numpy as np
import polars as pl

from luming.standards import cems
from luming.standards._cells import concentration
from luming.standards._files import FileError, Table, add_file_arguments, run_on_file
from luming.standards.emission import MOLAR_MASS
from luming.standards.results import FloatArray

FACTORS = ("pm", *MOLAR_MASS)
LOWEST_PRESSURE = -50_000.0  # Pa: flue gas is below the atmosphere, but never by half of it

_DESCRIPTION = """\
烟气换算（HJ 212-2017 附录 D）：标态、干基、基准氧含量折算、标干流量、小时排放量。
输入列（有则用）：{names}；o2 含氧量 %，temp 烟温 ℃，static_pressure 静压 Pa，atmosphere 大气压 Pa，
moisture 含湿量 %，velocity 流速 m/s 或 flow 标干流量 m³/h。输出增加 <因子>_dry、<因子>_converted（--o2-ref）、
held（含氧量达到上限，折算按上限）、dry_flow、<因子>_kg（按实测标干浓度，时段为一小时）。
有 no 和 no2 而无 nox 时另算 nox（以 NO2 计）。
Concentrations are mg/m³ unless named in --ppm; amounts are of one hour and use the measured dry concentration."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add ``luming cems convert``."""
    commands = parser.add_subparsers(dest="cems_command", metavar="COMMAND", required=True)
    convert = commands.add_parser(
        "convert",
        help="add dry and converted concentrations and amounts / 标干、折算浓度和排放量",
        description=_DESCRIPTION.format(names=" ".join(FACTORS)),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_file_arguments(convert)
    convert.add_argument(
        "--o2-ref", type=float, metavar="PERCENT", help="reference oxygen of the standard / 基准氧含量"
    )
    convert.add_argument(
        "--o2-cap",
        type=float,
        metavar="PERCENT",
        default=cems.OXYGEN_CAP,
        help="oxygen from which the conversion is held, below 21 (default: 20, our choice) / 折算含氧量上限",
    )
    convert.add_argument("--o2-wet", action="store_true", help="oxygen was measured in wet gas / 含氧量为湿基")
    convert.add_argument("--ppm", metavar="NAMES", type=_names, default=(), help="columns in µmol/mol / 体积浓度列")
    convert.add_argument("--wet", action="store_true", help="concentrations are of wet gas / 浓度为湿基")
    convert.add_argument("--actual", action="store_true", help="mg/m³ are at the actual state / 浓度为工况")
    convert.add_argument("--area", type=float, metavar="M2", help="area of the section, with velocity / 断面面积")
    convert.set_defaults(run=run_convert)


def run_convert(args: argparse.Namespace) -> int:
    """Run ``luming cems convert``; 0 when written, 1 when the input has errors."""
    return run_on_file(args, lambda table: convert_table(table, args))


def convert_table(table: Table, args: argparse.Namespace) -> dict[str, pl.Series]:
    """Return the columns to add to a table; bad cells go to ``table.problems``."""
    factors = [factor for factor in FACTORS if table.find(factor) is not None]
    if not factors:
        raise FileError(
            f"没有浓度列；可用：{' '.join(FACTORS)}；文件里有：{', '.join(table.frame.columns)}\n"
            "no column is a concentration of flue gas"
        )
    _require_state(table, args)
    gas = _gas(table, args)
    values = table.numbers(factors, concentration)
    flow = _flow(table, args, gas)
    results = {
        factor: cems.convert(
            values[factor], gas, factor=factor, o2_ref=args.o2_ref, ppm=factor in args.ppm,
            standard=not args.actual, wet=args.wet, o2_cap=args.o2_cap,
        )
        for factor in factors
    }  # fmt: skip
    if "nox" not in results and "no" in results and "no2" in results:
        results["nox"] = cems.nox_of(results["no"], results["no2"])
    added: dict[str, pl.Series] = {}
    held = np.zeros(table.frame.height, dtype=np.bool_)
    for factor, result in results.items():
        added[f"{factor}_dry"] = _column(result.dry)
        if args.o2_ref is not None:
            added[f"{factor}_converted"] = _column(result.converted)
        if flow is not None:
            added[f"{factor}_kg"] = _column(cems.amount(result.dry, flow))
        held |= result.held
    if flow is not None and table.find("velocity") is not None:
        added["dry_flow"] = _column(flow)
    if args.o2_ref is not None:
        added["held"] = pl.Series(held)
    return added


def _require_state(table: Table, args: argparse.Namespace) -> None:
    """Refuse to convert with a state of the gas that is not in the file."""
    if not 0 <= args.o2_cap < 21 or (args.o2_ref is not None and not 0 <= args.o2_ref < 21):
        raise FileError("含氧量须在 0 与 21 之间 / oxygen contents lie between 0 and 21 %")
    unknown = [name for name in args.ppm if name not in MOLAR_MASS]
    if unknown:
        raise FileError(
            f"--ppm 只用于有摩尔质量的气体：{' '.join(MOLAR_MASS)} / no molar mass is known of {', '.join(unknown)}"
        )
    if args.o2_ref is not None:
        table.require(["o2"], "折算需要含氧量")
    if args.wet or args.o2_wet:
        table.require(["moisture"], "湿基换算需要含湿量")
    velocity = table.find("velocity") is not None and args.area is not None
    if args.actual or velocity:
        table.require(["temp", "static_pressure", "atmosphere"], "工况换算需要烟温、静压和大气压")
    if velocity:
        table.require(["moisture"], "标干流量需要含湿量")


def _gas(table: Table, args: argparse.Namespace) -> cems.FlueGas:
    present = [name for name in ("temp", "static_pressure", "atmosphere", "moisture", "o2") if table.find(name)]
    state = table.numbers(present, concentration, {"moisture": 99.9, "o2": 25.0}, lowest=LOWEST_PRESSURE)
    return cems.FlueGas(
        temperature=state.get("temp", 0.0),
        static_pressure=state.get("static_pressure", 0.0),
        atmosphere=state.get("atmosphere", 101_325.0),
        moisture=state["moisture"] / 100 if "moisture" in state else 0.0,
        oxygen=state.get("o2", np.nan),
        oxygen_wet=args.o2_wet,
    )


def _flow(table: Table, args: argparse.Namespace, gas: cems.FlueGas) -> FloatArray | None:
    if table.find("velocity") is not None and args.area is not None:
        velocity = table.numbers(["velocity"], concentration)["velocity"]
        return cems.dry_flow(gas, velocity=velocity, area=args.area)
    if table.find("flow") is not None:
        return table.numbers(["flow"], concentration)["flow"]
    return None


def _column(values: FloatArray) -> pl.Series:
    return pl.Series(np.asarray(values, dtype=np.float64)).fill_nan(None)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip().lower() for name in text.split(",") if name.strip())
