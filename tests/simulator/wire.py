# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers on the wire, sound ones and those which a broken network would give."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Callable

from aiohttp import web

from .answer import Answer
from .faults import Fault

DRIP_INTERVAL = 1.0
SLOW_SECONDS = 2.0
HANG_SECONDS = 3600.0


@dataclass(frozen=True)
class Exchange:
    """A request, the fault it meets and the answer it would get."""

    request: web.Request
    fault: Fault
    answer: Answer


Wire = Callable[[Exchange], Awaitable[web.StreamResponse]]


def response_head(answer: Answer) -> web.StreamResponse:
    """The head of a response whose body is written by hand."""
    return web.StreamResponse(status=answer.status, headers={**answer.headers, "Content-Type": answer.content_type})


def send(answer: Answer) -> web.Response:
    """A sound response."""
    headers = {**answer.headers, "Content-Type": answer.content_type}
    return web.Response(status=answer.status, body=answer.payload(), headers=headers)


def unanswered() -> web.Response:
    """A stand-in for the answer to a request whose connection is gone; it is never sent."""
    return web.Response(status=499)


async def reset(exchange: Exchange) -> web.StreamResponse:
    """End the connection with a TCP reset before any byte."""
    if exchange.request.transport is not None:
        sock = exchange.request.transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        exchange.request.transport.abort()
    return unanswered()


async def close(exchange: Exchange) -> web.StreamResponse:
    """End the connection in good order, without an answer."""
    if exchange.request.transport is not None:
        exchange.request.transport.close()
    return unanswered()


async def hang(exchange: Exchange) -> web.StreamResponse:
    """Say nothing for a long time, then close."""
    await asyncio.sleep(float(exchange.fault.get("seconds", HANG_SECONDS)))
    return await close(exchange)


async def slow(exchange: Exchange) -> web.StreamResponse:
    """The right answer, late."""
    await asyncio.sleep(float(exchange.fault.get("seconds", SLOW_SECONDS)))
    return send(exchange.answer)


async def drip(exchange: Exchange) -> web.StreamResponse:
    """The head at once, then the body byte by byte."""
    payload = exchange.answer.payload()
    response = response_head(exchange.answer)
    response.content_length = len(payload)
    await response.prepare(exchange.request)
    for position in range(len(payload)):
        await asyncio.sleep(float(exchange.fault.get("interval", DRIP_INTERVAL)))
        await response.write(payload[position : position + 1])
    return response


async def truncated(exchange: Exchange) -> web.StreamResponse:
    """Half of the body, then the end of the connection."""
    payload = exchange.answer.payload()
    response = response_head(exchange.answer)
    response.content_length = len(payload)
    await response.prepare(exchange.request)
    await response.write(payload[: len(payload) // 2])
    await close(exchange)
    return response


async def chunked(exchange: Exchange) -> web.StreamResponse:
    """The answer in chunks, without a Content-Length."""
    response = response_head(exchange.answer)
    response.enable_chunked_encoding()
    await response.prepare(exchange.request)
    await response.write(exchange.answer.payload())
    return response


async def recoded(exchange: Exchange) -> web.StreamResponse:
    """The right answer in another encoding, about which the head says nothing."""
    exchange.answer.charset = str(exchange.fault.get("charset", "utf-16"))
    return send(exchange.answer)


async def idle_close(exchange: Exchange) -> web.StreamResponse:
    """The right answer on a connection which seems to stay open; then it is closed, or reset, while it is idle."""
    response = send(exchange.answer)
    await response.prepare(exchange.request)
    await response.write_eof()
    end = reset if exchange.fault.get("reset") else close
    later = float(exchange.fault.get("seconds", 0.0))
    loop = asyncio.get_running_loop()
    loop.call_later(later, lambda: loop.create_task(end(exchange)))
    return response


async def bad_date(exchange: Exchange) -> web.StreamResponse:
    """The right answer with a Date header which is wrong."""
    exchange.answer.headers["Date"] = str(exchange.fault.get("date", "the day before yesterday"))
    return send(exchange.answer)


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
