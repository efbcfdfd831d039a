"""Suspicions of fabricated data (数据造假): tests of statistics that point a person to a period, never a verdict.

Every check returns :class:`~luming.science.qc.model.Suspicion`: a sentence, the numbers of the test and a picture. None
changes the quality of a value. Thresholds ask for both a small p value and an effect that matters, and leave out what
dependence in time, resolution and several looks at one series would otherwise pass off as evidence. Methods, their
limits and honest explanations: docs/explanation/fabrication.md.

Background [memory]: 《环境监测数据弄虚作假行为判定及处理办法》（环发〔2015〕175号）. It asks for evidence of conduct; a
statistic is none.
"""

from __future__ import annotations

from luming.science.qc.fraud.checks import CHECKS
from luming.science.qc.fraud.saying import TITLES, as_dict, from_dict

__all__ = ["CHECKS", "TITLES", "as_dict", "from_dict"]
