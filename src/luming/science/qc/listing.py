"""The catalogue as a list for people and programs: Markdown (docs/reference/checks.md) and rows of a CSV."""

from __future__ import annotations

import math

from luming.science.qc import factors
from luming.science.qc.catalogue import catalogue, edition
from luming.science.qc.model import Check, Mark, Parameter, Severity

FAMILIES = {
    "GEN": ("通用", "of any series"),
    "AIR": ("环境空气", "of ambient air"),
    "GAS": ("废气", "of flue gas"),
    "WW": ("废水", "of waste water"),
    "WQ": ("水质", "of water quality"),
    "DEV": ("设备", "of devices"),
    "FRAUD": ("数据造假线索", "suspicions of fabrication"),
}
SEVERITIES = {
    Severity.INVALID: ("无效", "invalid"),
    Severity.SUSPECT: ("存疑", "suspect"),
    Severity.INFORM: ("提示", "inform"),
    Severity.SIGNAL: ("线索", "signal"),
}
MARKS = {
    Mark.VERIFIED: ("已核对原文", "verified"),
    Mark.SECONDARY: ("据转引", "secondary"),
    Mark.MEMORY: ("未核对", "memory"),
    Mark.METHOD: ("方法", "method"),
}
MEDIA = {"air": "环境空气", "water": "地表水", "sewage": "废水", "gas": "废气", "noise": "噪声"}

# Columns of the table of factors → heading; two columns are a range.
_COLUMNS = {
    "low high": "possible",
    "likely_low likely_high": "likely",
    "negative": "negative by noise",
    "detection": "detection",
    "cap": "cap",
    "stuck": "stuck, h",
    "spike": "spike",
    "spike_share": "spike, %",
    "outlier": "outlier",
    "outlier_share": "outlier, %",
    "rate": "rate, /h",
    "step": "step",
}

_HEAD = """\
# Checks

Generated from the catalogue by `tools/checks.py`; do not edit. `luming qc catalogue --format md` prints the same.
Edition `{edition}`, {count} checks.

**Severity** — *invalid*: a FAIL makes the value invalid, a SUSPECT keeps it out until a person has looked; *suspect*:
both keep it out until a person has looked; *inform*: the value counts, reviewers see the remark; *signal*: a suspicion
about a period for a person, which changes no value.

**Mark** — *verified*: the clause was read in the official text; *secondary*: read where another text quotes it;
*memory*: widely known and not read, so the number is configuration; *method*: no standard prescribes it.

Results are those of IOOS QARTOD: 1 pass, 2 unknown, 3 suspect, 4 fail, 9 missing. Every number is a parameter that a
series may have otherwise, with dates and a reason. A parameter without a unit has that of the factor, or none. Defaults
that differ by factor are in the [last table](#defaults-by-factor).

| code | check | severity | clause or method | mark |
|---|---|---|---|---|
"""


def rows() -> list[dict[str, str]]:
    """Return one row per check: code, titles, severity, media, source, mark, dates and parameters with defaults."""
    return [
        {
            "code": check.code,
            "title_zh": check.zh,
            "title_en": check.en,
            "severity": check.severity.value,
            "media": " ".join(medium for medium in MEDIA if medium in check.media),
            "source": check.source,
            "mark": check.mark.value,
            "since": check.since.isoformat(),
            "until": "" if check.until is None else check.until.isoformat(),
            "parameters": "; ".join(_parameter_text(parameter) for parameter in check.parameters),
        }
        for check in catalogue().values()
    ]


def markdown() -> str:
    """Return the reference page."""
    checks = catalogue()
    lines = [_HEAD.format(edition=edition(), count=len(checks))]
    lines += [
        f"| [{check.code}](#{check.code.lower()}) | {check.en}<br>{check.zh} | {check.severity} | {check.source} "
        f"| {check.mark} |\n"
        for check in checks.values()
    ]
    family = ""
    for check in checks.values():
        if check.family != family:
            family = check.family
            zh, en = FAMILIES.get(family, (family, family))
            lines.append(f"\n## {family}: {en} / {zh}\n")
        lines.append(_section(check))
    return "".join([*lines, _factor_tables()])


def _factor_tables() -> str:
    """Return the defaults by factor, one table per medium, in words of the checks that use them."""
    text = "\n## Defaults by factor\n\nThis product's, from `src/luming/science/qc/data/factors.csv` (*method*).\n"
    for medium, zh in MEDIA.items():
        rows = [row for (of, _), row in factors.table().items() if of == medium]
        text += f"\n### {medium} / {zh}\n\n| factor | unit |" + "".join(f" {title} |" for title in _COLUMNS.values())
        text += "\n|---|---|" + "---|" * len(_COLUMNS) + "\n"
        for row in rows:
            cells = [" to ".join(row[name] or "–" for name in key.split()) for key in _COLUMNS]
            text += f"| {row['factor']} | {row['unit'] or '–'} | " + " | ".join(cells) + " |\n"
    return text


def _section(check: Check) -> str:
    media = ", ".join(medium for medium in MEDIA if medium in check.media)
    dates = f"since {check.since}" + (f" until {check.until}" if check.until else "")
    text = f"\n### {check.code}\n\n**{check.en} / {check.zh}** — {check.severity}; {media}; {dates}.\n"
    text += f"{check.source} (*{check.mark}*).\n\n{check.explain_en}\n\n{check.explain_zh}\n"
    if check.parameters:
        text += "\n| parameter | default | unit | meaning | 含义 |\n|---|---|---|---|---|\n"
        text += "".join(
            f"| {p.name} | {_default_text(p)} | {p.unit or '–'} | {p.en} | {p.zh} |\n" for p in check.parameters
        )
    return text


def _parameter_text(parameter: Parameter) -> str:
    unit = f" {parameter.unit}" if parameter.unit else ""
    return f"{parameter.name}={_default_text(parameter)}{unit}"


def _default_text(parameter: Parameter) -> str:
    own = "by factor"
    if math.isfinite(parameter.default):
        return f"{parameter.default:g}" + (f", {own}" if parameter.by_factor else "")
    return own if parameter.by_factor else "none"
