"""What every store of objects does: the one in S3, and the one of the tests."""

from __future__ import annotations

import pytest

from brightrun.aws.objects import ObjectStore, S3Objects
from tests.aws import Aws
from tests.fakes.external_services import InMemoryObjects


@pytest.fixture(params=["memory", "s3"])
def objects(request: pytest.FixtureRequest, aws: Aws) -> ObjectStore:
    if request.param == "memory":
        return InMemoryObjects()
    store = S3Objects(aws.s3, "conversation-files")
    store.remove_all("")
    return store


def put(objects: ObjectStore, *keys: str) -> None:
    for key in keys:
        objects.put(key, f"Grüße von {key}", content_type="text/plain", metadata={"by": "me"})


def there(objects: ObjectStore, *keys: str) -> list[str]:
    return [key for key in keys if objects.get(key)]


def test_a_text_comes_back_with_its_metadata(objects: ObjectStore) -> None:
    size = objects.put("a/b.json", "Grüße", content_type="text/plain", metadata={"by": "me"})
    stored = objects.get("a/b.json")
    assert stored is not None
    assert (size, stored.text, stored.metadata) == (7, "Grüße", {"by": "me"})


def test_what_is_not_there_is_none_and_can_be_removed(objects: ObjectStore) -> None:
    assert objects.get("nothing.json") is None
    objects.remove("nothing.json")
    objects.remove_all("nothing/")


def test_one_object_is_removed(objects: ObjectStore) -> None:
    put(objects, "a/1.json", "a/2.json")
    objects.remove("a/1.json")
    assert there(objects, "a/1.json", "a/2.json") == ["a/2.json"]


def test_all_below_a_prefix_are_removed_and_no_others(objects: ObjectStore) -> None:
    below = [f"owner/1/{number}.json" for number in range(1001)]  # more than one page of a listing
    put(objects, *below, "owner/10/1.json", "raw/owner/1/1.json")
    objects.remove_all("owner/1/")
    assert there(objects, *below) == []
    assert there(objects, "owner/10/1.json", "raw/owner/1/1.json") != []


def test_all_are_listed_in_order_or_those_after_a_key(objects: ObjectStore) -> None:
    put(objects, "b/1.json", "a/2.json", "a/1.json", "c.json")
    listed = [one.key for one in objects.listed()]
    assert listed == ["a/1.json", "a/2.json", "b/1.json", "c.json"]
    assert [one.key for one in objects.listed(after="a/2.json")] == ["b/1.json", "c.json"]
    (*_, last) = objects.listed()
    assert last.stored_at.tzinfo is not None
