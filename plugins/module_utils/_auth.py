# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Credentials as callables that requests takes: token, AK/SK signature, IAM password login, ECS agency key.

Nothing here opens a connection: logins and key look-ups are callables that are passed in.

PRIVATE to the collection: it may change without notice.
"""

from __future__ import annotations

import hashlib
import hmac
import threading
import time
import typing as t
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from ansible_collections.huaweicloud.tasks.plugins.module_utils._errors import Meaning, RequestError

if t.TYPE_CHECKING:
    from requests import PreparedRequest

ALGORITHM = "SDK-HMAC-SHA256"


def authorization(
    method: str,
    path: str,
    query: t.Iterable[tuple[str, str]],
    headers: t.Mapping[str, str],
    body: bytes,
    access_key: str,
    secret_key: str,
) -> str:
    """Return the value of the header ``Authorization`` for a request (API Request Signing Guide).

    All ``headers`` are signed but those with an underscore in their name; one must be ``X-Sdk-Date``.
    """
    signed = sorted((name.lower(), value.strip()) for name, value in headers.items() if "_" not in name)
    names = ";".join(name for name, dummy in signed)
    request = "\n".join(
        (
            method.upper(),
            canonical_path(path),
            canonical_query(query),
            "".join(f"{name}:{value}\n" for name, value in signed),
            names,
            hashlib.sha256(body).hexdigest(),
        )
    )
    date = dict(signed)["x-sdk-date"]
    to_sign = f"{ALGORITHM}\n{date}\n{hashlib.sha256(request.encode()).hexdigest()}"
    signature = hmac.new(secret_key.encode(), to_sign.encode(), hashlib.sha256).hexdigest()
    return f"{ALGORITHM} Access={access_key}, SignedHeaders={names}, Signature={signature}"


def canonical_path(path: str) -> str:
    """Encode every segment of a path; the result ends in a slash."""
    encoded = "/".join(quote(segment, safe="~") for segment in unquote(path).split("/"))
    return encoded if encoded.endswith("/") else f"{encoded}/"


def canonical_query(query: t.Iterable[tuple[str, str]]) -> str:
    """Sort and encode the parameters of a query; this is also the form to send."""
    return "&".join(f"{quote(key, safe='~')}={quote(value, safe='~')}" for key, value in sorted(query))


class Key(t.NamedTuple):
    """An access key; ``expires_at`` is in seconds since 1970, None for a permanent key."""

    access_key: str
    secret_key: str
    security_token: str | None = None
    expires_at: float | None = None

    def __repr__(self) -> str:
        # A key must not be shown by chance.
        return f"Key({self.access_key})"


class TokenAuth:
    """Send a given IAM token; it cannot be renewed."""

    hint = (
        "auth_token is wrong, has expired (IAM tokens last 24 hours) or is for another region: "
        "get a new one, for example with huaweicloud.tasks.iam_token."
    )

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request.headers["X-Auth-Token"] = self._token
        return request

    def renew(self, request: PreparedRequest) -> bool:
        """Say whether there are fresh credentials since ``request`` was refused."""
        return False


class Shared:
    """A text that IAM gives: whoever needs it first obtains it for all threads."""

    def __init__(self) -> None:
        self._text: str | None = None
        self._failure: RequestError | None = None
        self._failures = 0
        self._lock = threading.Lock()

    def get(self, obtain: t.Callable[[], str]) -> str:
        """Return the text, obtained now if there is none.

        :raises RequestError: IAM refuses
        """
        failures_before = self._failures
        with self._lock:
            if self._text is None:
                self._text = self._new(obtain, failures_before)
            return self._text

    def _new(self, obtain: t.Callable[[], str], failures_before: int) -> str:
        # A refusal is met once, not once a task: IAM locks accounts after a few wrong passwords. Trouble is shared by
        # all who waited for the same answer.
        if self._failure and (self._failure.meaning is not Meaning.TRANSIENT or self._failures > failures_before):
            raise self._failure
        try:
            return obtain()
        except RequestError as error:
            self._failure = error
            self._failures += 1
            raise

    def put(self, text: str) -> None:
        """Take a text that came with another answer."""
        self._text = text

    def drop(self, text: str | None) -> None:
        """Forget the text, unless it is another one by now."""
        with self._lock:
            if self._text == text:
                self._text = None


class PasswordAuth:
    """Send a token from a password login: one for all requests, a new one when it is refused."""

    hint = "IAM gave a token, but the service refuses it: check region, project_id and the user's permissions."

    def __init__(self, login: t.Callable[[], str]) -> None:
        self._login = login
        self._token = Shared()

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request.headers["X-Auth-Token"] = self.ensure_token()
        return request

    def ensure_token(self) -> str:
        """Return the token, after a login if there is none.

        :raises RequestError: IAM refuses
        """
        return self._token.get(self._login)

    def renew(self, request: PreparedRequest) -> bool:
        """Drop the token that ``request`` was refused with; the next request gets a new one."""
        self._token.drop(request.headers.get("X-Auth-Token"))
        return True


class KeyAuth:
    """Sign every request afresh with the key of the moment."""

    hint = "Check access_key and secret_key, for temporary keys security_token too and that they have not expired."

    def __init__(
        self,
        key: t.Callable[[], Key],
        project_id: str | None = None,
        now: t.Callable[[], float] = time.time,
    ) -> None:
        self._key = key
        self._project_id = project_id
        self._now = now

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        key = self._key()
        parts = urlsplit(request.url or "")
        query = parse_qsl(parts.query, keep_blank_values=True)
        headers = self._headers(parts.netloc, key)
        body = request.body.encode() if isinstance(request.body, str) else bytes(request.body or b"")
        request.headers.update(headers)
        request.headers["Authorization"] = authorization(
            request.method or "GET", parts.path, query, headers, body, key.access_key, key.secret_key
        )
        # What is signed must be what is sent, to the letter.
        request.url = parts._replace(query=canonical_query(query)).geturl()
        return request

    def _headers(self, host: str, key: Key) -> dict[str, str]:
        headers = {"Host": host, "X-Sdk-Date": time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(self._now()))}
        if self._project_id:
            headers["X-Project-Id"] = self._project_id
        if key.security_token:
            headers["X-Security-Token"] = key.security_token
        return headers

    def renew(self, request: PreparedRequest) -> bool:
        """Say whether there are fresh credentials since ``request`` was refused."""
        return False


class AgencyKey:
    """The temporary key of an ECS agency, fetched again before it expires."""

    # The metadata service hands out the next key about 10 minutes ahead (ECS user guide).
    MARGIN_SECONDS = 600.0
    # Until it does, it is not asked again for every request.
    PAUSE_SECONDS = 60.0

    def __init__(self, fetch: t.Callable[[], Key], now: t.Callable[[], float] = time.time) -> None:
        self._fetch = fetch
        self._now = now
        self._key: Key | None = None
        self._fetched_at = 0.0
        self._lock = threading.Lock()

    def __call__(self) -> Key:
        with self._lock:
            if self._key is None or self._is_due(self._key):
                self._key = self._refreshed(self._key)
                self._fetched_at = self._now()
            return self._key

    def _refreshed(self, key: Key | None) -> Key:
        try:
            return self._fetch()
        except RequestError:
            if key is None or key.expires_at is None or self._now() >= key.expires_at:
                raise
            return key

    def _is_due(self, key: Key) -> bool:
        if key.expires_at is None or self._now() <= key.expires_at - self.MARGIN_SECONDS:
            return False
        return self._now() >= min(key.expires_at, self._fetched_at + self.PAUSE_SECONDS)


Auth = t.Union[TokenAuth, PasswordAuth, KeyAuth]
