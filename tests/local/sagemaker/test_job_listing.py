"""ListTrainingJobs: filters, order and pages."""

from typing import Any

import pytest

from local.sagemaker.errors import RequestRefused
from local.sagemaker.job_listing import list_jobs
from local.sagemaker.training_job import TrainingJob, new_job
from tests.local.sagemaker.emulated import job_request


def _jobs() -> list[TrainingJob]:
    jobs = []
    for number in range(5):
        job = new_job(job_request(f"run-{number}"), {"TrainingJobName"}, 100.0 + number)
        if number % 2:
            job.fail("broken", 200.0)
        jobs.append(job)
    return jobs


def _names(request: dict[str, Any]) -> list[str]:
    summaries = list_jobs(_jobs(), request)["TrainingJobSummaries"]
    return [summary["TrainingJobName"] for summary in summaries]


@pytest.mark.parametrize(
    ("request_members", "numbers"),
    [
        ({}, [0, 1, 2, 3, 4]),
        ({"SortOrder": "Descending"}, [4, 3, 2, 1, 0]),
        ({"StatusEquals": "Failed"}, [1, 3]),
        ({"NameContains": "n-3"}, [3]),
        ({"CreationTimeAfter": 101.0}, [2, 3, 4]),
        ({"CreationTimeBefore": 101.0}, [0]),
        ({"LastModifiedTimeAfter": 150}, [1, 3]),
        ({"LastModifiedTimeBefore": 150}, [0, 2, 4]),
        ({"SortBy": "Status"}, [1, 3, 0, 2, 4]),
        ({"SortBy": "Name", "SortOrder": "Descending", "MaxResults": 2}, [4, 3]),
    ],
)
def test_jobs_are_filtered_and_ordered(request_members: dict[str, Any], numbers: list[int]) -> None:
    assert _names(request_members) == [f"run-{number}" for number in numbers]


@pytest.mark.parametrize("order", ["Ascending", "Descending"])
@pytest.mark.parametrize("column", ["CreationTime", "Name", "Status"])
def test_pages_hold_every_job_once(column: str, order: str) -> None:
    request: dict[str, Any] = {"SortBy": column, "SortOrder": order, "MaxResults": 2}
    found: list[str] = []
    while True:
        answer = list_jobs(_jobs(), request)
        found += [summary["TrainingJobName"] for summary in answer["TrainingJobSummaries"]]
        if "NextToken" not in answer:
            break
        request["NextToken"] = answer["NextToken"]
    assert len(found) == 5
    assert found == _names({"SortBy": column, "SortOrder": order})


def test_summary_says_when_and_how_a_job_ended() -> None:
    summary = list_jobs(_jobs(), {"NameContains": "run-1"})["TrainingJobSummaries"][0]
    assert summary["TrainingJobStatus"] == summary["SecondaryStatus"] == "Failed"
    assert summary["TrainingEndTime"] == 200.0


@pytest.mark.parametrize("token", ["garbage!", "bm90IGpzb24=", "W10="])
def test_token_of_no_page_is_refused(token: str) -> None:
    with pytest.raises(RequestRefused, match="Invalid pagination token"):
        list_jobs(_jobs(), {"NextToken": token})


def test_token_of_another_order_is_refused() -> None:
    token = list_jobs(_jobs(), {"MaxResults": 1})["NextToken"]
    with pytest.raises(RequestRefused, match="Invalid pagination token"):
        list_jobs(_jobs(), {"NextToken": token, "SortBy": "Name"})
