"""The local engine: whether it is ready, who writes for it, and the room on its disk."""

from collections.abc import Iterator

from cli.config import Profile
from cli.diagnosis.api import TIMEOUT_S
from cli.diagnosis.finding import Finding


def check_local_system(profile: Profile) -> Iterator[Finding]:
    """Yield what the engine says of itself."""
    import httpx2

    try:
        answer = httpx2.get(
            f"{profile.endpoint_url}/_local/status", timeout=TIMEOUT_S, trust_env=False
        )
        status = answer.raise_for_status().json()
    except (httpx2.HTTPError, ValueError) as error:
        yield Finding("local system", "problem", f"It tells no status: {error}.", "Run `make up`.")
        return
    state = str(status["state"])
    yield Finding(
        "local system",
        "ok" if state == "ready" else "warning",
        f"It is {state}; its data is in {status['data_dir']}.",
        "" if state == "ready" else "Wait, or look at `make logs FUNCTION=engine`.",
    )
    if status.get("generator") == "simulated":
        said = "The simulator writes, for nothing: ANTHROPIC_API_KEY was not set at `make up`."
        yield Finding("Claude", "ok", said)
    if notice := status.get("notice"):
        yield Finding("model", "warning", notice, "Name another in BRIGHTRUN_CLAUDE_MODEL.")
    disk = str(status.get("disk", ""))
    full = disk != "has room"
    yield Finding(
        "disk",
        "problem" if full else "ok",
        disk if full else "The disk has room.",
        "Free some space; what waits goes on by itself." if full else "",
    )
