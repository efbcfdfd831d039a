"""The interface: what its description says it does, with the scope and permissions of the pages."""

import pytest
from django.test import Client
from luming_dummy.models import Well

from luming.core.models import AuditEntry

URL = "/api/v1/registers/wells/"


def get(client, query="", url=URL, status=200):
    response = client.get(url + query)
    assert response.status_code == status, response.content
    return response.json()


def test_a_list_is_filtered_searched_sorted_and_paged(world, wells):
    client = world.client("duty")
    first = get(client, "?use=supply&sort=-depth_m&fields=code,depth_m&size=10")
    assert first["count"] == 24 and len(first["results"]) == 10 and first["previous"] is None
    assert set(first["results"][0]) == {"id", "code", "depth_m"}
    found = [row["depth_m"] for row in first["results"]]
    while first["next"]:
        first = get(client, url=first["next"])
        found += [row["depth_m"] for row in first["results"]]
    assert found == sorted(found, reverse=True) and len(found) == 24
    assert get(client, url=first["previous"])["results"]
    assert get(client, "?q=城东")["count"] == 30


def test_a_record_has_all_columns_as_they_are(world, wells):
    row = get(world.client("duty"), f"{wells[5].pk}/")
    assert row["region"] == {"id": "150203", "name": "Kundulun"}
    assert (row["use"], row["depth_m"], row["drilled_on"]) == ("supply", 60.0, "2005-01-01")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("?depth_m_min=deep", "depth_m"), ("?size=0", "size"), ("?size=1001", "size"), ("?size=x", "size"),
        ("?fields=secret", "fields"), ("?at=nonsense", "at"), ("?region=999999", "region"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_said(world, wells, query, field):
    answer = get(world.client("duty"), query, status=400)
    assert answer["detail"] and answer["errors"][field][0].endswith((".", "/"))


def test_scope_and_permission(world, wells):
    assert get(world.client("district"))["count"] == 60
    outside = next(well for well in wells if well.region_id == "150207")
    for url in (f"{outside.pk}/", "0/", "x/"):
        assert get(world.client("district"), url, status=404)["detail"]
    assert "permission" in get(world.client("audit-admin"), status=403)["detail"]
    assert get(world.client("duty"), url="/api/v1/registers/nonsense/", status=404)["detail"]


def send(client, method, url, data):
    return getattr(client, method)(url, data, content_type="application/json")


NEW = {"code": "W900", "name": "新井", "region": "150203", "depth_m": 12.5, "longitude": 110, "latitude": 40.6}


def test_a_record_is_made_and_changed_by_the_verbs(world):
    client = world.client("registrar")
    answer = send(client, "post", URL, {"values": NEW, "reason": "drilled"})
    assert answer.status_code == 201, answer.content
    well = Well.objects.get(code="W900")
    assert answer.json()["id"] == well.pk and answer.json()["depth_m"] == 12.5
    answer = send(client, "patch", f"{URL}{well.pk}/", {"values": {"depth_m": 13}, "reason": "measured again"})
    assert answer.status_code == 200 and answer.json()["depth_m"] == 13
    entries = AuditEntry.objects.filter(object_type="dummy.well").order_by("id")
    assert [(entry.verb, entry.reason) for entry in entries] == [
        ("well.create", "drilled"), ("well.change", "measured again")
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("values", "field"),
    [
        (NEW | {"depth_m": -1}, "depth_m"), (NEW | {"region": "999"}, "region"), (NEW | {"use": "fishing"}, "use"),
        (NEW | {"nonsense": 1}, "nonsense"), ({"code": "W901"}, "name"),
    ],
)  # fmt: skip
def test_wrong_fields_are_named(world, values, field):
    answer = send(world.client("registrar"), "post", URL, {"values": values})
    assert answer.status_code == 400 and field in answer.json()["errors"], answer.content
    assert not Well.objects.exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", '"a\\u0000b"'), ("name", "[1]"), ("name", "{}"), ("drilled_on", "5"), ("drilled_on", "true"),
        ("longitude", "NaN"), ("longitude", "-1e999"), ("longitude", '"NaN"'),
        ("region", '"\\u0000"'), ("facility", "1e999"),
    ],
)  # fmt: skip
def test_a_value_that_no_column_holds_is_named(world, field, value):
    body = f'{{"values": {{"{field}": {value}}}}}'.encode()
    well = Well.objects.create(**NEW | {"region_id": NEW["region"], "region": None})
    answer = world.client("registrar").patch(f"{URL}{well.pk}/", body, content_type="application/json")
    assert answer.status_code == 400 and list(answer.json()["errors"]) == [field], answer.content


def test_a_change_from_an_old_version_is_refused(world, wells):
    client, url = world.client("registrar"), f"{URL}{wells[1].pk}/"
    first = client.get(url).headers["ETag"]

    def change(values, version):
        return client.patch(url, {"values": values}, content_type="application/json", headers={"If-Match": version})

    squeezed = change({"depth_m": 13}, f"W/{first}")  # as it comes when the answer was compressed
    second = squeezed.headers["ETag"]
    assert squeezed.status_code == 200 and second != first and client.get(url).headers["ETag"] == second
    late = change({"depth_m": 14}, first)
    assert late.status_code == 412 and late.json()["detail"] and late.headers["ETag"] == second
    for unreadable in ("13", f"{first}, {second}", '""'):
        assert change({"depth_m": 14}, unreadable).status_code == 400
    assert Well.objects.get(pk=wells[1].pk).depth_m == 13
    assert change({"depth_m": 14}, "*").status_code == 200


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"values": 3}', '{"values": {}, "reason": 4}', "{"])
def test_a_body_that_is_none_is_explained(world, body):
    answer = world.client("registrar").post(URL, body, content_type="application/json")
    assert answer.status_code == 400 and answer.json()["detail"]


def test_who_may_not_edit_may_not_write(world, wells):
    for method, url in (("post", URL), ("patch", f"{URL}{wells[1].pk}/")):
        answer = send(world.client("duty"), method, url, {"values": {"name": "x"}})
        assert answer.status_code == 403 and answer.json()["detail"]


def test_a_key_cannot_be_changed(world, wells):
    answer = send(world.client("registrar"), "patch", f"{URL}{wells[1].pk}/", {"values": {"code": "W999"}})
    assert answer.status_code == 400 and "code" in answer.json()["errors"]


def test_writing_needs_the_token_of_the_session(world, wells):
    client = Client(enforce_csrf_checks=True)
    client.force_login(world.users["registrar"], backend="luming.web.auth.Backend")
    refused = send(client, "post", URL, {"values": NEW})
    assert refused.status_code == 403 and "X-CSRFToken" in refused.json()["detail"]
    assert not Well.objects.filter(code="W900").exists()
    client.get("/registers/wells/new/")
    token = client.cookies["csrftoken"].value
    answer = client.post(URL, {"values": NEW}, content_type="application/json", headers={"X-CSRFToken": token})
    assert answer.status_code == 201


def test_a_program_without_a_session_is_told(world):
    answer = Client().get(URL, headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json()["detail"]) == (401, "请先登录。")


def test_other_methods_are_refused(world, wells):
    assert world.client("registrar").delete(f"{URL}{wells[0].pk}/").status_code == 405


def test_the_description_names_every_register_field_and_parameter(world):
    document = get(world.client("duty"), url="/api/v1/openapi.json")
    assert document["openapi"].startswith("3.")
    paths = document["paths"]
    assert set(paths["/api/v1/registers/wells/"]) == {"get", "post"}
    assert set(paths["/api/v1/registers/wells/{pk}/"]) == {"get", "patch"}
    parameters = {item["name"] for item in paths["/api/v1/registers/wells/"]["get"]["parameters"]}
    assert parameters >= {"q", "region", "use", "depth_m_min", "drilled_on_after", "is_sealed", "sort", "fields", "at"}
    body = paths["/api/v1/registers/wells/"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    values = body["properties"]["values"]
    assert set(values["required"]) == {"code", "name", "region", "depth_m", "longitude", "latitude"}
    assert values["properties"]["depth_m"]["description"] == "Depth (m)"
    changed = paths["/api/v1/registers/wells/{pk}/"]["patch"]["requestBody"]["content"]["application/json"]["schema"]
    assert "code" not in changed["properties"]["values"]["properties"]
    patch = paths["/api/v1/registers/wells/{pk}/"]["patch"]
    assert {(item["name"], item["in"]) for item in patch["parameters"]} == {("pk", "path"), ("If-Match", "header")}
    assert "412" in patch["responses"]
    assert "/api/v1/registers/facilities/" in paths and "/api/v1/registers/samples/" in paths


def test_every_register_answers_as_it_is_described(world, wells):
    """Each list and each first record passes the schema that the interface itself checks answers by."""
    from luming.core import manifest

    client = world.client("duty")
    for register in manifest.registers():
        listed = get(client, url=f"/api/v1/registers/{register.key}/")
        for row in listed["results"][:1]:
            assert get(client, url=f"/api/v1/registers/{register.key}/{row['id']}/")["id"] == row["id"]
