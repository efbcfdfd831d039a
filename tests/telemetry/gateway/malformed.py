"""Forty classes of malformed input, as they are seen in the field and beyond. Each makes bytes from a good packet."""

from luming.hj212 import crc16

CLASSES = {}


def kind(function):
    CLASSES[function.__name__] = function
    return function


def seal(segment, length=None):
    """Wrap a segment with a right length and check code."""
    return b"##%04d%b%04X\r\n" % (len(segment) if length is None else length, segment, crc16(segment))


def _segment(good):
    return good[6:-6]


def _change(name, make):
    make.__name__ = name
    kind(make)


_change("wrong_crc", lambda good, rng: good[:-6] + b"FFFF\r\n")
_change("crc_not_hex", lambda good, rng: good[:-6] + b"GH!?\r\n")
_change("crc_missing", lambda good, rng: good[:-6] + b"\r\n")
_change("length_too_long", lambda good, rng: b"##%04d" % (len(good) + 300) + good[6:])
_change("length_too_short", lambda good, rng: b"##0010" + good[6:])
_change("length_not_digits", lambda good, rng: b"##12A4" + good[6:])
_change("length_negative", lambda good, rng: b"##-001" + good[6:])
_change("head_missing", lambda good, rng: good[2:])
_change("head_single", lambda good, rng: good[1:])
_change("head_tripled", lambda good, rng: b"#" + good)
_change("tail_missing", lambda good, rng: good[:-2])
_change("tail_lf_only", lambda good, rng: good[:-2] + b"\n")
_change("truncated", lambda good, rng: good[: rng.randrange(1, len(good) - 2)])
_change("truncated_twice", lambda good, rng: good[: len(good) // 2] + good[: len(good) // 3])
_change("bit_flipped", lambda good, rng: _flip(good, rng))
_change("byte_lost", lambda good, rng: (lambda i: good[:i] + good[i + 1 :])(rng.randrange(len(good) - 6)))
_change(
    "byte_doubled", lambda good, rng: (lambda i: good[:i] + good[i : i + 1] + good[i:])(rng.randrange(len(good) - 6))
)
_change("nul_bytes", lambda good, rng: seal(_segment(good).replace(b"PW=123456", b"PW=12\x00456")))
_change("nul_in_mn", lambda good, rng: seal(_segment(good).replace(b"MN=01", b"MN=\x00\x001")))
_change("invalid_utf8", lambda good, rng: seal(_segment(good).replace(b"MN=01", b"MN=\xff\xfe")))
_change("gbk_text", lambda good, rng: seal(_segment(good).replace(b"CP=&&", "CP=&&备注=".encode("gbk") + b"1;")))
_change("lone_surrogates", lambda good, rng: seal(_segment(good).replace(b"ST=22", b"ST=\xed\xa0\x80")))
_change("empty_segment", lambda good, rng: seal(b""))
_change("no_cp", lambda good, rng: seal(_segment(good).split(b"CP=")[0]))
_change("cp_unclosed", lambda good, rng: seal(_segment(good)[:-2]))
_change("cp_nested", lambda good, rng: seal(_segment(good).replace(b"&&DataTime", b"&&&&DataTime")))
_change("no_mn", lambda good, rng: seal(b";".join(p for p in _segment(good).split(b";") if not p.startswith(b"MN="))))
_change("mn_of_10_kb", lambda good, rng: seal(_segment(good).replace(b"MN=", b"MN=" + b"A" * 6000)))
_change("cn_huge", lambda good, rng: seal(_segment(good).replace(b"CN=2061", b"CN=99999999999999999999")))
_change("cn_text", lambda good, rng: seal(_segment(good).replace(b"CN=2061", b"CN=abcd")))
_change("flag_text", lambda good, rng: seal(_segment(good).replace(b"Flag=5", b"Flag=x")))
_change("flag_huge", lambda good, rng: seal(_segment(good).replace(b"Flag=5", b"Flag=999999999999999999999")))
_change("date_impossible", lambda good, rng: seal(_time(good, b"20260231250000")))
_change("date_year_9999", lambda good, rng: seal(_time(good, b"99991231235959")))
_change("date_year_0001", lambda good, rng: seal(_time(good, b"00010101000000")))
_change("value_not_a_number", lambda good, rng: seal(_segment(good).replace(b"-Avg=15.0", b"-Avg=nan")))
_change("value_infinite", lambda good, rng: seal(_segment(good).replace(b"-Avg=15.0", b"-Avg=1e999")))
_change("value_of_400_digits", lambda good, rng: seal(_segment(good).replace(b"-Avg=15.0", b"-Avg=" + b"9" * 400)))
_change("flag_of_500_letters", lambda good, rng: seal(_segment(good).replace(b"Flag=N", b"Flag=" + b"N" * 500)))
_change("pno_beyond_pnum", lambda good, rng: seal(_segment(good).replace(b"Flag=5;", b"Flag=7;PNUM=2;PNO=99;")))
_change("pnum_huge", lambda good, rng: seal(_segment(good).replace(b"Flag=5;", b"Flag=7;PNUM=999999999;PNO=1;")))
_change("ten_thousand_pairs", lambda good, rng: seal(_segment(good).replace(b"CP=&&", b"CP=&&" + b"x=1;" * 1900)))
_change("http_request", lambda good, rng: b"GET /index.php HTTP/1.1\r\nHost: x\r\n\r\n")
_change("tls_hello", lambda good, rng: b"\x16\x03\x01\x02\x00\x01\x00" + rng.randbytes(200))
_change("modbus_binary", lambda good, rng: b"\x00\x01\x00\x00\x00\x06\x01\x03\x00\x00\x00\x0a" * 5)
_change("random_bytes", lambda good, rng: rng.randbytes(rng.randrange(1, 900)))
_change("only_hashes", lambda good, rng: b"#" * rng.randrange(1, 700))
_change("only_line_ends", lambda good, rng: b"\r\n" * 50 + b"x")
_change("segment_of_20_kb", lambda good, rng: seal(_segment(good) + b";x=" + b"1" * 20_000, 9999))


def _at(good, rng, instead):
    place = rng.randrange(len(good) - 6)
    return good[:place] + instead + good[place + 1 :]


def _flip(good, rng):
    data = bytearray(good)
    data[rng.randrange(len(data) - 2)] ^= 1 << rng.randrange(8)
    return bytes(data)


def _time(good, text):
    segment = _segment(good)
    at = segment.index(b"DataTime=") + 9
    return segment[:at] + text + segment[at + 14 :]
