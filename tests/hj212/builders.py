"""Strategies and helpers that several tests share."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import Phase
from hypothesis import strategies as st

from luming.hj212 import CHINA, Reading, crc16

QUICK = (Phase.explicit, Phase.reuse, Phase.generate)  # big inputs take minutes to shrink
MN = "010000A8900016F000169DC0"
HEAD = f"QN=20240601085857223;ST=31;CN=2061;PW=123456;MN={MN};Flag=5;"


def seal(segment: str | bytes, *, length: int | None = None) -> bytes:
    """A frame around a segment, with the right length (unless given) and check code."""
    data = segment.encode() if isinstance(segment, str) else segment
    return b"##%04d%s%04X" % (len(data) if length is None else length, data, crc16(data))


def with_cp(cp: str, head: str = HEAD) -> bytes:
    return seal(f"{head}CP=&&{cp}&&")


codes = st.sampled_from(["a21026", "a34004", "w01018", "a05024", "Leq", "ele01", "02", "S01", "e10101", "A21026"])
numbers = st.one_of(
    st.integers(-999, 99999).map(float),
    st.floats(-1e6, 1e9, allow_nan=False, allow_infinity=False).map(lambda value: round(value, 4)),
    st.sampled_from([0.0, -0.0, 1e-5, 123456789.123]),
)
marks = st.sampled_from(list("NFMSDCTB"))
moments = st.integers(0, 2_000_000_000).map(lambda s: datetime(2000, 1, 1, tzinfo=CHINA) + timedelta(seconds=s))
maybe_number = st.none() | numbers


@st.composite
def readings(draw: st.DrawFn) -> Reading:
    """A reading with any of the numbers, and at least one value."""
    values = draw(
        st.dictionaries(
            st.sampled_from(
                ["rtd", "minimum", "average", "maximum", "zs_rtd", "zs_average", "total", "data", "day_data"]
            ),
            numbers,
            min_size=1,
        )
    )
    return Reading(
        draw(codes),
        **values,
        flag=draw(st.none() | marks),
        sample_time=draw(st.none() | moments),
        info=draw(st.none() | st.sampled_from(["1", "//2024年;日志,a=b//", "正常"])),
        state=draw(st.none() | st.integers(0, 5)),
        hours=draw(st.none() | st.sampled_from([0.0, 7.5, 24.0])),
    )


reading_lists = st.lists(readings(), min_size=1, max_size=9, unique_by=lambda reading: reading.code)
