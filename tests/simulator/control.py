# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control calls below /_control: create tasks, switch faults, read the log."""

from __future__ import annotations

import json
from typing import Any, Callable

from .response import Incoming, Response
from .world import World

PREFIX = "/_control"


def read_body(incoming: Incoming) -> Any:
    """The JSON body of a control call; none is the same as an empty object."""
    body = json.loads(incoming.body) if incoming.body else {}
    if not isinstance(body, (dict, list)):
        raise TypeError("the body must be an object")
    return body


def read_object(incoming: Incoming) -> dict[str, Any]:
    """The body of a control call which takes one object only."""
    body = read_body(incoming)
    if isinstance(body, list):
        raise TypeError("the body must be an object, not a list")
    return dict(body)


def post_tasks(world: World, incoming: Incoming) -> Any:
    """Create one task, or each task of a list."""
    given = read_body(incoming)
    if isinstance(given, list):
        return [world.tasks.create(task, world.now()).reference() for task in given]
    return world.tasks.create(given, world.now()).reference()


def post_faults(world: World, incoming: Incoming) -> Any:
    """Switch a fault on."""
    return world.faults.add(read_object(incoming), world.now()).describe()


def get_faults(world: World, incoming: Incoming) -> Any:
    """List the faults."""
    return {"faults": world.faults.describe()}


def delete_faults(world: World, incoming: Incoming) -> Any:
    """Switch all faults off."""
    world.faults.clear()
    return {}


def post_limits(world: World, incoming: Incoming) -> Any:
    """Put a request limit into force, or change it."""
    return world.limits.set(read_object(incoming), world.now()).describe()


def get_limits(world: World, incoming: Incoming) -> Any:
    """List the request limits."""
    return {"limits": world.limits.describe()}


def delete_limits(world: World, incoming: Incoming) -> Any:
    """Lift all request limits."""
    world.limits.clear()
    return {}


def get_requests(world: World, incoming: Incoming) -> Any:
    """The log, or what it holds about a service or a task."""
    query = incoming.query
    return {"requests": world.journal.select(query.get("service"), query.get("task_id"))}


def delete_requests(world: World, incoming: Incoming) -> Any:
    """Clear the log and the peaks."""
    world.clear_requests()
    return {}


def post_accounts(world: World, incoming: Incoming) -> Any:
    """Change tokens, keys, projects, IAM or the metadata address."""
    world.identity.change(read_object(incoming))
    return {}


def post_settings(world: World, incoming: Incoming) -> Any:
    """Change a setting."""
    world.change_settings(read_object(incoming))
    return world.settings


def post_lists(world: World, incoming: Incoming) -> Any:
    """Change how lists behave."""
    world.list_rules.change(read_object(incoming))
    return {}


def post_operations(world: World, incoming: Incoming) -> Any:
    """Change the tasks which operations start."""
    return world.operations.change(read_object(incoming))


def post_reset(world: World, incoming: Incoming) -> Any:
    """Forget everything."""
    world.reset()
    return {}


def get_stats(world: World, incoming: Incoming) -> Any:
    """Numbers."""
    return world.stats()


CALLS: dict[tuple[str, str], Callable[[World, Incoming], Any]] = {
    ("POST", "/tasks"): post_tasks,
    ("POST", "/faults"): post_faults,
    ("GET", "/faults"): get_faults,
    ("DELETE", "/faults"): delete_faults,
    ("POST", "/limits"): post_limits,
    ("GET", "/limits"): get_limits,
    ("DELETE", "/limits"): delete_limits,
    ("GET", "/requests"): get_requests,
    ("DELETE", "/requests"): delete_requests,
    ("POST", "/accounts"): post_accounts,
    ("POST", "/settings"): post_settings,
    ("POST", "/lists"): post_lists,
    ("POST", "/operations"): post_operations,
    ("POST", "/reset"): post_reset,
    ("GET", "/stats"): get_stats,
}


def one_task(world: World, incoming: Incoming, task_id: str) -> Any:
    """Change or remove one task."""
    if incoming.method == "DELETE":
        world.tasks.remove(task_id)
        return {}
    return world.tasks.change(task_id, read_object(incoming), world.now()).reference()


def control(world: World, incoming: Incoming) -> Response:
    """Carry out a control call."""
    path = incoming.path[len(PREFIX) :]
    known = CALLS.get((incoming.method, path))
    folder, dummy, task_id = path[1:].partition("/")
    try:
        if known:
            return Response(200, known(world, incoming))
        if folder == "tasks" and task_id and incoming.method in ("POST", "DELETE"):
            return Response(200, one_task(world, incoming, task_id))
    except KeyError:
        return Response(404, {"error": f"no task {task_id}"})
    except (ValueError, TypeError) as problem:
        return Response(400, {"error": str(problem)})
    return Response(404, {"error": f"no control call {incoming.method} {incoming.path}"})
