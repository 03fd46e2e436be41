# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of docs/benchmark.md around its tables. In braces: what the scale of the measurement says."""

from __future__ import annotations

METHOD = """\
`make benchmark` measures the collection beside what people use without it, on the simulator (`tests/simulator`), and
writes this page. Every figure is a median of several runs, with minimum and maximum in parentheses. A ratio divides two
figures of the same run.

- **CPU** is user and system time of the whole tree of processes: Ansible, its workers, the modules, and what `async`
  leaves behind. The simulator is not in it.
- **Memory** is the highest sum over that tree of the proportional set size (a page that processes share counts once),
  from samples of `/proc` at most twenty times a second.
- **Requests** and **connections** are what the simulator's log says; each measurement has a simulator of its own.
- **Detection lag** is the time from a task's end to the request that saw it, by the simulator's clock.
- Ansible runs in an environment with only ansible-core and requests, the collection from a copy of the checkout. The
  script with the SDK runs in an environment with the SDK, and signs its requests; the others send a token.

`make benchmark PARTS="query wait" RUNS=5` measures single parts, `QUICK=1` tries the benchmark itself."""

TITLES = {
    "query": "One query",
    "wait": "One wait",
    "hosts": "Many hosts at once",
    "many": "Many tasks",
    "slow": "A slow server",
    "startup": "Start-up of a module",
}

REMARKS = {
    "query": """\
`ansible localhost -m MODULE`, and `ansible.builtin.uri` on the same address, one after the other, {runs} times.""",
    "wait": """\
One task of {span} s, {sleep} s between polls (`sleep` and `max_sleep`, `delay`), {runs} runs. The ways run side by
side, each with a simulator of its own: CPU time hardly depends on what else runs. On localhost `wait_for_task` is one
run of the module for the whole wait, with progress and without; `uri` + `until` is one run for each try. While a task
runs, ansible-playbook checks for its result a thousand times a second (`internal_poll_interval`), whatever the task
does; what that and the start of a playbook take is the line of a task that only sleeps.""",
    "hosts": """\
A play for {hosts} hosts on the connection `local` with as many forks: each host waits for one task of {hosts_span} s
that is theirs all; {runs} runs. "A host" is the memory of the whole divided by the hosts: a worker of Ansible and the
module.""",
    "many": """\
Tasks of DDS that end at random moments within {span} s after they were created, the same for every way; {sleep} s
between polls; {runs} runs. From 50 tasks on `wait_for_task` reads the service's list and asks by id only how tasks
ended. "The list refused" is what a user without the permission to list gets: every poll by id. "At 10 requests a
second" the simulator grants so many to each API, and refuses the rest. The ways for {many} tasks run three at a
time, the others side by side, begun one after the other. The
bare loop sends as many requests as the wait by id did in the same run, one after the other over one session, and
decodes the responses.""",
    "slow": """\
Every response takes {slow} ms. `wait_for_task` polls once, tasks that have ended; a round is the time from its first
request to its last response; {runs} runs.""",
    "startup": """\
The file that Ansible sends to the target, run with the target's Python, {runs} times; imports by `-X importtime`, times
without those of what they import in turn. "Own" are the files of this collection, which Python compiles anew from the
archive in every run, as it does with Ansible's.""",
}

# What bounds the figures that miss their goals.
BOUNDS = {
    "query": """\
What bounds it: about two thirds of the time are the start of `ansible` and its worker, the same for both. The module
imports nearly all of Ansible's files that `uri` does, and beside them `requests` and the files of this collection:
a tenth of the whole (see "Start-up of a module"). For 0.95 most of them would have to go.""",
    "wait": """\
A local wait starts the module once, as a task that only sleeps does; a poll is a request over a connection
that is open already. What is left is Ansible's own, which idles as long as the wait lasts. Over SSH and other
connections, with progress, each poll is a run of the module, as each try of `uri` is, and as expensive: a connection
that drops then costs one poll, not the wait.""",
    "hosts": """\
Each host has a process of Ansible's and one of the module's, and all of them start at the same moment. If memory is
short, let one task wait for the tasks of all hosts (`run_once`, and `tasks` from `hostvars`): that takes the memory of
one.""",
    "many": """\
What bounds the CPU per poll by id: a part of the CPU is Ansible's own, which idles as long as the wait lasts. Some of
the rest is paid once a wait, such as the start of the module and a result with a thousand tasks in it; the remainder
are sixteen threads instead of one, and what the bare loop does not do: check addresses and credentials, bound time and
size, read the task and compare it with the last poll.

What bounds the lag at a limit: how tasks ended is asked by id, and where {many} tasks end within {span} s that is more
than a limit of 10 requests a second grants. Simulated waits under more limits: [request limits](request-limits.md).""",
    "slow": """\
The wait polls by id how each task ended, sixteen at once, and at first in chunks of 50, 100, 200 and so on, so that a
request limit is met early. Before and between the chunks it reads the list, one page of 100 tasks after the other: for
1,000 tasks some 30 pages, which take 6 s. Where all tasks end before the first poll, as here, the list spares
nothing.""",
}

SOAK_TITLE = "An hour without a rest"
SOAK = """\
`make soak` waits for an hour, with faults and a request limit: for tasks that end and are replaced, in one process with
16 waits at a time, one after the other; and for 1,000 tasks in one long wait of `ansible-playbook`. Of each, with all
processes below it: resident memory, open files and threads after a minute, later, and at last, when the first process
has no wait left. The slope is the line of least squares through the memory. In the first process what Python's
allocator holds changed by {growth_of_blocks:+.1%} from the first waits to the last; the rest of its growth is gaps
between blocks.

{waits:,.0f} waits for {tasks:,.0f} tasks in {hours:g} h, {requests:,.0f} requests, {faults:,.0f} faults met;
{wrong:.0f} results wrong. Measured on {date}."""
