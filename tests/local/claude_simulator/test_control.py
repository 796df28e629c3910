from __future__ import annotations

import httpx2
import pytest
from anthropic import Anthropic, OverloadedError

from local.claude_simulator import ClaudeSimulator, fingerprint

from .requests import message_body


@pytest.fixture
def control(simulator: ClaudeSimulator) -> str:
    """The base of the control endpoints, which need neither key nor version."""
    return f"{simulator.url}/_simulator"


def test_faults_can_be_scripted_from_outside(control: str, client: Anthropic) -> None:
    response = httpx2.post(f"{control}/faults", json=[{"status": 529}, {"reset": True}])
    assert response.json() == {"accepted": 2, "pending_faults": 2}
    with pytest.raises(OverloadedError):
        client.messages.create(**message_body())
    assert httpx2.get(f"{control}/journal").json()["pending_faults"] == 1


def test_a_wrong_fault_is_refused_from_outside(control: str) -> None:
    response = httpx2.post(f"{control}/faults", json=[{"status": 1}])
    assert response.status_code == 400
    assert "faults[0].status" in response.json()["error"]["message"]


def test_the_journal_can_be_read_from_outside(control: str, client: Anthropic) -> None:
    client.messages.create(**message_body())
    journal = httpx2.get(f"{control}/journal").json()
    assert journal["endpoints"]["messages"] == {"200": 1}
    name = fingerprint(message_body()["messages"])
    assert journal["conversations"] == {name: {"calls": 1, "answered": 1}}


def test_everything_can_be_reset_from_outside(control: str, client: Anthropic) -> None:
    params = {"custom_id": "a", "params": message_body()}
    client.messages.batches.create(requests=[params])  # type: ignore[list-item]
    httpx2.post(f"{control}/faults", json=[{"status": 529}])
    assert httpx2.post(f"{control}/reset").json() == {"reset": True}
    assert httpx2.get(f"{control}/journal").json()["pending_faults"] == 0
    assert client.messages.batches.list().data == []
    assert client.messages.create(**message_body()).stop_reason == "end_turn"
