"""The emulated AWS: ministack in this process, with our patches and our durability."""

import asyncio
import os
from typing import Any

from local.durability.execution_store import ExecutionStore
from local.durability.room import DiskRoom
from local.durability.upload_store import UploadStore
from local.errors import LocalError
from local.lambdas.deployed import DeployedFunctions
from local.settings import ACCESS_KEY, HOST, REGION, DataFolder

DEPLOYMENT_RECORD = "bright_run_deployment"
"""The engine's own entry in the snapshot: what is deployed, at the same instant as the rest."""


def prepare_environment(folder: DataFolder, port: int) -> None:
    """Set what ministack reads at its import, and hide real credentials from boto3."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3"):
        os.environ.pop(name, None)
    direct = ",".join(filter(None, [os.environ.get("NO_PROXY"), HOST, "localhost"]))
    os.environ.update(
        NO_PROXY=direct,
        no_proxy=direct,
        AWS_ACCESS_KEY_ID=ACCESS_KEY,
        AWS_SECRET_ACCESS_KEY=ACCESS_KEY,
        AWS_CONFIG_FILE=os.devnull,
        AWS_SHARED_CREDENTIALS_FILE=os.devnull,
        AWS_DEFAULT_REGION=REGION,
        AWS_ENDPOINT_URL=f"http://{HOST}:{port}",
        MINISTACK_HOST=HOST,
        MINISTACK_REGION=REGION,
        GATEWAY_PORT=str(port),
        PERSIST_STATE="1",
        STATE_DIR=str(folder.root / "blobs"),
        S3_PERSIST="1",
        S3_DATA_DIR=str(folder.root / "s3"),
        TMPDIR=str(folder.root / "tmp"),
        CLOUDTRAIL_RECORDING="0",
        DOCKER_HOST=f"unix://{folder.root}/no-docker",
        IOT_MTLS_ENABLED="0",
        SFTP_ENABLED="0",
        LOG_LEVEL="WARNING",
    )


class Emulator:
    """Ministack over one data folder; call ``prepare_environment`` first.

    Raises WrongEmulatorVersion.
    """

    def __init__(
        self, folder: DataFolder, functions: DeployedFunctions, secret: str | None
    ) -> None:
        from local.ministack_patches import (
            compact_rows,
            definition_checks,
            expressions,
            http_api,
            lambda_execution,
            object_memory,
            object_writes,
            require_version,
            snapshots,
        )
        from local.ministack_patches.item_durability import ItemDurability
        from local.ministack_patches.multipart_uploads import MultipartUploads
        from local.ministack_patches.sorted_queries import SortedQueries
        from local.ministack_patches.workflow_execution import WorkflowExecution

        require_version()
        self.started: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.snapshot = snapshots.open_snapshot(folder.snapshot, (secret,) if secret else ())
        self.deployment: dict[str, Any] = self.snapshot.state_of(DEPLOYMENT_RECORD) or {}
        self._serialize = snapshots.serialize
        expressions.install()
        compact_rows.install()
        self._items = ItemDurability(folder.items)
        self._workflows = WorkflowExecution(
            ExecutionStore(folder.executions), DiskRoom(folder.root)
        )
        self._objects = object_writes.ObjectWrites()
        self._running: list[str] = []
        snapshots.install(self.snapshot)
        lambda_execution.install(functions.execute)
        definition_checks.install()
        http_api.install()
        object_memory.install()
        self._objects.install()
        MultipartUploads(UploadStore(folder.uploads)).install()
        SortedQueries().install()
        self._items.install()
        self._workflows.install()

    async def handle(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request, or ministack's start and stop."""
        from ministack import app

        if scope["type"] == "lifespan":
            await app.app(scope, receive, self._restore_before_complete(send))
        else:
            await app.app(scope, receive, send)

    def resume_executions(self) -> None:
        """Resume the executions that were running at the last stop."""
        self._workflows.resume(self._running)

    def deployed_functions(self) -> list[tuple[dict[str, Any], bytes, list[bytes]]]:
        """The functions that are deployed: configuration, archives of code and layers."""
        from local.ministack_patches import lambda_execution

        return list(lambda_execution.deployed())

    def capture(self) -> bytes:
        """Return a snapshot of everything that has no journal."""
        return self._serialize(self.snapshot, {DEPLOYMENT_RECORD: self.deployment})

    def halt_executions(self) -> None:
        """Stop running executions where they are, to be resumed at the next start."""
        self._workflows.close()

    def take_last_snapshot(self) -> None:
        """Write the snapshot of a clean stop and close the journal of items; raises DiskFull."""
        self._items.close()
        self._objects.write_waiting()
        self.snapshot.write(self.capture())

    def _restore_before_complete(self, send: Any) -> Any:
        """Restore items and executions after ministack's own state, before the first request."""

        async def send_later(message: dict[str, Any]) -> None:
            if message["type"] == "lifespan.startup.complete":
                try:
                    self._items.replay()
                    self._running = self._workflows.restore()
                except LocalError as error:  # the server would log it and serve all the same
                    self.started.set_exception(error)
                else:
                    self.started.set_result(None)
            await send(message)

        return send_later
