# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading a list page by page without losing a record, whatever its ``offset`` means.

Pages and SDK disagree on whether an offset is a record's number or a page's, and whether it counts from 0 or 1
(TaurusDB, GaussDB, DMS, CBR). The order of records is documented nowhere, and a list changes while it is read. So the
meaning is told from what the pages share, pages overlap, and totals are not believed.

PRIVATE to the collection: it may change without notice.
"""

from __future__ import annotations

import typing as t

Record = dict[str, t.Any]
# Gets the page at an offset or after a marker; None is the first page, asked for without either. Where the page cannot
# be had now it returns None, and is called again for whoever takes the next page.
FetchPage = t.Callable[[t.Union[int, str, None]], t.Optional[t.Sequence[Record]]]

# Records that are read twice, so that one that is removed meanwhile makes no gap.
OVERLAP = 3
# So many pages in a row without a new record are the end: new tasks may push known ones onto one more page.
PAGES_WITHOUT_NEWS = 2
MAX_PAGES = 500


class PageReader:
    """Reads a list; each of its iterators yields the records of one page that no page before it had.

    ``id_of`` returns what tells records apart; a record without that is left out. ``is_complete`` says afterwards
    whether the list was read to its end.
    """

    def __init__(
        self, fetch: FetchPage, id_of: t.Callable[[Record], str | None], *, max_pages: int = MAX_PAGES
    ) -> None:
        self._fetch = fetch
        self._id_of = id_of
        self._pages_left = max_pages
        self._seen: set[str] = set()
        self.is_complete = False

    def by_offset(self) -> t.Iterator[list[Record]]:
        """Yield the pages of a list whose offset may have any meaning."""
        first = yield from self._page(None)
        if first.ids and not self._at_limit():
            at_one = yield from self._page(1)
            at_two = at_one
            # An offset of 1 is the second page, or all but a record of the first one again.
            if at_one.repeats(first) and not self._at_limit():
                at_two = yield from self._page(2)
            if at_two.repeats(first):
                yield from self._by_record(len(first.ids))
            elif at_two.ids:
                yield from self._by_page(2 if at_two is at_one else 3)
        self.is_complete = not self._at_limit()

    def by_record(self) -> t.Iterator[list[Record]]:
        """Yield the pages of a list whose offset is known to be a record's number."""
        first = yield from self._page(None)
        if first.ids:
            yield from self._by_record(len(first.ids))
        self.is_complete = not self._at_limit()

    def by_marker(self) -> t.Iterator[list[Record]]:
        """Yield the pages of a list whose pages begin after a record's id."""
        page = yield from self._page(None)
        while page.news and not self._at_limit():
            page = yield from self._page(page.last_id)
        self.is_complete = not self._at_limit()

    def _by_record(self, page_size: int) -> t.Iterator[list[Record]]:
        offset = max(len(self._seen) - OVERLAP, 1)
        steps_back = without_news = 0
        while not self._at_limit():
            page = yield from self._page(offset)
            if not page.news and len(page.ids) < page_size:
                return
            without_news = 0 if page.news else without_news + 1
            # Full pages of nothing but known records: the API takes no notice of the offset.
            if without_news > PAGES_WITHOUT_NEWS:
                self._pages_left = 0
            # Without an overlap, records before the page may have moved out of sight.
            if page.ids and len(page.news) == len(page.ids) and steps_back < 3:
                offset, steps_back = max(offset - page_size // 2, 1), steps_back + 1
                continue
            offset, steps_back = max(offset + len(page.ids) - OVERLAP, offset + 1), 0

    def _by_page(self, number: int) -> t.Iterator[list[Record]]:
        without_news = 0
        while without_news < PAGES_WITHOUT_NEWS and not self._at_limit():
            page = yield from self._page(number)
            if not page.ids:
                return
            without_news = 0 if page.news else without_news + 1
            number += 1

    def _page(self, position: int | str | None) -> t.Generator[list[Record], None, _Page]:
        self._pages_left -= 1
        while (page := self._fetch(position)) is None:
            yield []
        records = [(identity, record) for record in page if (identity := self._id_of(record))]
        news = {identity: record for identity, record in records if identity not in self._seen}
        self._seen.update(news)
        yield list(news.values())
        return _Page([identity for identity, dummy in records], set(news))

    def _at_limit(self) -> bool:
        return self._pages_left <= 0


class _Page(t.NamedTuple):
    """The ids on a page, and those that no page had before."""

    ids: list[str]
    news: set[str]

    @property
    def last_id(self) -> str:
        return self.ids[-1]

    def repeats(self, other: _Page) -> bool:
        """Say whether most of it is another page's: some records may have moved."""
        return 2 * len(set(self.ids) & set(other.ids)) > len(self.ids)
