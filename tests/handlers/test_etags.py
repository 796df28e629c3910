"""One language of ETags: every GET can be asked again cheaply, every versioned write be guarded."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from tests.api.requests_that_succeed import REQUESTS
from tests.api.test_openapi_document import OPERATIONS, normalised
from tests.handlers.gateway import ABSENT, Answer, Api
from tests.handlers.seeds import Seeds

pytestmark = pytest.mark.usefixtures("runs", "validations", "trainings")

READS = sorted(normalised(one) for one in OPERATIONS if one.startswith("GET "))
GUARDED = sorted(
    normalised(route)
    for route, operation in OPERATIONS.items()
    if any(one["name"] == "if-match" for one in operation.get("parameters", []))
)
SHORT_LIVED = {
    "GET /api/conversations/{id}/download",
    "GET /api/conversations/{id}/download/enriched",
    "GET /api/conversations/{id}/download/raw",
    "GET /api/datasets/{id}/report",
    "GET /api/datasets/{id}/upload",
    "GET /api/failed-generations/{id}/download",
    "GET /api/training-files/{id}/download",
}
"""Their links are signed anew every second."""
SAFE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def known(route: str, seeds: Seeds, api: Api) -> str:
    """Store what the route is about, and give the route with its id in place."""
    sent = REQUESTS[route]
    return route.replace("{id}", quote(sent.known(seeds, api)) if sent.known else "")


def sent(api: Api, route: str, template: str, **headers: str) -> Answer:
    one = REQUESTS[template]
    body = ABSENT if one.body is None else one.body
    return api(
        route, body, query=one.query, headers={k.replace("_", "-"): v for k, v in headers.items()}
    )


def shown(api: Api, route: str) -> Answer:
    return api("GET " + route.partition(" ")[2])


@pytest.mark.parametrize("template", READS)
def test_what_has_not_changed_is_not_sent_again(api: Api, seeds: Seeds, template: str) -> None:
    route = known(template, seeds, api)
    first = sent(api, route, template)
    assert first.status == 200
    etag = first.headers["ETag"]
    for listed in ["*"] if template in SHORT_LIVED else ["*", etag, f'"v0", {etag}, W/"x"']:
        again = sent(api, route, template, If_None_Match=listed)
        assert (again.status, again.text) == (304, "")
        assert again.headers == {**SAFE, "ETag": again.headers["ETag"]}
        assert template in SHORT_LIVED or again.headers["ETag"] == etag
    other = sent(api, route, template, If_None_Match='"v0", W/"0123456789abcdef"')
    assert (other.status, other.body.keys()) == (200, first.body.keys())


def test_what_has_changed_is_sent_with_another_etag(api: Api, seeds: Seeds) -> None:
    job = seeds.job(2)
    watched = f"GET /api/conversations/batch/{job.job_id}/status"
    before = api(watched).headers["ETag"]
    assert before.startswith('W/"')
    api(f"PATCH /api/conversations/batch/{job.job_id}", {"action": "pause"})
    after = api(watched, headers={"If-None-Match": before})
    assert (after.status, after.body["status"]) == (200, "paused")
    assert after.headers["ETag"] != before


def test_the_strong_etag_of_a_record_is_compared_weakly_when_it_is_read(
    api: Api, seeds: Seeds
) -> None:
    route = f"GET /api/conversations/{seeds.conversation().conversation_id}"
    assert api(route).headers["ETag"] == '"v1"'
    assert api(route, headers={"If-None-Match": 'W/"v1"'}).status == 304


def test_errors_have_no_etag(api: Api) -> None:
    missing = api("GET /api/batch-jobs/none", headers={"If-None-Match": "*"})
    assert missing.status == 404
    assert "ETag" not in missing.headers


@pytest.mark.parametrize("listed", ["3", "v3", "'v3'", '"v1", 2', "", '"a" "b"', '"v1",' * 300])
def test_an_if_none_match_that_lists_no_etags_is_refused(api: Api, listed: str) -> None:
    refused = api("GET /api/batch-jobs", headers={"If-None-Match": listed})
    assert (refused.status, refused.fields) == (400, {"If-None-Match"})
    assert '"v3"' in refused.body["error"]


def test_every_change_of_a_record_with_a_version_can_be_guarded(api: Api, seeds: Seeds) -> None:
    strong = {
        template.partition(" ")[2]
        for template in READS
        if sent(api, known(template, seeds, api), template).headers["ETag"].startswith('"v')
    }
    changes = {
        route
        for route in map(normalised, OPERATIONS)
        if route.startswith(("PATCH ", "PUT ", "DELETE ")) and route.partition(" ")[2] in strong
    }
    assert changes == set(GUARDED)
    assert len(changes) == 12


@pytest.mark.parametrize("template", GUARDED)
@pytest.mark.parametrize("listed", ["{}", '"v77", {}', 'W/"v77",{} , W/"x"', "*"])
def test_a_change_of_a_version_that_was_seen_is_made(
    api: Api, seeds: Seeds, template: str, listed: str
) -> None:
    route = known(template, seeds, api)
    seen = shown(api, route).headers["ETag"]
    changed = sent(api, route, template, If_Match=listed.format(seen))
    assert changed.status == 200
    after = shown(api, route)
    assert after.headers.get("ETag") != seen
    assert changed.headers.get("ETag") == after.headers.get("ETag") or after.status == 404


@pytest.mark.parametrize("template", GUARDED)
@pytest.mark.parametrize("listed", ['"v77"', '"v77", "v78"', "W/{}", 'W/{}, "v77"', 'W/"x"'])
def test_a_change_of_another_version_is_refused_with_the_current_state(
    api: Api, seeds: Seeds, template: str, listed: str
) -> None:
    route = known(template, seeds, api)
    before = shown(api, route)
    refused = sent(api, route, template, If_Match=listed.format(before.headers["ETag"]))
    assert (refused.status, refused.body["code"]) == (409, "version_conflict")
    assert before.headers["ETag"] == f'"v{refused.body["details"]["version"]}"'
    assert shown(api, route) == before


@pytest.mark.parametrize("template", GUARDED)
@pytest.mark.parametrize("listed", ["1", '"1"', "v1", "'v1'", '"v1", 2', '"v1" "v2"', '"v"', "** "])
def test_an_if_match_of_another_form_is_refused_with_the_right_one(
    api: Api, seeds: Seeds, template: str, listed: str
) -> None:
    route = known(template, seeds, api)
    before = shown(api, route)
    refused = sent(api, route, template, If_Match=listed)
    assert (refused.status, refused.fields) == (400, {"If-Match"})
    assert '"v3"' in refused.body["error"]
    assert shown(api, route) == before
