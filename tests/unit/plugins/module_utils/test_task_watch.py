# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long a task's trouble is survived, with a scripted cloud."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.huaweicloud.tasks.plugins.module_utils._errors import ApiError
from ansible_collections.huaweicloud.tasks.plugins.module_utils._task import Task
from ansible_collections.huaweicloud.tasks.tests.unit.plugins.module_utils.fake_api import (
    DONE,
    EPOCH,
    STEADY,
    Answers,
    at_times,
    cloud,
    failure_kind,
    http_error,
    lost_network,
    not_polled,
    running,
    server_error,
    statuses,
    throttled,
    unknown_id,
)

# Trouble


def test_not_to_have_been_polled_is_no_trouble() -> None:
    end = cloud([not_polled()]).run(timeout=100, error_grace=0, not_found_grace=0)
    assert (failure_kind(end), end.elapsed) == ("timeout", 100)
    assert end.failure
    assert end.failure.http_status is None
    assert cloud([not_polled(), DONE]).run(error_grace=0).failure is None


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(lost_network(), id="network"),
        pytest.param(http_error(500, "DBS.108000"), id="500"),
        pytest.param(http_error(502), id="502"),
        pytest.param(http_error(503), id="503"),
        pytest.param(http_error(504), id="504"),
        pytest.param(http_error(408), id="408"),
    ],
)
@pytest.mark.parametrize("seen_before", [False, True])
def test_trouble_is_survived_for_a_time_and_then_named(error: ApiError, seen_before: bool) -> None:
    answers: list[t.Any] = [running(1)] if seen_before else []
    sky = cloud([*answers, error])
    end = sky.run(error_grace=20, **STEADY)
    assert end.elapsed == (25 if seen_before else 20)
    assert end.failure and end.failure.kind == error.kind
    assert (end.failure.code, end.failure.http_status) == (error.code, error.http_status)
    assert end.failure.request_id == error.request_id
    assert statuses(end) == (["Running"] if seen_before else [None])


@pytest.mark.parametrize("sleep", [0.5, 1, 4, 10])
def test_patience_is_in_seconds_and_not_in_polls(sleep: float) -> None:
    end = cloud([server_error()]).run(error_grace=20, sleep=sleep, max_sleep=sleep)
    assert (failure_kind(end), end.elapsed, end.polls) == ("api_error", 20, 20 / sleep + 1)


def test_patience_counts_from_the_end_of_the_poll_that_met_the_trouble() -> None:
    end = cloud([lost_network()], durations=[30]).run(error_grace=60, **STEADY)
    assert (failure_kind(end), end.elapsed) == ("connection", 95)


def test_a_poll_is_made_when_patience_ends() -> None:
    sky = cloud([server_error()])
    sky.run(error_grace=20)
    assert sky.sleeps == [5, 7.5, 7.5]


def test_the_end_of_patience_never_makes_polls_closer_than_the_shortest_pause() -> None:
    sky = cloud([server_error()])
    sky.run(error_grace=6)
    assert sky.sleeps == [5, 5]


def test_a_good_answer_ends_the_trouble() -> None:
    trouble = at_times((0, server_error()), (15, running(1)), (20, server_error()), (35, DONE))
    assert cloud(trouble).run(error_grace=20, **STEADY).failure is None


def test_without_a_good_answer_the_same_trouble_is_not_survived() -> None:
    trouble = at_times((0, server_error()), (15, lost_network()), (20, server_error()), (35, DONE))
    end = cloud(trouble).run(error_grace=20, **STEADY)
    assert (failure_kind(end), end.elapsed) == ("api_error", 20)


def test_patience_is_counted_for_each_task() -> None:
    first = at_times((0, server_error()), (15, running(1)), (40, DONE))
    second = at_times((0, running(1)), (15, server_error()), (30, DONE))
    assert cloud(first, second).run(error_grace=20, **STEADY).failure is None


def test_one_task_in_trouble_for_too_long_is_enough() -> None:
    end = cloud([running(1)], [server_error()]).run(error_grace=20, **STEADY)
    assert (failure_kind(end), end.elapsed) == ("api_error", 20)
    assert end.failure and end.failure.watch is end.watches[1]


def test_the_deadline_comes_before_patience_ends() -> None:
    end = cloud([server_error()]).run(timeout=20, error_grace=300)
    assert end.failure and (end.failure.kind, end.failure.http_status, end.elapsed) == ("timeout", 503, 20)


def test_no_patience_with_trouble() -> None:
    end = cloud([running(1), server_error()]).run(error_grace=0)
    assert (failure_kind(end), end.polls, statuses(end)) == ("api_error", 2, ["Running"])


def test_pauses_grow_during_trouble() -> None:
    sky = cloud([server_error()])
    sky.run(timeout=100)
    assert sky.sleeps == [5, 7.5, 11.25, 16.875, 25.3125, 34.0625]


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        pytest.param(http_error(401, "APIGW.0301"), "unauthorized", id="bad token"),
        pytest.param(http_error(401, "APIGW.0307"), "unauthorized", id="expired token"),
        pytest.param(http_error(401, "DMS.10240102"), "unauthorized", id="expired token of Kafka"),
        pytest.param(http_error(403, "DBS.280056"), "unauthorized", id="bad token of TaurusDB"),
        pytest.param(http_error(403, "DBS.200010"), "api_error", id="forbidden"),
        pytest.param(http_error(404, "APIGW.0101"), "api_error", id="wrong host"),
        pytest.param(http_error(400, "DBS.280001"), "api_error", id="bad parameter"),
        pytest.param(http_error(400, "DMS.00400070"), "api_error", id="bad id of Kafka"),
        pytest.param(http_error(409, "DBS.200019"), "api_error", id="conflict"),
        pytest.param(http_error(302), "api_error", id="redirect"),
    ],
)
@pytest.mark.parametrize("seen_before", [False, True])
def test_errors_that_end_the_wait(error: ApiError, kind: str, seen_before: bool) -> None:
    """At once at the first poll; after a good response, which a gateway's bad minute may follow, at the third time."""
    answers: list[t.Any] = [running(7)] if seen_before else []
    end = cloud([*answers, error]).run(error_grace=300, not_found_grace=300)
    assert end.failure and end.failure.kind == kind
    assert (end.failure.code, end.failure.http_status) == (error.code, error.http_status)
    assert end.failure.request_id == "req-1"
    assert end.polls == (4 if seen_before else 1)
    assert end.watches[0].error is error
    assert statuses(end) == (["Running"] if seen_before else [None])


@pytest.mark.parametrize("error", [http_error(401), http_error(403), http_error(400, "DBS.280001")])
@pytest.mark.parametrize("between", [running(1), unknown_id()])
def test_a_bad_minute_of_a_gateway_is_survived(error: ApiError, between: Task | ApiError) -> None:
    end = cloud([running(1), error, error, between, error, error, DONE]).run()
    assert end.failure is None


def test_trouble_between_rejections_does_not_forgive_them() -> None:
    end = cloud([running(1), http_error(401), server_error(), http_error(401), lost_network(), http_error(401)]).run()
    assert (failure_kind(end), end.polls) == ("unauthorized", 6)


def test_credentials_that_were_good_for_another_task_are_not_given_up_at_once() -> None:
    late = at_times((0, server_error()), (5, http_error(401)), (10, running(1)), (15, DONE))
    assert cloud([running(1), running(1), DONE], late).run(**STEADY).failure is None


def test_a_task_that_is_forbidden_is_given_up_though_another_is_not() -> None:
    late = at_times((0, server_error()), (5, http_error(403)))
    end = cloud([running(1)], late).run(**STEADY)
    assert (failure_kind(end), end.elapsed) == ("api_error", 5)


def test_time_in_which_nothing_could_be_polled_counts_towards_no_grace() -> None:
    sky = cloud([unknown_id(), *[throttled()] * 6, unknown_id(), DONE])
    assert sky.run(not_found_grace=60).failure is None
    assert sky.polled_from[-2] > 60
    sky = cloud([server_error(), *[throttled()] * 6, server_error(), DONE])
    assert sky.run(error_grace=60).failure is None
    assert sky.polled_from[-2] > 60


# Ids that the API does not know


def test_an_id_that_becomes_visible_late_is_waited_for() -> None:
    end = cloud(at_times((0, unknown_id()), (59, running(1)), (80, DONE))).run()
    assert end.failure is None


@pytest.mark.parametrize("error", [http_error(400, "DBS.200543"), http_error(404, "DMS.00404022"), http_error(404)])
def test_an_id_that_stays_unknown_is_given_up(error: ApiError) -> None:
    sky = cloud([error])
    end = sky.run()
    assert sky.sleeps == [5, 7.5, 11.25, 16.875, 19.375]
    assert end.failure and (end.failure.kind, end.elapsed) == ("not_found", 60)
    assert (end.failure.code, end.failure.http_status) == (error.code, error.http_status)
    assert statuses(end) == [None]


def test_the_grace_begins_with_the_first_unknown_and_not_with_the_wait() -> None:
    blip = at_times((0, running(1)), (100, unknown_id()), (150, running(1)), (160, DONE))
    assert cloud(blip).run(**STEADY).failure is None


def test_the_grace_begins_again_after_a_good_answer() -> None:
    blips = at_times((0, unknown_id()), (50, running(1)), (55, unknown_id()), (110, DONE))
    assert cloud(blips).run(**STEADY).failure is None


def test_a_task_that_was_seen_and_vanished_is_given_up_with_its_last_state() -> None:
    end = cloud([running(40), unknown_id()]).run(**STEADY)
    assert (failure_kind(end), end.elapsed, statuses(end)) == ("not_found", 65, ["Running"])


def test_the_grace_never_outlives_the_timeout() -> None:
    end = cloud([unknown_id()]).run(timeout=30, not_found_grace=600)
    assert end.failure and (end.failure.kind, end.elapsed) == ("timeout", 30)
    assert (end.failure.code, end.failure.http_status) == ("DBS.200543", 400)


def test_no_grace_for_unknown_ids() -> None:
    end = cloud([unknown_id()]).run(not_found_grace=0)
    assert (failure_kind(end), end.polls) == ("not_found", 1)


@pytest.mark.parametrize(
    ("answers", "elapsed"),
    [([unknown_id(), server_error()] * 20, 60), ([server_error(), unknown_id()] * 20, 65)],
)
def test_trouble_in_between_does_not_prolong_the_grace(answers: Answers, elapsed: float) -> None:
    end = cloud(answers).run(error_grace=300, **STEADY)
    assert (failure_kind(end), end.elapsed) == ("not_found", elapsed)


def test_unknown_in_between_is_an_answer_that_ends_trouble() -> None:
    answers: list[t.Any] = [server_error(), unknown_id()] * 6
    assert cloud([*answers, DONE]).run(error_grace=5, not_found_grace=60, **STEADY).failure is None


# What is known of a task


def test_a_watch_remembers_its_last_error_after_good_answers() -> None:
    end = cloud([server_error(), running(1), DONE]).run()
    assert end.watches[0].error and end.watches[0].error.http_status == 503


def test_since_when_nothing_has_changed_is_known() -> None:
    end = cloud(at_times((0, running(1)), (20, running(2)))).run(timeout=50, **STEADY)
    assert end.watches[0].changed_at == EPOCH + 20
    assert end.now == EPOCH + 50
