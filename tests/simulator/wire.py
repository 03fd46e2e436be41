# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Responses on the wire, sound ones and those which a broken network would give."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Callable

from aiohttp import web

from .faults import Fault
from .response import Response

DRIP_INTERVAL = 1.0
SLOW_SECONDS = 2.0
HANG_SECONDS = 3600.0


@dataclass(frozen=True)
class Exchange:
    """A request, the fault it meets and the response it would get."""

    request: web.Request
    fault: Fault
    response: Response


Wire = Callable[[Exchange], Awaitable[web.StreamResponse]]


def response_head(response: Response) -> web.StreamResponse:
    """The head of a response whose body is written by hand."""
    return web.StreamResponse(
        status=response.status, headers={**response.headers, "Content-Type": response.content_type}
    )


def send(response: Response) -> web.Response:
    """A sound response."""
    headers = {**response.headers, "Content-Type": response.content_type}
    return web.Response(status=response.status, body=response.payload(), headers=headers)


def unanswered() -> web.Response:
    """A stand-in for the response to a request whose connection is gone; it is never sent."""
    return web.Response(status=499)


async def reset(exchange: Exchange) -> web.StreamResponse:
    """End the connection with a TCP reset before any byte."""
    if exchange.request.transport is not None:
        sock = exchange.request.transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        exchange.request.transport.abort()
    return unanswered()


async def close(exchange: Exchange) -> web.StreamResponse:
    """End the connection in good order, without a response."""
    if exchange.request.transport is not None:
        exchange.request.transport.close()
    return unanswered()


async def hang(exchange: Exchange) -> web.StreamResponse:
    """Say nothing for a long time, then close."""
    await asyncio.sleep(float(exchange.fault.get("seconds", HANG_SECONDS)))
    return await close(exchange)


async def slow(exchange: Exchange) -> web.StreamResponse:
    """The right response, late."""
    await asyncio.sleep(float(exchange.fault.get("seconds", SLOW_SECONDS)))
    return send(exchange.response)


async def drip(exchange: Exchange) -> web.StreamResponse:
    """The head at once, then the body byte by byte."""
    payload = exchange.response.payload()
    stream = response_head(exchange.response)
    stream.content_length = len(payload)
    await stream.prepare(exchange.request)
    for position in range(len(payload)):
        await asyncio.sleep(float(exchange.fault.get("interval", DRIP_INTERVAL)))
        await stream.write(payload[position : position + 1])
    return stream


async def truncated(exchange: Exchange) -> web.StreamResponse:
    """Half of the body, then the end of the connection."""
    payload = exchange.response.payload()
    stream = response_head(exchange.response)
    stream.content_length = len(payload)
    await stream.prepare(exchange.request)
    await stream.write(payload[: len(payload) // 2])
    await close(exchange)
    return stream


async def chunked(exchange: Exchange) -> web.StreamResponse:
    """The response in chunks, without a Content-Length."""
    stream = response_head(exchange.response)
    stream.enable_chunked_encoding()
    await stream.prepare(exchange.request)
    await stream.write(exchange.response.payload())
    return stream


async def recoded(exchange: Exchange) -> web.StreamResponse:
    """The right response in another encoding, about which the head says nothing."""
    exchange.response.charset = str(exchange.fault.get("charset", "utf-16"))
    return send(exchange.response)


async def idle_close(exchange: Exchange) -> web.StreamResponse:
    """The right response on a connection which seems to stay open; then it is closed, or reset, while it is idle."""
    stream = send(exchange.response)
    await stream.prepare(exchange.request)
    await stream.write_eof()
    end = reset if exchange.fault.get("reset") else close
    later = float(exchange.fault.get("seconds", 0.0))
    loop = asyncio.get_running_loop()
    loop.call_later(later, lambda: loop.create_task(end(exchange)))
    return stream


async def bad_date(exchange: Exchange) -> web.StreamResponse:
    """The right response with a Date header which is wrong."""
    exchange.response.headers["Date"] = str(exchange.fault.get("date", "the day before yesterday"))
    return send(exchange.response)


WIRES: dict[str, Wire] = {
    "reset": reset,
    "close": close,
    "hang": hang,
    "slow": slow,
    "drip": drip,
    "truncated": truncated,
    "recoded": recoded,
    "idle_close": idle_close,
    "bad_date": bad_date,
}
SILENT = frozenset({"reset", "close", "hang"})
