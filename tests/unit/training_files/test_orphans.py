"""The sweep of training files: what no row points to goes, and a running build keeps its own."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest

from brightrun.training_files import build_training_file
from brightrun.training_files.orphans import training_file_orphans
from tests.builders import OWNER, START
from tests.unit.training_files.world import World, a_world


def sweep(world: World, hours: int = 25) -> int:
    found = training_file_orphans(world.files, world.objects)
    return found.sweep(START + timedelta(hours=hours), lambda: False).removed


def test_what_no_row_points_to_goes_after_a_day() -> None:
    world = a_world("a")
    file = world.create("a")
    lost = f"{OWNER}/{file.file_id}/v2/lost/training.json"
    gone = f"{OWNER}/no-such-file/v1/lost/training.json"
    for key in (lost, gone):
        world.objects.put(key, "{}", content_type="application/json")
    assert sweep(world, hours=23) == 0
    assert sweep(world) == 2
    assert {*world.objects.objects} == file.object_keys()


def test_a_running_build_keeps_what_it_has_stored_and_one_that_ended_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(build_training_file, "MOST_AT_ONCE", 0)
    world = a_world("a", "b")
    file = world.create("a", "b")
    world.step(file, 1)
    assert sweep(world) == 0
    done = world.finish(file, 1)
    left = f"{OWNER}/{file.file_id}/v1/{file.file_id}/build/1/state.json"
    world.objects.put(left, "{}", content_type="application/json")
    assert sweep(world) == 1
    assert {*world.objects.objects} == done.object_keys()


def test_objects_of_older_versions_of_the_system_whose_keys_lack_the_owner_stay() -> None:
    world = a_world("a")
    file = world.create("a")
    key = f"{file.file_id}/v1/attempt/training.json"
    world.objects.put(key, world.text(file.newest.json_key), content_type="application/json")
    old = dataclasses.replace(file.newest, json_key=key)
    world.files.replace(dataclasses.replace(file, versions=[old]), file)
    assert sweep(world) == 1  # the key of this version, which the row no longer names
    assert key in world.objects.objects


def test_a_version_whose_keys_lack_the_owner_is_the_base_of_the_next_one() -> None:
    world = a_world("a", "b")
    file = world.create("a")
    key = f"{file.file_id}/v1/attempt/training.json"
    world.objects.put(key, world.text(file.newest.json_key), content_type="application/json")
    old = dataclasses.replace(file.newest, json_key=key)
    world.files.replace(dataclasses.replace(file, versions=[old], build=None), file)
    grown = world.add(world.stored(file), "b")
    assert world.ids_in(grown) == ["a", "b"]
    assert grown.newest.json_key.startswith(f"{OWNER}/{file.file_id}/v2/")
