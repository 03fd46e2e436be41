# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever a server sends, a reader returns a task or raises one of its own errors, and never takes it for success."""

from __future__ import annotations

import json
import typing as t

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.huaweicloud.tasks.plugins.module_utils._custom import service_of
from ansible_collections.huaweicloud.tasks.plugins.module_utils._parsing import (
    NOT_JSON,
    NoSuchTaskError,
    UnreadableResponseError,
    parse_json,
    read_error,
    read_task,
)
from ansible_collections.huaweicloud.tasks.plugins.module_utils._services import SERVICES, Service
from ansible_collections.huaweicloud.tasks.plugins.module_utils._task import STATES, State, Task, TaskRef

REFS = (
    TaskRef("", "id-1", "instance-1", "Restore"),
    TaskRef("", None, "instance-1"),
    TaskRef("", "id-1"),
)
SUCCESS_WORDS = {"completed", "complete", "success", "finished", "2"}
MANY = settings(max_examples=80, deadline=None, derandomize=True)

statuses = st.sampled_from(
    [word for service in SERVICES.values() for name in service.statuses for word in (name, name.title(), name.upper())]
)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=True, allow_infinity=True),
    st.text(),
    statuses,
    st.sampled_from(["id-1", "19", "19%", "", "NaN", "٣", "1e9", "-0", " 5 ", "9" * 400]),
)
keys = st.one_of(
    st.text(max_size=5),
    st.sampled_from(
        """
        job jobs tasks task_count id job_id job_name name status instance instance_id instance_name created
        ended process progress fail_reason entities sub_task_list sub_task_name percent remaining_time
        created_at updated_at params user_name user_id error error_code error_msg errCode externalMessage
        errorCode errorMsg code message request_id
        """.split()
    ),
)
documents = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(keys, inner, max_size=8)),
    max_leaves=10,
)


def optional(**values: st.SearchStrategy[t.Any]) -> st.SearchStrategy[dict[str, t.Any]]:
    return st.fixed_dictionaries({}, optional=values)


anything = st.one_of(scalars, st.lists(scalars, max_size=2), st.dictionaries(keys, scalars, max_size=2))
steps = optional(
    sub_task_name=anything, percent=anything, status=st.one_of(statuses, anything), remaining_time=anything
)
jobs = optional(
    id=anything,
    name=anything,
    status=st.one_of(statuses, anything),
    created=anything,
    ended=anything,
    process=anything,
    progress=anything,
    instance=anything,
    fail_reason=anything,
    entities=anything,
    created_at=anything,
    updated_at=anything,
    params=anything,
    job_id=st.one_of(st.just("id-1"), anything),
    sub_task_list=st.one_of(st.lists(steps, max_size=4), anything),
)
# Nearly right bodies find more than arbitrary ones do.
near_misses = st.one_of(
    jobs,
    st.fixed_dictionaries({"job": st.one_of(jobs, anything)}),
    st.fixed_dictionaries({"tasks": st.one_of(st.lists(jobs, max_size=3), anything)}),
)
bodies = st.one_of(documents, near_misses)


def texts_in(value: t.Any) -> t.Iterator[str]:
    """Every text in a document."""
    if isinstance(value, (str, int)):
        yield str(value).strip().lower()
    elif isinstance(value, dict):
        for inner in value.values():
            yield from texts_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts_in(inner)


def read(service: Service, ref: TaskRef, body: t.Any) -> Task | None:
    try:
        return read_task(service, ref, body)
    except (NoSuchTaskError, UnreadableResponseError) as error:
        assert str(error)
        return None


def check(service: Service, task: Task | None, body: t.Any) -> None:
    """What holds for every task that was read."""
    if task is None:
        return
    assert task.state in STATES
    assert task.service == service.name
    assert task.progress is None or 0 <= task.progress <= 100
    assert task.remaining_seconds is None or task.remaining_seconds >= 0
    for step in task.sub_tasks:
        assert step.state in STATES
        assert step.progress is None or 0 <= step.progress <= 100
    for text in (task.id, task.name, task.status, task.created_at, task.ended_at, task.fail_reason):
        assert text is None or (isinstance(text, str) and text)
    if task.state == State.SUCCEEDED:
        good = {word for word, state in service.statuses.items() if state == State.SUCCEEDED}
        assert good <= SUCCESS_WORDS
        assert good & set(texts_in(body))
        if task.status is not None:
            assert task.status.lower() in good
        else:
            assert task.sub_tasks
            assert all(step.state == State.SUCCEEDED for step in task.sub_tasks)
    json.dumps(task.to_dict())


@pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)
@MANY
@given(body=bodies)
def test_any_document(service: Service, body: t.Any) -> None:
    for ref in REFS:
        check(service, read(service, ref, body), body)


@given(body=bodies)
@MANY
def test_any_document_as_an_error(body: t.Any) -> None:
    code, message = read_error(body)
    assert code is None or code
    for text in (code or "", message):
        assert isinstance(text, str)
        assert len(text) <= 303
        assert text.isprintable()


@given(content=st.one_of(st.binary(max_size=200), st.text(max_size=200).map(lambda text: text.encode("utf-16"))))
@MANY
def test_any_bytes(content: bytes) -> None:
    body = parse_json(content)
    read_error(body)
    for service in SERVICES.values():
        for ref in REFS:
            check(service, read(service, ref, body), body)


@given(body=bodies, cut=st.floats(0, 1), flip=st.integers(0, 255))
@MANY
def test_damaged_json(body: t.Any, cut: float, flip: int) -> None:
    """Half of an answer, or one with a wrong byte in it."""
    whole = json.dumps(body, ensure_ascii=True).encode()
    source = int(cut * (len(whole) - 1))
    for content in (whole[:source], whole[:source] + bytes([flip]) + whole[source + 1 :]):
        damaged = parse_json(content)
        read_error(damaged)
        for service in SERVICES.values():
            check(service, read(service, REFS[0], damaged), damaged)


@pytest.mark.parametrize(
    "content",
    [
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"a": nan}',
        b'{"a": "\xe6\x81\xa2\xe5\xa4',
        "<html>\u4efb\u52a1\u4e0d\u5b58\u5728</html>".encode("gbk"),
        b"\xff\xfe\x00",
        b"\xef\xbb\xbf",
        b"\x00",
        b"",
        b" ",
        b"{'job': 1}",
        b'{"job": 1,}',
        b"{} {}",
    ],
    ids=range(13),
)
def test_not_json(content: bytes) -> None:
    assert parse_json(content) is NOT_JSON


@pytest.mark.parametrize(
    ("content", "body"),
    [
        (b"null", None),
        (b"NaN", None),
        (b'{"a": [NaN, Infinity, -Infinity, "NaN"]}', {"a": [None, None, None, "NaN"]}),
        (b'{"a": "one\r\n\ttwo\x00"}', {"a": "one\r\n\ttwo\x00"}),
        (b'{"a": "\xe6\x81\xa2\xe5\xa4", "b": "\xff"}', {"a": "\u6062\ufffd", "b": "\ufffd"}),
        (b"\xef\xbb\xbf{}", {}),
        ('{"a": "ü"}'.encode("utf-16"), {"a": "ü"}),
        (b' {"a": 1e400} ', {"a": "1e400"}),
        (b'{"a": -' + b"9" * 5000 + b"}", {"a": "-" + "9" * 5000}),
        (
            b'{"a": [1e400, 0.1, 12345678901234567890], "\\ud800": 1}',
            {"a": ["1e400", 0.1, 12345678901234567890], "\ufffd": 1},
        ),
    ],
    ids=(
        "null",
        "no number",
        "no numbers",
        "raw controls",
        "a cut letter",
        "byte order mark",
        "utf-16",
        "infinite",
        "endless",
        "half a letter",
    ),
)
def test_json(content: bytes, body: t.Any) -> None:
    assert parse_json(content) == body


@pytest.mark.parametrize("nothing", [None, {}, "", []], ids=repr)
@pytest.mark.parametrize("name", ["ecs", "sfs_turbo", "taurusdb_restore"])
def test_no_steps_in_another_spelling(name: str, nothing: t.Any) -> None:
    body: dict[str, t.Any] = {"job_id": "id-1", "status": {"taurusdb_restore": "Completed"}.get(name, "SUCCESS")}
    *around, key = SERVICES[name].sub_tasks.split(".")
    body.update({around[0]: {key: nothing}} if around else {key: nothing})
    assert read_task(SERVICES[name], REFS[0], body).state == State.SUCCEEDED
    body.update({around[0]: {key: {"a": 1}}} if around else {key: {"a": 1}})
    with pytest.raises(UnreadableResponseError, match="is not a list of objects"):
        read_task(SERVICES[name], REFS[0], body)


LISTS = {
    "id": (SERVICES["kafka"], "tasks"),
    "job_id": (SERVICES["kafka"]._replace(root="data.jobs[]", fields={"id": "job_id", "status": "status"}), "jobs"),
    "metadata.uid": (SERVICES["kafka"]._replace(fields={"id": "metadata.uid", "status": "status"}), "tasks"),
}
UNNAMED: list[dict[str, t.Any]] = [
    {},
    {"id": None},
    {"job_id": "other"},
    {"metadata": {"uid": "other"}},
    {"name": "id-1"},
]


def in_list(service: Service, key: str, records: list[dict[str, t.Any]]) -> dict[str, t.Any]:
    return {"data": {key: records}} if service.root.startswith("data.") else {key: records}


@pytest.mark.parametrize(("service", "key"), LISTS.values(), ids=LISTS)
@pytest.mark.parametrize("unnamed", UNNAMED, ids=repr)
def test_a_record_of_a_list_is_picked_by_the_id_of_the_row(
    service: Service, key: str, unnamed: dict[str, t.Any]
) -> None:
    """Another task's success must not pass as this one's."""
    named: dict[str, t.Any] = {"status": "EXECUTING", "id": "id-1", "job_id": "id-1", "metadata": {"uid": "id-1"}}
    stranger = {"status": "SUCCESS", **unnamed}
    for records in ([stranger, named], [named, stranger]):
        assert read_task(service, REFS[0], in_list(service, key, records)).state == State.RUNNING
    with pytest.raises(UnreadableResponseError, match="another task"):
        read_task(service, REFS[0], in_list(service, key, [stranger]))


@pytest.mark.parametrize("thing", [{}, {"id": None}, {"id": ""}], ids=repr)
def test_a_whole_body_that_a_play_describes_needs_the_id(thing: dict[str, t.Any]) -> None:
    api = {"path": "/v1/{task_id}", "fields": {"id": "id", "status": "status"}, "succeeded": ["ok"]}
    ref = TaskRef.from_option({"service": "custom", "task_id": "t", "api": api})
    with pytest.raises(UnreadableResponseError, match="the response has no id 'id'"):
        read_task(service_of(ref), ref, {"status": "ok", **thing})
    del api["fields"]["id"]  # type: ignore[attr-defined]
    ref = TaskRef.from_option({"service": "custom", "task_id": "t", "api": api})
    assert read_task(service_of(ref), ref, {"status": "ok", **thing}).state == State.SUCCEEDED


# What only an instance's id names


def read_of_instance(record: str, fields: dict[str, str], body: t.Any) -> Task:
    """What a play describes, for the instance ``i``."""
    api = {"path": "/v1/{instance_id}", "record": record, "fields": fields, "succeeded": ["ok"]}
    ref = TaskRef.from_option({"service": "custom", "instance_id": "i", "api": api})
    return read_task(service_of(ref), ref, body)


OF_INSTANCE = {"id": "id", "instance_id": "instance", "status": "status"}
OF_ITSELF = {"id": "id", "status": "status"}
OTHERS = pytest.mark.parametrize("other", ["j", 5, ["i"], {"id": "i"}, True], ids=repr)
NONE = pytest.mark.parametrize("nothing", [{}, {"instance": None, "id": None}, {"instance": "", "id": ""}], ids=repr)


@OTHERS
def test_a_restore_of_another_instance_is_not_this_ones(other: t.Any) -> None:
    """Where no task_id is given, nothing but the instance tells whose restore it is."""
    body = {"job_id": "1", "status": "Completed", "instance_id": other}
    with pytest.raises(UnreadableResponseError, match="another instance"):
        read_task(SERVICES["taurusdb_restore"], TaskRef("taurusdb_restore", None, "i"), body)


@pytest.mark.parametrize("same", [{}, {"instance_id": None}, {"instance_id": ""}, {"instance_id": "i"}], ids=repr)
def test_a_restore_of_the_instance(same: dict[str, t.Any]) -> None:
    body = {"job_id": "1", "status": "Completed", **same}
    task = read_task(SERVICES["taurusdb_restore"], TaskRef("taurusdb_restore", None, "i"), body)
    assert (task.state, task.id, task.instance_id) == (State.SUCCEEDED, "1", "i")


@OTHERS
@pytest.mark.parametrize("root", ["", "thing"])
@pytest.mark.parametrize(
    ("fields", "key"), [(OF_INSTANCE, "instance"), (OF_ITSELF, "id")], ids=("by instance_id", "by id")
)
def test_an_object_of_another_instance_is_not_this_ones(
    fields: dict[str, str], key: str, root: str, other: t.Any
) -> None:
    thing = {"status": "ok", key: other}
    with pytest.raises(UnreadableResponseError, match="another instance"):
        read_of_instance(root, fields, {root: thing} if root else thing)


@NONE
@pytest.mark.parametrize("root", ["", "thing"])
@pytest.mark.parametrize("fields", [OF_INSTANCE, OF_ITSELF, {"status": "status"}], ids=repr)
def test_an_object_that_does_not_say_whose_it_is(fields: dict[str, str], root: str, nothing: dict[str, t.Any]) -> None:
    thing = {"status": "ok", **nothing}
    assert read_of_instance(root, fields, {root: thing} if root else thing).state == State.SUCCEEDED


def test_an_object_of_an_instance_may_have_an_id_of_its_own() -> None:
    task = read_of_instance("", OF_INSTANCE, {"id": "job-1", "instance": "i", "status": "ok"})
    assert (task.state, task.id, task.instance_id) == (State.SUCCEEDED, "job-1", "i")


@pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)
def test_words(service: Service) -> None:
    """Each word in any case, and no part of a word."""
    for word, state in service.statuses.items():
        assert word == word.lower()
        for spelling in (word, word.upper(), word.title()):
            assert service.state_of(spelling) == state
        for stranger in (f"{word}x", f"x{word}", f"not {word}", f"{word}.", word[:-1] + "\u0435"):
            assert service.statuses.get(stranger, service.state_of(stranger)) == service.state_of(stranger)
            if stranger not in service.statuses:
                assert service.state_of(stranger) == State.UNKNOWN
    assert service.state_of("") == service.state_of(None) == State.UNKNOWN


def test_words_differ_between_services() -> None:
    assert SERVICES["kafka"].state_of("CREATED") == State.PENDING
    assert SERVICES["kafka"].state_of("DELETED") == State.FAILED
    assert SERVICES["kafka"].state_of("Completed") == State.UNKNOWN
    for name in ("taurusdb", "taurusdb_restore", "dds"):
        assert SERVICES[name].state_of("Unauthorized") == State.NEEDS_ACTION
        assert SERVICES[name].state_of("Canceled") == SERVICES[name].state_of("Cancelled") == State.CANCELED
        for word in ("SUCCESS", "CREATED", "DELETED"):
            assert SERVICES[name].state_of(word) == State.UNKNOWN


@pytest.mark.parametrize(
    ("name", "path", "query"),
    [
        ("taurusdb", "/v3/p/jobs", [("id", "t")]),
        (
            "taurusdb_restore",
            "/v3/p/instances/i/task-center-detail",
            [("job_id", "t"), ("job_name", "n")],
        ),
        ("dds", "/v3/p/jobs", [("id", "t")]),
        ("kafka", "/v2/p/instances/i/tasks/t", []),
    ],
)
def test_where_a_service_is_asked(name: str, path: str, query: list[tuple[str, str]]) -> None:
    service = SERVICES[name]
    assert service.path_of(TaskRef(name, "t", "i", "n"), "p") == path
    assert service.query_of(TaskRef(name, "t", "i", "n"), "p") == query
    assert service.module == f"{name}_task_info"
    assert service.sends_language == name.startswith("taurusdb")


def test_a_restore_is_asked_for_without_ids_too() -> None:
    assert SERVICES["taurusdb_restore"].query_of(TaskRef("taurusdb_restore", None, "i")) == []


# What a wait for many tasks keeps


def with_entities(entities: t.Any) -> Task:
    service = SERVICES["taurusdb"]
    body = {"job": {"id": "1", "status": "Completed", "entities": entities}}
    return read_task(service, TaskRef("taurusdb", "1"), body)


@pytest.mark.parametrize(
    "entities",
    ["x" * 600_000, {"x" * 600_000: 1}, [[]] * 60_000, [0] * 600_000, {str(number): {} for number in range(60_000)}],
    ids=["text", "key", "lists", "numbers", "objects"],
)
def test_details_that_take_much_room_are_left_out(entities: t.Any) -> None:
    task = with_entities({"deep": [entities]})
    assert task.state == State.SUCCEEDED
    assert task.details == {"entities": None}


@pytest.mark.parametrize("entities", [None, "", 5, [], {"ids": ["x" * 36] * 1_000}])
def test_details_are_kept(entities: t.Any) -> None:
    assert with_entities(entities).details == {"entities": entities}


def test_a_task_of_endless_steps_is_no_task() -> None:
    body = {"job_id": "1", "status": "SUCCESS", "entities": {"sub_jobs": [{}] * 10_001}}
    with pytest.raises(UnreadableResponseError, match="more than 10000"):
        read_task(SERVICES["ecs"], TaskRef("ecs", "1"), body)
