"""What a simulated logger answers to the host: HJ 212 requests to data, parameters and results.

History requests are answered from the generator, so that what is pulled agrees with what was or would have been sent.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

import numpy as np

from luming.demo import generator, packets
from luming.demo.chance import alphabet_text
from luming.demo.fleet import Logger
from luming.demo.outages import LOST, outages
from luming.hj212 import Packet, Reply, format_time, parse_time

MAX_PERIODS = 2_500  # of one history request
OK, BAD_CONDITION, NO_DATA = 1, 3, 100  # ExeRtn, HJ 212-2017 table 6
UNKNOWN_COMMAND = Reply(qn_result=8)  # QnRtn, table 7
MINUTE_INTERVALS = frozenset({1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30})


class Settings:
    """What the host may set in a logger."""

    def __init__(self, logger: Logger) -> None:
        self.overtime, self.resends = 10, 3
        self.realtime_seconds, self.minute_interval = 60, 10
        self.realtime_on = True
        self.password = logger.password
        self.clock_offset = float(packets.CLOCK_ERROR if logger.site.story == "clock" else 0)
        self.calibrating_until = 0.0
        self.sampling = {"CstartTime": "000000", "Ctime": "2"}
        self.parameters: dict[str, str] = {}
        self.bottle = 0
        self.started = time.time()


class Answers:
    """Answers the requests to one logger; the client sends them as 9011, data packets and 9012."""

    def __init__(self, logger: Logger, settings: Settings) -> None:
        self.logger, self.settings = logger, settings
        self._by_command: dict[int, Callable[[dict[str, str]], Reply]] = {
            1000: self._set_timeouts,
            1001: self._hardware,
            1011: self._tell_time,
            1012: self._set_time,
            1061: lambda _: Reply(data=(f"RtdInterval={settings.realtime_seconds}",)),
            1062: self._set_realtime_interval,
            1063: lambda _: Reply(data=(f"MinInterval={settings.minute_interval}",)),
            1064: self._set_minute_interval,
            1072: self._set_password,
            2011: self._start_realtime,
            2012: self._stop_realtime,
            2021: lambda _: Reply(data=(f"DataTime={self._now()};SB1-RS=1",)),
            2022: lambda _: Reply(),
            2031: lambda given: self._history("day", given),
            2041: self._running_hours,
            2051: lambda given: self._history("minute", given),
            2061: lambda given: self._history("hour", given),
            3011: self._calibrate,
            3012: self._sample,
            3013: lambda _: Reply(),
            3014: lambda _: Reply(),
            3015: self._retain,
            3016: self._set_sampling,
            3017: lambda given: self._about(given, "CstartTime", "Ctime"),
            3018: lambda given: Reply(data=(f"PolId={given['PolId']};Stime=35",)) if "PolId" in given else _REFUSED,
            3019: self._serial,
            3020: self._information,
            3021: self._set_parameter,
            3022: self._retain,
            3024: self._calibrate,
        }

    async def __call__(self, request: Packet) -> Reply:
        """Answer one request."""
        given = dict(request.parameters)
        given |= {f"{reading.code}-Info": reading.info for reading in request.readings if reading.info is not None}
        return self.answer(request.cn, given)

    def answer(self, cn: int, given: dict[str, str]) -> Reply:
        """Answer a command with its CP parameters."""
        handler = self._by_command.get(cn)
        return handler(given) if handler else UNKNOWN_COMMAND

    def _now(self) -> str:
        return packets.compact_times(np.array([int(time.time() + self.settings.clock_offset)]))[0]

    # clock, time-outs, intervals, password

    def _set_timeouts(self, given: dict[str, str]) -> Reply:
        overtime, resends = _whole(given.get("OverTime")), _whole(given.get("ReCount"))
        if overtime is None or resends is None or not (0 < overtime <= 99 and 0 < resends <= 99):
            return _REFUSED
        self.settings.overtime, self.settings.resends = overtime, resends
        return Reply()

    def _tell_time(self, given: dict[str, str]) -> Reply:
        about = f"PolId={given['PolId']};" if "PolId" in given else ""
        return Reply(data=(f"{about}SystemTime={self._now()}",))

    def _set_time(self, given: dict[str, str]) -> Reply:
        moment = _moment(given.get("SystemTime"))
        if moment is None:
            return _REFUSED
        if self.logger.site.story != "clock":  # that one says yes and keeps its own time
            offset = moment.timestamp() - time.time()
            self.settings.clock_offset = offset if abs(offset) >= 1 else 0.0
        return Reply()

    def _set_realtime_interval(self, given: dict[str, str]) -> Reply:
        seconds = _whole(given.get("RtdInterval"))
        if seconds is None or not 30 <= seconds <= 3600:  # table 4
            return _REFUSED
        self.settings.realtime_seconds = seconds
        return Reply()

    def _set_minute_interval(self, given: dict[str, str]) -> Reply:
        minutes = _whole(given.get("MinInterval"))
        if minutes not in MINUTE_INTERVALS:
            return _REFUSED
        if minutes != 10:  # the fleet averages over ten minutes and nothing else
            return Reply(exe_result=BAD_CONDITION)
        return Reply()

    def _set_password(self, given: dict[str, str]) -> Reply:
        wanted = given.get("NewPW", "")
        if len(wanted) != 6 or not wanted.isalnum():
            return _REFUSED
        self.settings.password = wanted
        return Reply()

    # data

    def _start_realtime(self, _given: dict[str, str]) -> Reply:
        self.settings.realtime_on = True
        return Reply(data=(self.realtime(int(time.time())),))

    def _stop_realtime(self, _given: dict[str, str]) -> Reply:
        self.settings.realtime_on = False
        return Reply()

    def realtime(self, moment: int) -> str:
        """Return the CP text of the real-time data at an instant (seconds since 1970, of the logger's clock)."""
        block = generator.block(self.logger.site, "realtime", np.array([moment]))
        if time.time() < self.settings.calibrating_until:
            block.flag[:] = generator.CALIBRATION
        return packets.texts(self.logger, block)[0]

    def period(self, interval: str, start: int) -> str:
        """Return the CP text of one period."""
        return packets.texts(self.logger, generator.block(self.logger.site, interval, np.array([start])))[0]

    def _history(self, interval: str, given: dict[str, str]) -> Reply:
        begin, end = _moment(given.get("BeginTime")), _moment(given.get("EndTime"))
        if begin is None or end is None or end < begin:
            return _REFUSED
        if interval == "minute" and not self.logger.site.has_minutes:
            return Reply(exe_result=NO_DATA)
        now = time.time() + self.settings.clock_offset
        seconds = generator.period_seconds(interval)
        # A period is asked for by its start, both ends included, and kept only when it is over.
        starts = generator.period_starts(interval, begin.timestamp(), min(end.timestamp() + seconds, now))
        starts = starts[starts <= end.timestamp()][:MAX_PERIODS]
        starts = starts[outages(self.logger, starts + seconds).kind != LOST]
        if not len(starts):
            return Reply(exe_result=NO_DATA)
        return Reply(data=tuple(packets.texts(self.logger, generator.block(self.logger.site, interval, starts))))

    def _running_hours(self, given: dict[str, str]) -> Reply:
        begin, end = _moment(given.get("BeginTime")), _moment(given.get("EndTime"))
        if begin is None or end is None or end < begin:
            return _REFUSED
        days = generator.period_starts("day", begin.timestamp(), min(end.timestamp() + 86400, time.time()))
        texts = tuple(f"DataTime={day};SB1-RT=24" for day in packets.compact_times(days[:400]))
        return Reply(data=texts) if texts else Reply(exe_result=NO_DATA)

    # control

    def _calibrate(self, given: dict[str, str]) -> Reply:
        if not self._knows(given.get("PolId")):
            return _REFUSED
        self.settings.calibrating_until = time.time() + 180
        return Reply()

    def _sample(self, given: dict[str, str]) -> Reply:
        return Reply() if self._knows(given.get("PolId")) else _REFUSED

    def _retain(self, _given: dict[str, str]) -> Reply:
        if self.logger.site.medium != "sewage":  # only waste-water outlets have a sampler
            return Reply(exe_result=BAD_CONDITION)
        self.settings.bottle = self.settings.bottle % 24 + 1
        return Reply(data=(f"DataTime={self._now()};VaseNo={self.settings.bottle}",))

    def _set_sampling(self, given: dict[str, str]) -> Reply:
        hours = _whole(given.get("Ctime"))
        if not self._knows(given.get("PolId")) or hours is None or not 0 < hours <= 24:
            return _REFUSED
        self.settings.sampling = {"CstartTime": given.get("CstartTime", "000000"), "Ctime": str(hours)}
        return Reply()

    def _about(self, given: dict[str, str], *names: str) -> Reply:
        if not self._knows(given.get("PolId")):
            return _REFUSED
        values = ",".join(f"{name}={self.settings.sampling[name]}" for name in names)
        return Reply(data=(f"PolId={given['PolId']},{values}",))

    # information

    def _knows(self, sent: str | None) -> bool:
        site = self.logger.site
        return any(sent in (factor.code, self.logger.sent_code(factor)) for factor in site.factors)

    def _serial(self, given: dict[str, str]) -> Reply:
        code = given.get("PolId", "")
        if not self._knows(code):
            return _REFUSED
        serial = alphabet_text(self.logger.mn, code, "serial", length=24, letters="0123456789ABCDEF")
        return Reply(data=(f"PolId={code},{code}-SN={serial}",))

    def _hardware(self, _given: dict[str, str]) -> Reply:
        if self.logger.edition != 2:  # CN 1001 came with HJ 212-2025
            return UNKNOWN_COMMAND
        serial = alphabet_text(self.logger.mn, "hardware", length=16, letters="0123456789ABCDEF")
        return Reply(data=(f"i23005-Info={serial};i23006-Info={serial[::-1]}",))

    def _information(self, given: dict[str, str]) -> Reply:
        wanted = given.get("InfoId", "")
        text = self._info_text(wanted)
        if text is None:
            return Reply(exe_result=NO_DATA)
        about = f"PolId={given['PolId']};" if "PolId" in given else ""
        return Reply(data=(f"DataTime={self._now()};{about}{wanted}-Info={text}",))

    def _info_text(self, wanted: str) -> str | None:
        """Return the information of HJ 212-2017 tables B.8 to B.10 that the fleet has."""
        calibrating = time.time() < self.settings.calibrating_until
        started = format_time(datetime.fromtimestamp(self.settings.started).astimezone())
        known = {
            "i11001": f"//{started} calibration passed//",
            "i12001": "3" if calibrating else "0",
            "i12002": "0",
            "i13001": "100",
            "i13003": "2",
            "i13004": "165",
            "i13005": "15",
            "i21001": f"//{started} power on//",
            "i22001": "0",
            "i22002": "2",
            "i22003": "1",
        }
        return self.settings.parameters.get(wanted, known.get(wanted))

    def _set_parameter(self, given: dict[str, str]) -> Reply:
        wanted = given.get("InfoId", "")
        value = given.get(f"{wanted}-Info") or given.get("Info")
        if not wanted or value is None:
            return _REFUSED
        self.settings.parameters[wanted] = value
        return Reply()


_REFUSED = Reply(qn_result=2)


def _whole(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() else None


def _moment(text: str | None) -> datetime | None:
    return parse_time(text)[0] if text else None
