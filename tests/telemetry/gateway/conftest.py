"""A gateway in this process, on a free port, with a database of its own tests."""

import asyncio
import contextlib
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, connections

from luming.core.models import User
from luming.hj212 import CHINA, Framer, decode, encode, format_qn
from luming.registry.models import Device, Region, Series, Station
from luming.telemetry.gateway.server import Gateway, Options

MN = "010000A8900016F000169DC0"
FACTORS = ("a21026", "a21004", "a21005", "a05024", "a34002", "a34004", "a01001", "a01002")


def on_a_thread(work, *arguments):
    """Run database work outside the event loop and close the thread's connection."""

    def run():
        try:
            return work(*arguments)
        finally:
            connections.close_all()

    return asyncio.to_thread(run)


def make_device(mn=MN, **fields):
    region, _ = Region.objects.get_or_create(code="150203", defaults={"name": "昆都仑区", "level": "district"})
    station = Station.objects.create(
        code=f"S-{mn[-6:]}", name=f"测试站{mn[-4:]}", medium="air", region=region, longitude=109.8, latitude=40.6,
        commissioned_at=datetime(2020, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    device = Device.objects.create(mn=mn, place=station, system="22", edition=1, **fields)
    Series.objects.bulk_create(
        Series(place=station, factor=factor, interval="hour", seconds=3600, unit="µg/m³") for factor in FACTORS
    )
    return device


def in_a_thread(work):
    """Run database work that commits: the test's own thread is inside a transaction that is rolled back."""

    def run():
        try:
            return work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(run).result()


def _empty():
    with connection.cursor() as cursor:
        cursor.execute(
            "TRUNCATE registry_region, core_user, core_auditentry, telemetry_connection, telemetry_event, "
            "telemetry_unregistereddevice, telemetry_packet, telemetry_observation, telemetry_dirty CASCADE"
        )


@pytest.fixture
def database(db):
    """A database with real commits, emptied afterwards (much faster than flushing every table of the product)."""
    yield
    in_a_thread(_empty)


@pytest.fixture
def device(database):
    return in_a_thread(make_device)


@pytest.fixture
def duty(database):
    return in_a_thread(lambda: User.objects.create_user("duty", "x" * 12, name="值班员", role="duty"))


@contextlib.asynccontextmanager
async def running(**options):
    """Run a gateway on free ports; unless asked for, it starts no dialogue by itself."""
    given = {
        "host": "127.0.0.1", "port": 0, "metrics_port": -1, "first_connection": (), "flush_seconds": 0.05, **options,
    }  # fmt: skip
    gateway = Gateway(Options(**given))
    await gateway.start()
    try:
        yield gateway
    finally:
        assert await gateway.stop()


class Wire:
    """A bare TCP client that cuts what it reads into packets."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer
        self.framer = Framer()
        self.waiting = []

    @classmethod
    async def open(cls, gateway, **keywords):
        return cls(*await asyncio.open_connection("127.0.0.1", gateway.port, **keywords))

    def send(self, data):
        self.writer.write(data)

    async def receive(self, timeout=5.0):
        """Return the next packet; raises TimeoutError or ConnectionError."""
        async with asyncio.timeout(timeout):
            while not self.waiting:
                data = await self.reader.read(65536)
                if not data:
                    raise ConnectionError("closed by the gateway")
                self.waiting += [decode(frame.data).packet for frame in self.framer.feed(data)]
        return self.waiting.pop(0)

    async def is_closed(self, timeout=5.0):
        try:
            await self.receive(timeout)
        except (ConnectionError, TimeoutError) as error:
            return isinstance(error, ConnectionError)
        return False

    async def close(self):
        self.writer.close()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()


def hour_packet(hour, value=10.0, *, mn=MN, qn=None, pw="123456", st="22", flag=5, cp=None, cn=2061):
    """Encode a packet of hourly data of 8 factors; ``hour`` is a datetime."""
    if cp is None:
        readings = ";".join(f"{code}-Avg={value + i:.1f},{code}-Flag=N" for i, code in enumerate(FACTORS))
        cp = f"DataTime={hour.astimezone(CHINA):%Y%m%d%H%M%S};{readings}"
    return encode(cn=cn, st=st, mn=mn, pw=pw, qn=qn or format_qn(datetime.now(UTC)), flag=flag, cp=cp)


def last_hour(before=1):
    return datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=before)


async def until(condition, timeout=5.0):
    """Wait until the condition (run in a thread, so it may ask the database) holds."""
    async with asyncio.timeout(timeout):
        while not (result := await on_a_thread(condition)):
            await asyncio.sleep(0.03)
    return result
