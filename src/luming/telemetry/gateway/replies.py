"""The two short answers of the hot path: 9014 to data, 9013 to notices.

Built by hand rather than by :func:`luming.hj212.encode`, because there is one for every packet; a test compares both.
"""

from __future__ import annotations

from luming.hj212 import COMMANDS, Edition, Packet, crc16

DATA, NOTICE = 9014, 9013  # HJ 212-2017 table 9


def reply_for(packet: Packet) -> bytes:
    """Return the answer that a packet wants, or nothing.

    Answers repeat QN, PW and MN of the packet (HJ 212-2017 annex C); bit 0 of Flag asks for one (table 3). Replies
    themselves (9011 … 9014) are never answered. The heartbeat 9015 of HJ 212-2025 is a notice.
    """
    if not packet.needs_reply or 9011 <= packet.cn <= 9014:
        return b""
    command = COMMANDS.get(packet.cn)
    cn = NOTICE if command is not None and command.type == "notice" else DATA
    return answer(packet, cn)


def answer(packet: Packet, cn: int) -> bytes:
    """Return one answer frame; CP is empty, except for HJ/T 212-2005, whose answers name the QN in CP."""
    qn = f"QN={packet.qn};" if packet.qn else ""
    cp = f"QN={packet.qn}" if packet.qn and packet.edition == Edition.V2005 else ""
    flag = int(packet.edition) << 2
    segment = f"{qn}ST=91;CN={cn};PW={packet.pw};MN={packet.mn};Flag={flag};CP=&&{cp}&&".encode("utf-8", "replace")
    return b"##%04d%b%04X\r\n" % (len(segment), segment, crc16(segment))
