"""The figures of the scoreboard: what each says, its target, and the tests that measure it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure, measured by tests.

    A test may record how many `samples` it took and, by the name `measure`, a value (pytest's
    record_property); else each test is a sample and the value is how many failed. The figure is
    missed if a test fails, the largest value is above `most`, or there are fewer samples than
    `fewest`. `deviation` says how the measure differs from what a reader would expect.
    """

    name: str
    says: str
    fewest: int
    tests: tuple[str, ...]
    most: int = 0
    measure: str = ""
    deviation: str = ""


FIGURES = (
    Figure(
        "R1",
        "lost or doubled effects with a fault at any call of a batch or an order",
        150,
        (
            "tests/stateful/test_fault_sweep.py",
            "tests/stateful/test_economy_fault_sweep.py",
            "tests/stateful/test_interleavings.py",
            "tests/handlers/test_idempotency.py::"
            "test_an_order_that_died_at_any_call_is_finished_by_its_repetition",
        ),
    ),
    Figure(
        "R2",
        "effects of 16 equal requests at once",
        50,
        (
            "tests/handlers/test_idempotency.py::test_sixteen_orders_at_once_make_one_job",
            "tests/handlers/test_idempotency.py::test_sixteen_trainings_at_once_make_one_job",
        ),
        most=1,
        measure="effects",
        deviation="The three routes that write share one service; judgements are in R3's tests.",
    ),
    Figure(
        "R3",
        "broken promises of the Idempotency-Key, by route that spends",
        40,
        ("tests/handlers/test_idempotency.py",),
    ),
    Figure(
        "R4",
        "invariants broken in sequences of events on two owners' jobs",
        10_000,
        ("tests/stateful/test_batch_states.py",),
    ),
    Figure(
        "R5",
        "pairs of a status and an action that the repository decides otherwise than the table",
        49,
        (
            "tests/contract/test_batch_repositories.py::"
            "test_every_pair_of_a_status_and_an_action_is_decided_as_the_table_says",
            "tests/unit/training/test_training_transitions.py::"
            "test_every_pair_of_statuses_is_decided_as_the_table_says",
        ),
    ),
    Figure(
        "R6",
        "edges of the state machines never taken, and faults of their text",
        40,
        (
            "tests/workflows/test_definition.py",
            "tests/workflows/test_train_adapter_definition.py",
            "tests/workflows/test_generate_batch.py::"
            "test_one_job_to_which_everything_happens_takes_every_edge_of_the_machine",
        ),
    ),
    Figure(
        "R7",
        "good items of 100 not finished beside 1, 10, 50 or 100 bad ones of six kinds",
        2_400,
        ("tests/stateful/test_poison.py",),
    ),
    Figure(
        "R8",
        "answers paid for again after a fault at any call, of one call in flight",
        150,
        (
            "tests/stateful/test_fault_sweep.py::"
            "test_a_fault_at_any_call_changes_nothing_in_the_end",
        ),
        most=1,
        measure="paid_again",
    ),
    Figure(
        "R9",
        "calls for one item while Claude is down; a fault that cannot pass is asked once",
        12,
        (
            "tests/workflows/test_generate_batch.py::"
            "test_a_total_outage_costs_four_calls_an_item_and_then_ends_the_batch",
            "tests/contract/test_claude_gateway.py",
            "tests/unit/batches/test_run_worker.py",
        ),
        most=4,
        measure="calls_an_item",
    ),
    Figure(
        "R10",
        "asynchronous calls without a queue for what fails",
        2,
        (
            "tests/infra/test_alarms.py::test_what_events_call_has_a_queue_for_what_fails",
            "tests/infra/test_alarms.py::test_no_function_that_is_called_by_events_lacks_a_queue",
        ),
        deviation="No queue feeds a function here, so nothing is received in batches.",
    ),
    Figure(
        "R11",
        "limits that do not fit each other (timeouts, leases, sizes)",
        15,
        ("tests/infra/test_limits.py",),
    ),
    Figure(
        "R12",
        "interleavings of concurrent workers that overspend a cap",
        1_000,
        ("tests/stateful/test_cap.py", "tests/stateful/test_budgets.py"),
    ),
    Figure(
        "S1",
        "findings of cdk-nag that are accepted, each on one resource with its reason; none open",
        1,
        ("tests/infra/test_policy.py",),
        most=12,
        measure="acknowledgements",
        deviation="cdk-nag wants one for each role and wildcard in an object key.",
    ),
    Figure(
        "S2",
        "wildcard actions, needless wildcard resources, managed policies, shared roles",
        100,
        ("tests/infra/test_permissions.py",),
    ),
    Figure(
        "S3",
        "permissions granted and not used, or used and not granted",
        40,
        ("tests/infra/test_roles.py",),
    ),
    Figure(
        "S4",
        "wrong answers to another owner, an ID token, or nobody",
        100,
        (
            "tests/handlers/test_ownership.py",
            "tests/infra/test_routes.py",
        ),
        deviation="An expired token is turned away by API Gateway before our code.",
    ),
    Figure(
        "S5",
        "broken promises of the OpenAPI document under generated requests",
        15_000,
        ("tests/api/test_schemathesis.py",),
    ),
    Figure(
        "S6",
        "fields of the server's own that a request may set",
        40,
        ("tests/api/test_closed_requests.py",),
    ),
    Figure(
        "S7",
        "fields of requests without bounds",
        90,
        (
            "tests/api/test_openapi_document.py",
            "tests/handlers/test_request_bodies.py",
        ),
    ),
    Figure(
        "S8",
        "words of prompts, keys or people in logs, whatever fails",
        30,
        (
            "tests/stateful/test_fault_sweep.py::"
            "test_a_fault_at_any_call_changes_nothing_in_the_end",
            "tests/e2e/test_paid_once.py::test_no_word_of_a_prompt_reaches_a_log_whatever_fails",
            "tests/contract/test_claude_gateway.py::test_no_failure_message_contains_the_prompt",
        ),
    ),
    Figure(
        "S9",
        "resources with a waived finding of cfn-lint or checkov; none open",
        1,
        ("tests/infra/test_linters.py",),
        most=4,
        measure="waived_resources",
        deviation="ruff's rules of bandit run in `make check`; there is no semgrep.",
    ),
    Figure(
        "S10",
        "hostile files and answers that are taken for sound",
        100,
        (
            "tests/unit/validation/test_hostile_files.py",
            "tests/unit/conversations/test_safety.py",
            "tests/unit/training/test_artifact_archive.py",
        ),
    ),
)
