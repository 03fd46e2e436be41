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
    "many": "Many waits",
    "slow": "A slow server",
    "startup": "Start-up of a module",
}

REMARKS = {
    "query": """\
`ansible localhost -m MODULE`, and `ansible.builtin.uri` on the same address, one after the other, {runs} times.""",
    "wait": """\
One task of {span} s, {sleep} s between polls (`sleep` and `max_sleep`, `delay`), {runs} runs. The ways run side by
side, each with a simulator of its own: CPU time hardly depends on what else runs. While a task runs,
ansible-playbook looks for its result a thousand times a second (`internal_poll_interval`), whatever the task does; what
that and the start of a playbook take is the line of a task that only sleeps.""",
    "many": """\
Tasks that end at random moments within {span} s after they were created, the same for every way; {sleep} s between
polls; {runs} runs. `wait_for_task` for {many} tasks runs alone, with progress and without. The ways for up to {some}
tasks run side by side, begun one after the other, and so do the others for {many}. The bare loop sends as many requests
as `wait_for_task` did in the same run, one after the other over one session, and decodes the responses.""",
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
What bounds it: about two thirds of the time are the start of `ansible` and its worker, the same for both. In the module
both import about as much: `uri` Ansible's own `urls`, a query `requests` with what that pulls in, and the files of this
collection (see "Start-up of a module"). These two together are nearly a quarter of the module's time: to reach 0.95 of
the whole for certain, most of them would have to go.""",
    "wait": """\
What bounds it: a task that only sleeps takes more than the goal of 0.2 by itself. Beyond it, `wait_for_task` with
`progress: false` takes about a seventh of what `uri` + `until` does, and asks more often in the same time.

With progress the goal of 0.5 is missed by far, because each poll is a run of the module on the target, as each try of
`uri` is, and as expensive, by design: a poll that is lost with its connection costs one poll, not the wait, and no
connection is held open for hours. There are also more polls here than tries of `uri`, whose pause begins when a try
has ended. In practice polls are rarer than here, where `max_sleep` is as short as `sleep`: by default the pause grows
to 30 s while nothing changes, and then Ansible's own idling takes more than the polls. Where the CPU counts more than
the lines, choose `progress: false`.""",
    "many": """\
What bounds the CPU per poll: a third of the CPU is Ansible's own, which idles as long as the wait lasts. Without it, a
poll costs about one and a half times the bare request. Some of this is paid once a wait, such as the start of the
module and a result with a thousand tasks in it; the rest are sixteen threads instead of one, and what the bare loop
does not do: check addresses and credentials, bound time and size, read the task and compare it with the last poll.""",
}

# Each by a figure before and after, on one machine with the same versions.
CHANGES = """\
Measured with `make benchmark` before and after, with the same versions on the same machine.

| change | figure | before | after |
| --- | --- | ---: | ---: |
| a query imports only what it needs; lighter classes | `dds_task_info`, wall time by that of `uri` | 1.13 | 1.01 |
| | `taurusdb_task_info`, the same | 1.06 | 0.96 |
| | `kafka_task_info`, the same | 1.04 | 0.97 |
| | payload of `dds_task_info`, KiB | 226 | 222 |
| pauses count from the beginning of a poll | 1,000 tasks, detection lag p95, s | 5.7 | 5.0 |
| | 1,000 tasks with progress, the same | 6.3 | 4.9 |"""
