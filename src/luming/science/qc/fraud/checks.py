"""The family in the catalogue: code, names, method, parameters, and what a person should look at."""

from __future__ import annotations

from collections.abc import Callable

from luming.science.qc.fraud import distribution, level, repetition, response
from luming.science.qc.model import Check, Mark, Parameter, Severity, Window

MEDIA = frozenset({"air", "water", "gas", "sewage"})
DISCHARGE = frozenset({"gas", "sewage"})
YEAR = 366 * 86_400.0  # these tests look at months: the more, the better they know the series
# What blows from everywhere, or is set by people: no suspicion hangs on it.
WEATHER = frozenset({"ws", "wd", "temp", "rh", "pres", "rain"})


def _alpha(default: float) -> Parameter:
    return Parameter("alpha", default, "", "p 值阈值", "threshold of p", 1e-12, 0.05)


def _measured(window: Window, factor: str) -> bool:
    return factor in window.values and factor not in WEATHER


def _limited(window: Window, factor: str) -> bool:
    return _measured(window, factor) and factor in window.limit


def _emitted(window: Window, factor: str) -> bool:
    """Return whether the factor is a concentration of a discharge that the plant's own state could drive."""
    driven = any(name in window.values for name in response.DRIVERS) or window.stopped is not None
    return _measured(window, factor) and factor not in response.DRIVERS and driven


def _has(*kinds: str) -> Callable[[Window, str], bool]:
    def applies(window: Window, factor: str) -> bool:
        return _measured(window, factor) and any(span.kind in kinds for span in window.spans)

    return applies


CHECKS: tuple[Check, ...] = (
    Check(
        "FRAUD-BUNCHING",
        "数值聚集在限值之下",
        "bunching below the limit",
        Severity.SIGNAL,
        distribution.bunching,
        _limited,
        DISCHARGE,
        "McCrary (2008), J. Econometrics 142; Loader (1996), Ann. Statist. 24; variance of blocks of time",
        Mark.METHOD,
        (
            _alpha(1e-4),
            Parameter("remaining", 0.5, "", "限值以上剩余比例上限", "share left above the limit, at most", 0, 1),
            Parameter("minimum", 200, "", "限值以下至少个数", "values below the limit, at least", 50),
        ),
        reach=YEAR,
        explain_zh="平滑的分布在限值处突然中断：限值以下密集，略高于限值处几乎没有。先看是否由治理设施按限值自动控制，再核"
        "对原始报文、折算参数（含氧量、基准氧）和数采仪修正系数。",
        explain_en="A smooth distribution breaks off at the limit: dense below, nearly nothing just above. See first "
        "whether the cleaning is regulated to the limit, then compare packets, the conversion's oxygen and the "
        "factors set in the logger.",
    ),
    Check(
        "FRAUD-TRUNCATION",
        "数值封顶",
        "capped values",
        Severity.SIGNAL,
        distribution.truncation,
        _measured,
        MEDIA,
        "Pickands (1975), Ann. Statist. 3; declustered peaks after Leadbetter (1991); binomial test",
        Mark.METHOD,
        (
            _alpha(1e-6),
            Parameter("share", 0.15, "", "止于封顶值的过程比例", "share of episodes at the cap", 0, 1),
            Parameter("minimum", 20, "", "高值过程至少个数", "episodes, at least", 8),
        ),
        reach=YEAR,
        explain_zh="多次高值过程都止于同一高度。可能是量程设低、仪器饱和、数采仪上限设置或人为封顶；请核对量程与设备参数变更"
        "记录。",
        explain_en="Episodes of high values all end at one height: a range set too low, a saturated instrument, an "
        "upper bound in the logger, or a hand. Compare the range and the changes of the device's parameters.",
    ),
    Check(
        "FRAUD-REPEAT",
        "重复的数据段",
        "repeated sequence",
        Severity.SIGNAL,
        repetition.repeat,
        _measured,
        MEDIA,
        "Karlin & Ost (1988), Ann. Probab. 16: longest common runs; rolling hashes",
        Mark.METHOD,
        (_alpha(1e-4), Parameter("minimum", 12, "", "至少连续个数", "values in a run, at least", 8)),
        reach=YEAR,
        explain_zh="同一串数值在两个时间出现，按该序列自身的分辨率和变化规律不可能巧合。先排除数采仪补传时时间错误和平台重复入"
        "库，再怀疑复制粘贴。",
        explain_en="The same run of values at two times, which the series' own resolution and changes do not repeat by "
        "chance. Rule out a logger that resent data under wrong times before suspecting copies.",
    ),
    Check(
        "FRAUD-DAILY",
        "不自然的逐日重复",
        "unnatural daily repetition",
        Severity.SIGNAL,
        repetition.daily,
        _measured,
        MEDIA,
        "Spearman (1904); Fisher's z with Bonferroni's bound, against the series' own pairs of days",
        Mark.METHOD,
        (
            _alpha(1e-6),
            Parameter("correlation", 0.9, "", "秩相关下限", "rank correlation, at least", 0.5, 1),
            Parameter("explained", 0.95, "", "平均日变化所占比例", "share explained by the mean day", 0.5, 1),
        ),
        reach=YEAR,
        explain_zh="扣除固有日变化后，两天的逐时变化仍几乎相同，或所有日子都一样。像模板加噪声；先看是否为程序化的批次生产。",
        explain_en="Without what every day has in common, two days still change alike hour by hour, or all days are "
        "the same: as of a template with noise. Ask first whether a programme runs the process in batches.",
    ),
    Check(
        "FRAUD-NOISE",
        "噪声过小",
        "too little noise",
        Severity.SIGNAL,
        response.noise,
        _measured,
        MEDIA,
        "Gasser, Sroka & Jennen-Steinmetz (1986), Biometrika 73; blocks against own history",
        Mark.METHOD,
        (
            _alpha(1e-5),
            Parameter("ratio", 0.25, "", "与平时噪声之比上限", "of the usual noise, at most", 0, 1),
            Parameter(
                "declared",
                0.0,
                "",
                "仪器声明噪声（因子单位，0 为未知）",
                "declared noise (factor's unit, 0 unknown)",
                0,
            ),
        ),
        reach=YEAR,
        explain_zh="一段时间的数值比该仪器平时平滑得多，像滑动平均、插值或软件生成。先看是否换了仪器、改了滤波时间或工况特别"
        "稳定。",
        explain_en="For a while values are much smoother than this instrument makes them: averaged, interpolated or "
        "generated. See first whether the instrument or its filter was changed or the plant ran very evenly.",
    ),
    Check(
        "FRAUD-DIGITS",
        "末位数字异常",
        "uneven last digits",
        Severity.SIGNAL,
        distribution.digits,
        _measured,
        MEDIA,
        "Mosimann, Wiseman & Edelman (1995), Account. Res. 4; Rao & Scott (1981), JASA 76; Cohen's w",
        Mark.METHOD,
        (
            _alpha(1e-6),
            Parameter("effect", 0.1, "", "效应量 w 下限", "effect size w, at least", 0, 3),
            Parameter("minimum", 500, "", "至少个数", "values, at least", 200),
        ),
        reach=YEAR,
        explain_zh="末位数字本应大致均匀；偏爱某些数字常见于人为编造或手工取整。单位换算、粗分辨率造成的规律已排除，仍请核对仪"
        "器输出格式。",
        explain_en="Last digits should be about even; a taste for some is a habit of invention or of rounding by hand. "
        "Conversion of units and coarse grids are left out; look at the instrument's output format all the same.",
    ),
    Check(
        "FRAUD-CALIBRATION",
        "校准时无响应",
        "no response at calibration",
        Severity.SIGNAL,
        response.calibration,
        _has("calibration"),
        MEDIA,
        "robust level shift in periods of calibration; binomial test",
        Mark.METHOD,
        (
            _alpha(0.001),
            Parameter("miss", 0.02, "", "正常无响应概率", "probability of an honest miss", 0.0001, 0.5),
            Parameter("movement", 5.0, "", "视为响应的噪声倍数", "noises that count as an answer", 1),
        ),
        reach=92 * 86_400.0,
        explain_zh="通零气、标气时示值应随之变化。数值不动，可能是数采仪按规定保持上一值，也可能上传的不是仪器的示值；请看校准记"
        "录和仪器日志。",
        explain_en="Readings should move when zero or span gas is given. If they do not, the logger may hold the last "
        "value as agreed, or what is sent is not the instrument's. See the calibration record and the instrument's "
        "log.",
    ),
    Check(
        "FRAUD-LOAD",
        "数值不随生产负荷变化",
        "values ignore the plant",
        Severity.SIGNAL,
        response.load,
        _emitted,
        DISCHARGE,
        "Spearman (1904), Fisher's z in blocks against own history; binomial test at standstills",
        Mark.METHOD,
        (
            _alpha(1e-6),
            Parameter("usual", 0.5, "", "平时相关下限", "usual correlation, at least", 0, 1),
            Parameter("broken", 0.25, "", "视为失去相关", "counts as broken, at most", -1, 1),
            Parameter(
                "miss", 0.1, "", "停运时不变的正常概率", "probability of an honest unchanged standstill", 0.001, 0.5
            ),
        ),
        reach=YEAR,
        explain_zh="平时数值随负荷、流量、含氧量或烟温变化，某段时间不再变化；或者停运后浓度依旧。可能是采样管脱离、稀释、模拟信"
        "号或数据替换；先核对停运标记是否属实。",
        explain_en="Values that usually follow load, flow, oxygen or temperature stop doing so, or stay when the plant "
        "stands: a sampling line taken out, dilution, a simulated signal, replaced data. Check the marks first.",
    ),
    Check(
        "FRAUD-LEVEL",
        "检查或更换运维时水平突变",
        "level changes at inspection or change of maintainer",
        Severity.SIGNAL,
        level.level,
        _has("inspection", "maintainer"),
        MEDIA,
        "randomisation by shifts in time (Fisher 1935, The Design of Experiments); clipped logarithms",
        Mark.METHOD,
        (
            _alpha(1e-3),
            Parameter("ratio", 1.4, "", "水平之比下限", "ratio of levels, at least", 1),
            Parameter("days", 14, "d", "更换前后比较天数", "days before and after a change", 3, 60),
            Parameter("minimum_days", 60, "d", "至少天数", "days of data, at least", 30),
        ),
        reach=YEAR,
        explain_zh="检查期间或更换运维单位之后，数值水平突变，而同一序列在其他时间极少如此。检查时企业可能降负荷，更换运维可能换了"
        "仪器或重新校准；请一并核对。",
        explain_en="The level changes at inspections, or with the maintainer, as it hardly ever does at other times. A "
        "plant may lower its load for a visit, and a new maintainer may change or adjust the instrument: look at both.",
    ),
)
