# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTP server: from a request on the wire to the world and back."""

from __future__ import annotations

import asyncio
import ssl
import uuid
from weakref import WeakSet

from aiohttp import web

from . import gate
from .control import PREFIX, control
from .fault_responses import RESPONSES, Case
from .faults import Fault
from .journal import Record
from .lists import LIST_APIS
from .response import Incoming, Response
from .routes import Call, match
from .tasks import Task
from .wire import SILENT, WIRES, Exchange, chunked, send
from .world import World

LOOPBACK = "127.0.0.1"
LONGEST_HEADER = 64 * 1024
LARGEST_BODY = 32 * 1024 * 1024
UNMATCHED = Call("", ())


async def read_request(request: web.Request) -> Incoming:
    """The request without the server library."""
    path, dummy, query_string = request.raw_path.partition("?")
    body = await request.read()
    return Incoming(
        request.method,
        path,
        query_string,
        request.headers,
        body,
        uuid.uuid4().hex,
        request.scheme,
        request.remote or "",
    )


def peer_port(request: web.Request) -> int:
    """The caller's port, which tells connections apart."""
    peer = request.transport.get_extra_info("peername") if request.transport else None
    return int(peer[1]) if peer else 0


def service_name(call: Call | None, task: Task | None) -> str | None:
    """The service a request is for; `jobs` where the path alone does not tell."""
    if call is None:
        return None
    if task:
        return task.service if task.service in call.services else "taurusdb"
    return call.services[0] if len(call.services) == 1 else call.api


class Server:
    """One world behind one port of the loopback address."""

    def __init__(self, world: World, ssl_context: ssl.SSLContext | None = None) -> None:
        self.world = world
        self._ssl_context = ssl_context
        self._transports: WeakSet[asyncio.BaseTransport] = WeakSet()
        application = web.Application(client_max_size=LARGEST_BODY)
        application.router.add_route("*", "/{path:.*}", self.handle)
        self._runner = web.AppRunner(
            application,
            access_log=None,
            handler_cancellation=True,
            shutdown_timeout=0.1,
            max_field_size=LONGEST_HEADER,
            max_line_size=LONGEST_HEADER,
        )

    async def start(self, port: int) -> int:
        """Listen on the port, or on a free one for 0; the port it is."""
        await self._runner.setup()
        await web.TCPSite(self._runner, LOOPBACK, port, backlog=2048, ssl_context=self._ssl_context).start()
        return int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Close the port and every connection."""
        await self._runner.cleanup()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Respond to one request."""
        incoming = await read_request(request)
        if incoming.path.startswith(f"{PREFIX}/"):
            return send(control(self.world, incoming))
        call = match(incoming.method, incoming.path, incoming.query)
        task = self.world.find_task(call) if call else None
        record = self._record(request, incoming, call, task)
        server = self._runner.server
        self.world.journal.open(record, len(server.connections) if server else 0)
        try:
            return await self._respond(request, incoming, call, task, record)
        finally:
            self.world.journal.close()

    async def _respond(
        self, request: web.Request, incoming: Incoming, call: Call | None, task: Task | None, record: Record
    ) -> web.StreamResponse:
        """The response, or what a fault makes of it."""
        reused = self._is_reused(request.transport)
        throttled = self.world.throttle(incoming, call, service_name(call, task))
        fault = None if throttled else self._fault(incoming, call, task, reused)
        response = throttled or self._answer(incoming, call, task, fault)
        self._add_headers(incoming, call, response)
        if fault is None:
            record.status = response.status
            return send(response)
        record.fault = fault.kind
        record.status = None if fault.kind in SILENT else response.status
        wire = chunked if fault.get("chunked") else WIRES.get(fault.kind)
        return await wire(Exchange(request, fault, response)) if wire else send(response)

    def _answer(self, incoming: Incoming, call: Call | None, task: Task | None, fault: Fault | None) -> Response:
        """What the world says, unless a fault speaks in its place."""
        if fault and fault.kind in RESPONSES:
            return RESPONSES[fault.kind](Case(fault, incoming, call or UNMATCHED))
        return self.world.respond(incoming, call, task)

    def _is_reused(self, transport: asyncio.BaseTransport | None) -> bool:
        """Whether the connection has brought a request before."""
        known = transport in self._transports
        if transport is not None:
            self._transports.add(transport)
        return known

    def _fault(self, incoming: Incoming, call: Call | None, task: Task | None, reused: bool) -> Fault | None:
        """The fault which takes this request."""
        services = (service_name(call, task) or "",) if task else (call or UNMATCHED).services
        task_id = task.id if task else (call or UNMATCHED).task_id
        request = {
            "services": services,
            "task_id": task_id,
            "method": incoming.method,
            "reused": reused,
            "list": (call or UNMATCHED).api in LIST_APIS,
        }
        return self.world.faults.pick(request, self.world.now())

    def _record(self, request: web.Request, incoming: Incoming, call: Call | None, task: Task | None) -> Record:
        """The entry of a request in the log."""
        return Record(
            at=round(self.world.now(), 4),
            method=incoming.method,
            path=incoming.path,
            query=incoming.query,
            service=service_name(call, task),
            task_id=(task.id if task else (call or UNMATCHED).task_id) or None,
            auth=gate.method_name(incoming),
            connection=peer_port(request),
            user_agent=incoming.header("User-Agent"),
            language=incoming.header("X-Language"),
        )

    @staticmethod
    def _add_headers(incoming: Incoming, call: Call | None, response: Response) -> None:
        """The ids by which support finds a request again."""
        response.headers.setdefault("X-Request-Id", incoming.request_id)
        if call and "iam" in call.services:
            response.headers.setdefault("X-IAM-Trace-Id", f"token_{incoming.request_id}")
