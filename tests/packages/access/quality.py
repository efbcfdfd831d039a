"""The addresses of data quality: the catalogue, settings, suspicions."""

from access.groups import BUREAU, DATA

INTERNAL = BUREAU | {"leader", "publisher"}
REVIEWER = frozenset({"reviewer"})

ROWS: dict = {
    "quality": ("get", (), {}, DATA),
    "quality-check": ("get", ("GEN-SPIKE",), {}, DATA),
    "quality-configure": ("get", ("GEN-SPIKE",), {}, REVIEWER),
    "quality-end": ("get", ("check-setting",), {}, REVIEWER),
    "suspicions": ("get", (), {}, INTERNAL),
    "suspicion": ("get", ("suspicion",), {}, INTERNAL),
    "suspicion-decide": ("post", ("suspicion", "acknowledge"), {"reason": "looked at"}, REVIEWER),
    "quality-again": ("get", ("outlet",), {}, REVIEWER),
}


def known(world, client, arguments):
    """Return the records that the arguments of a row name, made for this one request."""
    from luming.telemetry.quality.models import CheckSetting, SuspicionRecord

    made = {}
    if "check-setting" in arguments:
        made["check-setting"] = CheckSetting.objects.get_or_create(
            code="GEN-SPIKE",
            medium="gas",
            factor="a34013",
            effective_from="2026-01-01",
            defaults={"parameters": {"suspect": 30}, "reason": "noisy stack"},
        )[0].pk
    if "suspicion" in arguments:
        picture = {
            "kind": "histogram",
            "x": [1.0, 2.0, 3.0],
            "y": [3, 9, 1],
            "marks": [{"x": 2.0, "zh": "限值", "en": "limit"}],
            "zh": {"x": "浓度", "y": "个数", "data": "实际"},
            "en": {"x": "concentration", "y": "count", "data": "actual"},
        }
        made["suspicion"] = SuspicionRecord.objects.get_or_create(
            key="FRAUD-BUNCHING:1:2026",
            defaults={
                "code": "FRAUD-BUNCHING",
                "place_id": world.outlet.pk,
                "series": world.series,
                "strength": 0.8,
                "start": world.judgement.start,
                "end": world.judgement.start,
                "numbers": {"p": 1e-6, "n": 900},
                "picture": picture,
                "sentence_zh": "数值聚集在限值之下。",
                "sentence_en": "Values bunch below the limit.",
                "edition": "abc",
                "found_at": world.judgement.start,
                "last_found_at": world.judgement.start,
            },
        )[0].pk
    return made
