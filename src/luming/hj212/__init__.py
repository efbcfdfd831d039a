"""HJ 212, the protocol of China's automatic monitoring (污染源自动监测数据传输), editions 2005, 2017 and 2025.

A library that stands alone: the standard library, and `cryptography` for SM4 only.

>>> from luming.hj212 import decode
>>> decode(b"##0087QN=20240601085857223;ST=32;CN=1011;PW=123456;MN=010000A8900016F000169DC0;Flag=9;CP=&&&&2200").verdict
'accepted'
"""

from .codes import (
    COMMANDS,
    DEVICE_STATES,
    EXE_RESULTS,
    FLAGS,
    QN_RESULTS,
    SYSTEMS,
    Command,
    Mark,
    System,
)
from .crc import crc16, crc16_modbus
from .crypto import decrypt_cp, encrypt_cp
from .decoder import decode, decode_batch
from .diagnostics import REASONS, Diagnostic, ReasonInfo
from .encoder import answer, encode, encode_packets, encode_parameters, encode_readings, make_flag
from .explain import Annotation, explain
from .factors import FACTORS, Factor, by_short, find_factor, legacy_candidates
from .framing import Framer
from .model import CHINA, Decoded, Edition, Frame, Packet, Reading
from .reassembly import Incomplete, Reassembler
from .session import (
    Client,
    Dialogue,
    Event,
    Reply,
    ServerConnection,
    SessionHandler,
    UploadError,
    serve,
)
from .times import format_qn, format_time, parse_time

__all__ = [
    "CHINA",
    "COMMANDS",
    "DEVICE_STATES",
    "EXE_RESULTS",
    "FACTORS",
    "FLAGS",
    "QN_RESULTS",
    "REASONS",
    "SYSTEMS",
    "Annotation",
    "Client",
    "Command",
    "Decoded",
    "Diagnostic",
    "Dialogue",
    "Edition",
    "Event",
    "Factor",
    "Frame",
    "Framer",
    "Incomplete",
    "Mark",
    "Packet",
    "Reading",
    "ReasonInfo",
    "Reassembler",
    "Reply",
    "ServerConnection",
    "SessionHandler",
    "System",
    "UploadError",
    "answer",
    "by_short",
    "crc16",
    "crc16_modbus",
    "decode",
    "decode_batch",
    "decrypt_cp",
    "encode",
    "encode_packets",
    "encode_parameters",
    "encode_readings",
    "encrypt_cp",
    "explain",
    "find_factor",
    "format_qn",
    "format_time",
    "legacy_candidates",
    "make_flag",
    "parse_time",
    "serve",
]
