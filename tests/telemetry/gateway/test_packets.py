"""From the wire into the store, and the answer after the commit."""

import numpy as np
import pytest

from luming.registry.models import Series
from luming.telemetry import store
from luming.telemetry.models import DeviceStatus

from .conftest import FACTORS, MN, Wire, hour_packet, last_hour, on_a_thread, running, until


async def test_an_hour_packet_is_decoded_stored_and_then_acknowledged(device):
    hour = last_hour()
    async with running() as gateway:
        wire = await Wire.open(gateway)
        sent = hour_packet(hour, qn="20260601120000123")
        wire.send(sent)
        answer = await wire.receive()
        assert (answer.cn, answer.qn, answer.mn, answer.st, answer.pw) == (
            9014,
            "20260601120000123",
            MN,
            "91",
            "123456",
        )

        [packet] = await on_a_thread(lambda: store.packets(mn=MN, device_ids=[device.pk]))
        assert (packet.verdict, packet.direction, packet.cn, packet.new) == ("A", "I", 2061, 8)
        assert packet.body == sent.rstrip(b"\r\n")
        series = dict(await on_a_thread(lambda: list(Series.objects.values_list("pk", "factor"))))
        columns = await on_a_thread(lambda: store.observations(list(series), hour, hour.replace(year=hour.year + 1)))
        assert sorted(series[int(pk)] for pk in columns.series_id) == sorted(FACTORS)
        assert np.all(columns.packet_id == packet.id)
        assert {columns.start.item(0).hour} == {hour.hour}
        status = await until(lambda: DeviceStatus.objects.filter(last_packet_id=packet.id).first())
        assert status.connected and status.last_data_time == hour
        await wire.close()
