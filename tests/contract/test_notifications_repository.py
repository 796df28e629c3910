"""What every store of notifications promises: the one in memory and the one in DynamoDB."""

from __future__ import annotations

import pytest

from brightrun.core.errors import NotFoundError
from brightrun.notifications.repository import DynamoNotifications, NotificationRepository
from tests.builders import OWNER, STRANGER
from tests.fakes.datasets import InMemoryNotifications, a_notification


@pytest.fixture(params=["memory", "dynamodb"])
def repository(request: pytest.FixtureRequest) -> NotificationRepository:
    if request.param == "memory":
        return InMemoryNotifications()
    aws = request.getfixturevalue("aws")
    return DynamoNotifications(aws.dynamodb, "NotificationsTable")


def listed(repository: NotificationRepository, *, unread: bool = False) -> list[str]:
    page = repository.notifications(OWNER, unread=unread, limit=100, cursor=None)
    return [one.action_url for one in page.records]


def test_notifications_come_newest_first_and_in_pages(repository: NotificationRepository) -> None:
    for number in (1, 3, 2):
        repository.add(a_notification(number))
    first = repository.notifications(OWNER, unread=False, limit=2, cursor=None)
    rest = repository.notifications(OWNER, unread=False, limit=2, cursor=first.next_cursor)
    assert [*first.records, *rest.records] == [a_notification(number) for number in (3, 2, 1)]
    assert rest.next_cursor is None


def test_adding_it_again_leaves_it_read(repository: NotificationRepository) -> None:
    added = a_notification()
    repository.add(added)
    repository.mark_read(OWNER, added.notification_id)
    repository.add(added)
    assert repository.unread_count(OWNER) == 0


def test_what_was_read_is_neither_counted_nor_listed_as_unread(
    repository: NotificationRepository,
) -> None:
    for number in (1, 2):
        repository.add(a_notification(number))
    read = repository.mark_read(OWNER, a_notification(1).notification_id)
    assert read == a_notification(1, read=True)
    assert repository.unread_count(OWNER) == 1
    assert listed(repository, unread=True) == ["/datasets/dataset-2"]
    assert listed(repository) == ["/datasets/dataset-2", "/datasets/dataset-1"]


def test_marking_twice_changes_nothing(repository: NotificationRepository) -> None:
    added = a_notification()
    repository.add(added)
    first = repository.mark_read(OWNER, added.notification_id)
    assert repository.mark_read(OWNER, added.notification_id) == first


@pytest.mark.parametrize("owner", [OWNER, STRANGER])
def test_what_is_not_there_or_anothers_cannot_be_marked(
    repository: NotificationRepository, owner: str
) -> None:
    repository.add(a_notification(2))
    missing = a_notification(1 if owner == OWNER else 2).notification_id
    with pytest.raises(NotFoundError):
        repository.mark_read(owner, missing)
    assert repository.unread_count(OWNER) == 1


def test_all_are_marked_however_many_transactions_it_takes(
    repository: NotificationRepository,
) -> None:
    for number in range(1, 131):
        repository.add(a_notification(number))
    repository.add(a_notification(owner_id=STRANGER))
    repository.mark_read(OWNER, a_notification(5).notification_id)
    assert repository.mark_all_read(OWNER) == 129
    assert repository.unread_count(OWNER) == 0
    assert repository.mark_all_read(OWNER) == 0
    assert repository.unread_count(STRANGER) == 1
