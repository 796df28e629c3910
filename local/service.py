"""The engine's process: starting all parts of the system, and stopping them."""

import asyncio
import logging
import signal
from collections.abc import Callable
from typing import Any

from local.console import Console
from local.deploy.cloud_assembly import StackArtifact, read_assembly
from local.durability.room import DiskRoom
from local.durability.snapshot import SnapshotSchedule
from local.emulator import Emulator, prepare_environment
from local.front_door import FrontDoor
from local.generator import Generator, choose_generator
from local.lambdas.code_cache import CodeCache
from local.lambdas.deployed import DeployedFunctions
from local.lifeline import Lifeline
from local.outputs import write_outputs
from local.sagemaker.service import SageMaker
from local.settings import HOST, DataFolder, Settings
from local.status import Status, outputs_by_name

_log = logging.getLogger(__name__)

Announce = Callable[[dict[str, Any]], None]
"""Hears of the status once the system is ready."""


async def serve(settings: Settings, listener: int, port: int, announce: Announce) -> None:
    """Run one engine on a listening socket until SIGTERM or SIGINT.

    The caller holds the lock of the data folder. Raises what kept the system from getting ready:
    AssemblyError, DeploymentFailed, SimulatorFailed, WrongEmulatorVersion.
    """
    folder = DataFolder(settings.data_dir)
    stacks = read_assembly(settings.template_dir)
    lifeline = Lifeline()
    choosing = asyncio.create_task(
        asyncio.to_thread(choose_generator, settings, stacks, folder, lifeline.descriptor)
    )
    prepare_environment(folder, port)
    code = CodeCache(folder.code)
    functions = DeployedFunctions(code, folder.logs, port, lifeline.descriptor)
    emulator = Emulator(folder, functions, settings.anthropic_api_key)
    service = _Service(settings, folder, port, emulator, functions, code)
    try:
        await service.run(listener, stacks, choosing, announce)
    finally:
        await asyncio.wait({choosing})
        if choosing.exception() is None:
            choosing.result().stop()


class _Service:
    """The parts of one engine, and the order in which they start and stop."""

    def __init__(
        self,
        settings: Settings,
        folder: DataFolder,
        port: int,
        emulator: Emulator,
        functions: DeployedFunctions,
        code: CodeCache,
    ) -> None:
        self._settings = settings
        self._folder = folder
        self._endpoint_url = f"http://{HOST}:{port}"
        self._emulator = emulator
        self._functions = functions
        self._code = code
        self._sagemaker = SageMaker(settings, folder, self._endpoint_url)
        self._room = DiskRoom(folder.root)
        self._status = Status(self._endpoint_url, folder, self._live_status)
        self._snapshots = SnapshotSchedule(emulator.capture, emulator.snapshot.write)
        self._preloading: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()
        self._closing = asyncio.Event()

    async def run(
        self,
        listener: int,
        stacks: list[StackArtifact],
        choosing: "asyncio.Task[Generator]",
        announce: Announce,
    ) -> None:
        """Start serving, deploy, announce readiness, and stop cleanly on request."""
        for name in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(name, self._stop)
        serving = asyncio.create_task(self._serve_requests(listener))
        snapshots: asyncio.Task[None] | None = None
        try:
            await asyncio.wait(
                {serving, self._emulator.started}, return_when=asyncio.FIRST_COMPLETED
            )
            await (serving if serving.done() else self._emulator.started)
            await self._get_ready(stacks, await choosing)
            _log.info(
                "Ready at %s: stacks %s, conversations by %s.",
                self._endpoint_url,
                ", ".join(stack.name for stack in stacks),
                (await choosing).name,
            )
            snapshots = asyncio.create_task(self._snapshots.run())
            announce(self._status.document())
            stopping = asyncio.create_task(self._stopping.wait())
            await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            _log.info("Stopping.")
            await asyncio.to_thread(self._sagemaker.close)
            self._closing.set()
            self._emulator.halt_executions()
            await asyncio.to_thread(self._functions.close)
            await serving
            if self._preloading is not None:
                await self._preloading
            if snapshots is not None:
                snapshots.cancel()
                self._emulator.take_last_snapshot()
                _log.info("Stopped; everything is on disk.")

    def _live_status(self) -> dict[str, Any]:
        return {"disk": self._room.shortage() or "has room", **self._sagemaker.status()}

    def _stop(self) -> None:
        """Stop at once while getting ready; later, training saves its checkpoints first."""
        self._stopping.set()
        if not self._status.is_ready:
            self._closing.set()

    async def _serve_requests(self, listener: int) -> None:
        from local.http_server import serve_http

        application = FrontDoor(
            self._emulator.handle,
            self._sagemaker.endpoint,
            Console(),
            self._status,
            self._snapshots.mark,
            self._room.shortage,
        )
        await serve_http(application, listener, self._closing)

    async def _get_ready(self, stacks: list[StackArtifact], generator: Generator) -> None:
        from local.deploy.deployment import deploy, is_current, kept_users

        record = self._emulator.deployment
        parameters = {**generator.parameters, **kept_users(record, stacks)}
        changed = not is_current(record, stacks, parameters)
        if changed:
            record = await asyncio.to_thread(
                deploy, stacks, parameters, self._endpoint_url, self._code.keep_only
            )
        await asyncio.to_thread(self._set_up_accounts, outputs_by_name(record), changed)
        if changed:
            self._emulator.deployment = record
            await self._snapshots.take()
        await asyncio.to_thread(self._sagemaker.start, outputs_by_name(record))
        self._status.ready(record, generator.name, generator.notice)
        write_outputs(record, self._status.document(), self._folder)
        self._emulator.resume_executions()
        deployed = self._emulator.deployed_functions()
        self._preloading = asyncio.create_task(asyncio.to_thread(self._functions.preload, deployed))

    def _set_up_accounts(self, outputs: dict[str, str], deployed_anew: bool) -> None:
        from local.deploy.clients import client
        from local.sign_in import ensure_user

        key = self._settings.anthropic_api_key
        if key and "ClaudeApiKeySecretArn" in outputs:
            client("secretsmanager", self._endpoint_url).put_secret_value(
                SecretId=outputs["ClaudeApiKeySecretArn"], SecretString=key
            )
        password_file = self._folder.password
        if "UserPoolId" in outputs and (deployed_anew or not password_file.exists()):
            cognito = client("cognito-idp", self._endpoint_url)
            ensure_user(cognito, outputs["UserPoolId"], password_file)
