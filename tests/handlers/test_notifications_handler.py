"""The routes of notifications."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from tests.builders import OWNER, STRANGER
from tests.handlers.gateway import Api
from tests.handlers.seeds import Seeds

NOTIFICATIONS = "/api/notifications"


def listed(api: Api, *, owner: str = OWNER, **query: str) -> dict[str, Any]:
    return api(f"GET {NOTIFICATIONS}", query=query, owner=owner).body


def test_notifications_are_listed_newest_first_with_the_number_of_unread_ones(
    api: Api, seeds: Seeds
) -> None:
    seeds.notification(1, read=True)
    newest = seeds.notification(2)
    data = listed(api)["data"]
    assert data["unread_count"] == 1
    assert [one["read"] for one in data["notifications"]] == [False, True]
    assert data["notifications"][0] == {
        "id": newest.notification_id,
        "type": "dataset_ready",
        "title": "Dataset Ready",
        "message": "The dataset 'First' is ready.",
        "priority": "medium",
        "action_url": "/datasets/dataset-2",
        "metadata": {"dataset_id": "dataset-2"},
        "read": False,
        "created_at": "2026-11-21T12:00:02.000Z",
    }
    assert len(listed(api, unread="true")["data"]["notifications"]) == 1


def test_twenty_are_shown_where_no_number_is_asked_for(api: Api, seeds: Seeds) -> None:
    for number in range(25):
        seeds.notification(number)
    first = listed(api)
    rest = listed(api, cursor=first["next_cursor"])
    assert [len(page["data"]["notifications"]) for page in (first, rest)] == [20, 5]
    assert rest["next_cursor"] is None
    assert first["data"]["unread_count"] == 25


@pytest.mark.parametrize("written", [str, lambda text: quote(text, safe="")])
def test_one_is_marked_as_read_however_its_id_is_written(
    api: Api, seeds: Seeds, written: Any
) -> None:
    notification = seeds.notification()
    for _ in range(2):
        marked = api(f"PATCH {NOTIFICATIONS}/{written(notification.notification_id)}/read", {})
        assert (marked.status, marked.body["data"]["read"]) == (200, True)
    assert listed(api)["data"]["unread_count"] == 0


def test_all_are_marked_as_read_and_only_the_callers(api: Api, seeds: Seeds) -> None:
    for number in range(3):
        seeds.notification(number)
    seeds.notification(owner_id=STRANGER)
    answer = api(f"POST {NOTIFICATIONS}/read-all")
    assert (answer.status, answer.body["data"]) == (200, {"marked": 3, "unread_count": 0})
    assert listed(api, owner=STRANGER)["data"]["unread_count"] == 1


def test_what_is_no_id_is_refused_before_it_is_looked_up(api: Api) -> None:
    refused = api(f"PATCH {NOTIFICATIONS}/a%20b/read", {})
    assert (refused.status, refused.fields) == (400, {"notification_id"})
    assert api(f"GET {NOTIFICATIONS}", query={"unread": "perhaps"}).fields == {"unread"}
