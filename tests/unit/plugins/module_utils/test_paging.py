# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No record of a list is lost or counted twice, whatever its offset means and whatever happens while it is read."""

from __future__ import annotations

import itertools
import typing as t

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.huaweicloud.tasks.plugins.module_utils._paging import PageReader

MEANINGS = ("record from 0", "record from 1", "page from 0", "page from 1")


class List:
    """A list that changes while it is read: new tasks come first, or last, and the oldest ones are removed."""

    def __init__(self, count: int, *, meaning: str, page_size: int = 10, changes: t.Sequence[int] = ()) -> None:
        self.names = [f"task-{number}" for number in range(count)]
        self.meaning = meaning
        self.page_size = page_size
        self._changes = iter(changes)
        self._numbers = itertools.count(count)
        self.asked: list[t.Any] = []

    def fetch(self, position: int | str | None) -> list[dict[str, t.Any]]:
        self.asked.append(position)
        start = self._start(position)
        page = [{"id": name} for name in self.names[start : start + self.page_size]]
        change = next(self._changes, 0)
        for dummy in range(abs(change)):
            name = f"new-{next(self._numbers)}"
            self.names.insert(0 if change > 0 else len(self.names), name)
        return page

    def _start(self, position: int | str | None) -> int:
        if position is None:
            return 0
        if self.meaning == "marker":
            return self.names.index(str(position)) + 1
        kind, dummy, base = self.meaning.partition(" from ")
        return (int(position) - int(base)) * (1 if kind == "record" else self.page_size)

    def reader(self, **more: t.Any) -> PageReader:
        return PageReader(self.fetch, lambda record: record.get("id"), **more)


def names(pages: t.Iterable[list[dict[str, t.Any]]]) -> list[str]:
    return [record["id"] for page in pages for record in page]


@pytest.mark.parametrize("meaning", MEANINGS)
@pytest.mark.parametrize("count", [0, 1, 2, 9, 10, 11, 19, 20, 21, 25, 137])
def test_every_meaning_of_offset(meaning: str, count: int) -> None:
    server = List(count, meaning=meaning)
    reader = server.reader()
    assert sorted(names(reader.by_offset())) == sorted(server.names)
    assert reader.is_complete


@pytest.mark.parametrize("meaning", MEANINGS)
@given(
    count=st.integers(0, 90),
    changes=st.lists(st.integers(-3, 3), max_size=20),
)
@settings(max_examples=150, deadline=None, derandomize=True)
def test_tasks_that_start_meanwhile_push_none_out(meaning: str, count: int, changes: list[int]) -> None:
    server = List(count, meaning=meaning, page_size=20, changes=changes)
    before = set(server.names)
    found = names(server.reader().by_offset())
    assert before <= set(found)
    assert len(found) == len(set(found))


@given(count=st.integers(0, 90), changes=st.lists(st.integers(-3, 3), max_size=20))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_a_record_offset_needs_no_guess(count: int, changes: list[int]) -> None:
    server = List(count, meaning="record from 0", changes=changes)
    before = set(server.names)
    assert before <= set(names(server.reader().by_record()))


@pytest.mark.parametrize("count", [0, 1, 10, 11, 35])
def test_marker(count: int) -> None:
    server = List(count, meaning="marker")
    reader = server.reader()
    assert names(reader.by_marker()) == server.names
    assert reader.is_complete


def test_pages_are_bounded() -> None:
    server = List(1000, meaning="page from 1")
    reader = server.reader(max_pages=5)
    assert len(names(reader.by_offset())) == 40
    assert not reader.is_complete
    assert len(server.asked) == 5


def test_a_server_that_always_says_the_same_is_read_to_an_end() -> None:
    asked: list[int | str | None] = []

    def fetch(position: int | str | None) -> list[dict[str, str]]:
        asked.append(position)
        return [{"id": str(number)} for number in range(10)]

    reader = PageReader(fetch, lambda record: record["id"])
    assert len(names(reader.by_offset())) == 10
    assert len(asked) <= 10
    assert not reader.is_complete


def test_records_without_an_id_are_left_out() -> None:
    reader = PageReader(lambda position: [] if position else [{"id": "a"}, {}], lambda record: record.get("id"))
    assert names(reader.by_offset()) == ["a"]


def test_what_is_not_needed_is_not_read() -> None:
    server = List(1000, meaning="page from 1")
    assert len(names(itertools.islice(server.reader().by_offset(), 1))) == 10
    assert server.asked == [None]
