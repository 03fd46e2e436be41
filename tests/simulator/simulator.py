# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulator inside a test: a thread of its own with the server in it."""

from __future__ import annotations

import asyncio
import ssl
import threading
from types import TracebackType
from typing import Any, Callable, TypeVar

from .routes import OWNERS
from .server import LOOPBACK, Server
from .world import World

START_TIMEOUT = 30.0
Result = TypeVar("Result")


class Simulator:
    """A server on a free port of the loopback address; use it with `with`, or with start() and stop().

    With the SSL context of a server it speaks HTTPS. The state belongs to the thread of the server, so every
    method hands its work over to it.
    """

    def __init__(self, port: int = 0, ssl_context: ssl.SSLContext | None = None) -> None:
        self.port = port
        self._ssl_context = ssl_context
        self._world = World()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._ready = threading.Event()
        self._problem: OSError | None = None
        self._thread = threading.Thread(target=self._run, name="simulator", daemon=True)

    def __enter__(self) -> Simulator:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> Simulator:
        """Start the server and wait until it listens; OSError where the port is taken."""
        self._thread.start()
        self._ready.wait(START_TIMEOUT)
        if self._problem:
            raise self._problem
        return self

    def stop(self) -> None:
        """Stop the server and close every connection."""
        if self._loop and self._stop and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(START_TIMEOUT)

    @property
    def url(self) -> str:
        """The base URL, below which every API is served."""
        return f"{'https' if self._ssl_context else 'http'}://{LOOPBACK}:{self.port}"

    def endpoint(self, service: str) -> str:
        """The base URL of one service, of IAM (`iam`) or of the metadata address (`metadata`)."""
        if service not in OWNERS:
            raise ValueError(f"service must be one of {', '.join(OWNERS)}, not {service!r}")
        return f"{self.url}/{OWNERS[service]}"

    def add_task(self, service: str, **given: Any) -> dict[str, str]:
        """Create a task; the result has service, task_id, instance_id, task_name and project_id."""
        return self._do(lambda world: world.tasks.create({"service": service, **given}, world.now()).reference())

    def change_task(self, task_id: str, **given: Any) -> dict[str, str]:
        """Change a task; a new timeline counts from now."""
        return self._do(lambda world: world.tasks.change(task_id, given, world.now()).reference())

    def remove_task(self, task_id: str) -> None:
        """Forget a task."""
        self._do(lambda world: world.tasks.remove(task_id))

    def add_fault(self, kind: str, **given: Any) -> dict[str, Any]:
        """Switch a fault on; `from_` stands for the key `from`, which is a word of the language."""
        renamed = {name.rstrip("_"): value for name, value in given.items()}
        return self._do(lambda world: world.faults.add({"fault": kind, **renamed}, world.now()).describe())

    def faults(self) -> list[dict[str, Any]]:
        """All faults, with how many requests each has met."""
        return self._do(lambda world: world.faults.describe())

    def clear_faults(self) -> None:
        """Switch all faults off."""
        self._do(lambda world: world.faults.clear())

    def set_limit(self, **given: Any) -> dict[str, Any]:
        """Put a request limit into force, or change the one of the same `apis` and `scope`."""
        return self._do(lambda world: world.limits.set(given, world.now()).describe())

    def limits(self) -> list[dict[str, Any]]:
        """The request limits in force."""
        return self._do(lambda world: world.limits.describe())

    def clear_limits(self) -> None:
        """Lift all request limits."""
        self._do(lambda world: world.limits.clear())

    def change_accounts(self, **given: Any) -> None:
        """Change tokens, keys, projects, IAM or the metadata address."""
        self._do(lambda world: world.identity.change(given))

    def change_operations(self, **given: Any) -> dict[str, Any]:
        """Change how long the tasks take that operations start, and how they end."""
        return self._do(lambda world: world.operations.change(given))

    def change_lists(self, service: str | None = None, **given: Any) -> None:
        """Change how the list of a service behaves, or how all do; what is not given is as at the start."""
        named = {"service": service} if service else {}
        self._do(lambda world: world.list_rules.change({**named, **given}))

    def change_settings(self, **given: Any) -> None:
        """Change a setting."""
        self._do(lambda world: world.change_settings(given))

    def requests(self, service: str | None = None, task_id: str | None = None) -> list[dict[str, Any]]:
        """The log, or what it holds about a service or a task."""
        return self._do(lambda world: world.journal.select(service, task_id))

    def clear_requests(self) -> None:
        """Clear the log and the peaks."""
        self._do(lambda world: world.clear_requests())

    def reset(self) -> None:
        """Forget tasks, faults, the log and every change of accounts and settings."""
        self._do(lambda world: world.reset())

    def stats(self) -> dict[str, Any]:
        """Numbers: requests, active_requests, peak_requests, peak_connections, tasks, tokens_issued, wrong_passwords.

        `apis` has those granted and refused by request limits for each service/api.
        """
        return self._do(lambda world: world.stats())

    def _do(self, work: Callable[[World], Result]) -> Result:
        """Carry out work in the thread of the server."""
        if self._loop is None or not self._thread.is_alive():
            raise RuntimeError("the simulator does not run")

        async def call() -> Result:
            return work(self._world)

        return asyncio.run_coroutine_threadsafe(call(), self._loop).result(START_TIMEOUT)

    def _run(self) -> None:
        """The thread."""
        try:
            asyncio.run(self._serve())
        except OSError as problem:
            self._problem = problem
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        """Serve until stop() is called."""
        server = Server(self._world, self._ssl_context)
        stop = asyncio.Event()
        try:
            self.port = await server.start(self.port)
            self._loop, self._stop = asyncio.get_running_loop(), stop
            self._ready.set()
            await stop.wait()
        finally:
            await server.stop()
