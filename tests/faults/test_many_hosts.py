# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many hosts, each with a wait of its own, under request limits that they share or not, over real sockets."""

from __future__ import annotations

import dataclasses
import typing as t
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from waiting import SLACK, Outcome, item, options, wait

from simulator import Simulator

HOSTS = 40
TIMEOUT = 16.0
# For all hosts together, and for each where a limit counts by source.
SHARED = {"requests": 20, "window": 2.0}
OWN = {"requests": 1, "window": 3.0, "scope": "source"}
REFUSALS = {
    "429": ("dds", {}),
    "429 with Retry-After": ("dds", {"retry_after": True}),
    "flow control": ("kafka", {"flow_control": True}),
}
KINDS = ("fixed", "sliding", "bucket")
CELLS = [(kind, refusal, "user") for kind in KINDS for refusal in ("429", "flow control")] + [
    (kind, "429 with Retry-After", "source") for kind in KINDS
]


@dataclasses.dataclass(frozen=True)
class Fleet:
    """How the waits of all hosts ended, and the log of their requests."""

    outcomes: list[Outcome]
    requests: list[dict[str, t.Any]]


def fleet(cell: tuple[str, str, str]) -> Fleet:
    """Each host waits for one task; every second task ends when half of the time is over, the others never."""
    kind, refusal, scope = cell
    service, given = REFUSALS[refusal]
    with Simulator() as sim, ThreadPoolExecutor(HOSTS) as threads:
        limit = SHARED if scope == "user" else OWN
        sim.set_limit(**limit, kind=kind, **given)

        def run(number: int) -> Outcome:
            task = sim.add_task(service, **({"duration": TIMEOUT / 2} if number % 2 else {"outcome": "stuck"}))
            clock = {"sleep": 0.5, "max_sleep": 0.5, "timeout": TIMEOUT, "error_grace": 0.0, "not_found_grace": 0.0}
            return wait(options(sim, tasks=[item(task)], **clock), source=f"127.0.0.{number + 2}")

        return Fleet(list(threads.map(run, range(HOSTS))), sim.requests())


@pytest.fixture(name="fleets", scope="module")
def fixture_fleets() -> Iterator[dict[tuple[str, str, str], Fleet]]:
    with ThreadPoolExecutor(len(CELLS)) as threads:
        yield dict(zip(CELLS, threads.map(fleet, CELLS)))


@pytest.mark.parametrize("cell", CELLS, ids="-".join)
def test_no_wait_ends_before_its_timeout(fleets: dict[tuple[str, str, str], Fleet], cell: tuple[str, str, str]) -> None:
    open_ones = [each for each in fleets[cell].outcomes if each.result["tasks"][0]["state"] != "succeeded"]
    for outcome in open_ones:
        assert outcome.kind == "timeout", outcome.result["msg"]
        assert TIMEOUT <= outcome.seconds <= TIMEOUT + SLACK
    # Not each one: on a busy machine hosts ask so seldom that the limit refuses only some.
    assert any("The API allows about " in outcome.result["msg"] for outcome in open_ones)


@pytest.mark.parametrize("cell", CELLS, ids="-".join)
def test_no_wait_is_starved(fleets: dict[tuple[str, str, str], Fleet], cell: tuple[str, str, str]) -> None:
    # A busy machine makes fewer polls in the same time.
    states = [outcome.result["tasks"][0]["state"] for outcome in fleets[cell].outcomes]
    assert states[::2].count("running") >= 0.75 * len(states[::2])
    assert states[1::2].count("succeeded") >= 0.5 * len(states[1::2])


@pytest.mark.parametrize("cell", CELLS, ids="-".join)
def test_few_requests_are_refused(fleets: dict[tuple[str, str, str], Fleet], cell: tuple[str, str, str]) -> None:
    requests = fleets[cell].requests
    refused = [request["status"] in (404, 429) for request in requests]
    assert any(refused), "the limit was not felt"
    middle = requests[0]["at"] + TIMEOUT / 2
    late = [was_refused for request, was_refused in zip(requests, refused) if request["at"] >= middle]
    assert late.count(False) >= 0.5 * len(late) > 0
