# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What several tests need: a clean environment, a simulated cloud, clients that ask it, a server of raw bytes."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import threading
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.huaweicloud.tasks.plugins.module_utils import _argspec, _client, _http
from ansible_collections.huaweicloud.tasks.plugins.module_utils._auth import TokenAuth
from simulator import Simulator, accounts

FOREIGN = ("HW_", "OS_", "HUAWEICLOUD_", "REQUESTS_", "CURL_", "SSL_", "NETRC")
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def fixture_clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No credentials, proxies or files of the person who runs the tests."""
    for name in list(os.environ):
        if name.startswith(FOREIGN) or name.lower() in PROXIES:
            monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))


@pytest.fixture(name="running", scope="session")
def fixture_running() -> Iterator[Simulator]:
    """One simulator for all tests of a process."""
    with Simulator() as simulator:
        yield simulator


@pytest.fixture(name="sim")
def fixture_sim(running: Simulator) -> Simulator:
    """The simulator as after a fresh start."""
    running.reset()
    return running


def options(**given: t.Any) -> dict[str, t.Any]:
    """The options of a module as Ansible gives them: those not given are null or have their default."""
    return {**{name: spec.get("default") for name, spec in _argspec.connection_arguments().items()}, **given}


@pytest.fixture(name="params")
def fixture_params() -> t.Callable[..., dict[str, t.Any]]:
    return options


class Cloud:
    """Builds task clients that ask the simulator, and collects what they want masked."""

    def __init__(self, sim: Simulator) -> None:
        self.sim = sim
        self.masked: list[str] = []

    def client(
        self, service: str | None = None, *, environ: t.Mapping[str, str] | None = None, **given: t.Any
    ) -> _client.TaskClient:
        """A client for one service or, without a service, for the root, where all are served."""
        named = {
            "project_id": accounts.PROJECT_ID,
            "endpoint": self.sim.endpoint(service) if service else self.sim.url,
            "iam_endpoint": self.sim.endpoint("iam"),
            "request_timeout": 10.0,
        }
        params = options(**{**named, **given})
        return _client.new_task_client(params, environ or {}, self.masked.append)

    def by_token(self, service: str | None = None, **given: t.Any) -> _client.TaskClient:
        """... with the demo token."""
        return self.client(service, auth_token=accounts.TOKEN, **given)


@pytest.fixture(name="cloud")
def fixture_cloud(sim: Simulator) -> Cloud:
    return Cloud(sim)


class Sender:
    """Sends single requests to one address of the simulator."""

    def __init__(self, sim: Simulator) -> None:
        self.sim = sim
        self.task = sim.add_task("dds", status="Running", progress=40)
        self.path = f"/v3/{accounts.PROJECT_ID}/jobs"
        self.url = f"{sim.endpoint('dds')}{self.path}?id={self.task['task_id']}"

    def http(self, *, request_timeout: float = 10.0, trust_env: bool = True, **given: t.Any) -> _http.HttpClient:
        """An HTTP client with a session of its own."""
        return _http.HttpClient(_http.new_session(trust_env=trust_env), request_timeout=request_timeout, **given)

    def request(self, **given: t.Any) -> _http.Request:
        """The request for the task, with the demo token."""
        named = {"method": "GET", "url": self.url, "action": "Cannot read it", "names_task": True}
        return _http.Request(**{**named, "auth": TokenAuth(accounts.TOKEN), **given})

    def fail(self, http: _http.HttpClient | None = None, **given: t.Any) -> _http.ApiError:
        """Send a request, and return the error."""
        with pytest.raises(_http.ApiError) as caught:
            (http or self.http()).send(self.request(**given))
        return caught.value


@pytest.fixture(name="sender")
def fixture_sender(sim: Simulator) -> Sender:
    return Sender(sim)


class RawServer:
    """Answers every connection with the bytes given, then closes it; keeps what it was sent."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.received: list[bytes] = []
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, dummy = self._socket.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                connection.settimeout(5)
                self.received.append(self._read(connection))
                connection.sendall(self._answer)

    @staticmethod
    def _read(connection: socket.socket) -> bytes:
        """One request: its head, and as much of a body as that announces."""
        received = b""
        while b"\r\n\r\n" not in received:
            received += connection.recv(65536) or b"\r\n\r\n"
        head, dummy, body = received.partition(b"\r\n\r\n")
        length = re.search(rb"content-length: *(\d+)", head.lower())
        while length and len(body) < int(length[1]):
            body += connection.recv(65536) or b"\0" * int(length[1])
        return head + dummy + body

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)


@pytest.fixture(name="raw_server")
def fixture_raw_server() -> Iterator[t.Callable[[bytes], RawServer]]:
    servers: list[RawServer] = []

    def start(answer: bytes) -> RawServer:
        servers.append(RawServer(answer))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture(name="closed_port")
def fixture_closed_port() -> str:
    """An address where nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"http://127.0.0.1:{server.getsockname()[1]}"
