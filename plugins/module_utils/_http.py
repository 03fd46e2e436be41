# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One request to one address: decoded JSON or a typed error. The only file that knows requests.

PRIVATE to the collection: it may change without notice.
"""

from __future__ import annotations

import contextlib
import email.utils
import http.client
import socket
import ssl
import threading
import time
import traceback
import types
import typing as t
import warnings
import zlib
from http.cookiejar import DefaultCookiePolicy
from urllib.parse import urlsplit

from ._endpoints import is_loopback
from ._errors import (
    NO_CODES,
    UNKNOWN_API,
    ApiError,
    ErrorClass,
    ErrorCodes,
    classify_error,
)
from ._parsing import NOT_JSON, parse_json, read_error, shorten
from ._settings import fits_header
from ._signing import canonical_query

try:
    import requests
except ImportError:
    REQUESTS_IMPORT_ERROR: str | None = traceback.format_exc()
else:
    REQUESTS_IMPORT_ERROR = None
    import urllib3

if t.TYPE_CHECKING:
    from requests import PreparedRequest, Session

VERSION = "1.0.0"
USER_AGENT = f"ansible-huaweicloud.tasks/{VERSION}"
MAX_BODY_BYTES = 8 * 1024 * 1024
CHUNK_BYTES = 16 * 1024
LARGE_BODY_BYTES = 256 * 1024
# Of zlib's window bits: a gzip header is expected (zlib manual, inflateInit2).
GZIP = 16 + zlib.MAX_WBITS
POOL_SIZE = 16
# Huawei's gateway refuses a signature whose date is more than 15 minutes off; a clock that is this far off is reported
# before that.
DOUBTFUL_SKEW_SECONDS = 300
# What to do where no response came.
CHECK_NETWORK = "Check endpoint, network and proxy if this lasts."
# What to do about a success whose body is not what the API documents.
NOT_THE_API = "If this lasts, something other than the API answers: check endpoint and proxy."
# What a URL was made of, unless the play wrote its path.
REGION_AND_ENDPOINT = "region and endpoint"


class Auth(t.Protocol):
    """Credentials of a request: a callable as requests takes it.

    ``hint`` says what to do when they are refused; ``signs_date``: they are refused when the host's clock is wrong.
    """

    hint: str
    signs_date: bool

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Add the credentials to a request."""

    def renew(self, request: PreparedRequest) -> bool:
        """Say whether there are fresh credentials since ``request`` was refused."""


class Request(t.NamedTuple):
    """A request to send; ``query`` is apart from ``url``, which messages may show.

    ``action`` begins the error's message, ``hint`` says what to do when a request without ``auth`` is refused;
    ``text`` expects plain text instead of JSON. ``names_task``: HTTP 404 means that there is no such task, about which
    ``not_found_hint`` and ``forbidden_hint`` say what to do. ``check`` names what the URL was made of. ``codes`` are
    those of the service.
    """

    method: str
    url: str
    action: str
    query: t.Sequence[tuple[str, str]] = ()
    auth: Auth | None = None
    headers: t.Mapping[str, str] = types.MappingProxyType({})
    body: t.Any = None
    text: bool = False
    hint: str = ""
    names_task: bool = False
    codes: ErrorCodes = NO_CODES
    not_found_hint: str = ""
    forbidden_hint: str = ""
    check: str = REGION_AND_ENDPOINT

    @property
    def full_url(self) -> str:
        """The URL with the encoded query."""
        return f"{self.url}?{canonical_query(self.query)}" if self.query else self.url


class Response(t.NamedTuple):
    """A successful response: its decoded body, and what else is needed of it."""

    body: t.Any
    http_status: int
    headers: t.Mapping[str, str]
    request_id: str | None


def new_session(*, trust_env: bool = True) -> Session:
    """Return a session which keeps connections, refuses cookies and never follows a redirect."""
    # With validate_certs: false the user has decided; urllib3 would say so again at every request.
    warnings.filterwarnings("ignore", message="Unverified HTTPS request")
    session = requests.Session()
    session.trust_env = trust_env
    session.headers.update({"User-Agent": USER_AGENT, "Accept": "application/json", "Accept-Encoding": "gzip"})
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    # Even with allow_redirects=False requests would read a redirect's body, of any size, to prepare the next request.
    session.get_redirect_target = lambda resp: None  # type: ignore[method-assign]
    adapter = requests.adapters.HTTPAdapter(pool_connections=POOL_SIZE, pool_maxsize=POOL_SIZE)
    adapter.poolmanager.pool_classes_by_scheme = {
        "http": _watched(urllib3.HTTPConnectionPool),
        "https": _watched(urllib3.HTTPSConnectionPool),
    }
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


class _Connecting(threading.local):
    """Whether the request that this thread sends had to open a connection."""

    happened = False


_connecting = _Connecting()
_large_bodies = threading.Lock()


def _watched(pool_class: t.Any) -> t.Any:
    """Return a class of connection pools that notes when a connection is opened."""

    class Connection(pool_class.ConnectionCls):  # type: ignore[misc]
        def connect(self) -> None:
            _connecting.happened = True
            super().connect()

    return type("Pool", (pool_class,), {"ConnectionCls": Connection})


def no_auth(request: PreparedRequest) -> PreparedRequest:
    """Send no credentials, not even those that requests would find in a netrc file."""
    return request


def _checked(auth: t.Callable[[PreparedRequest], PreparedRequest]) -> t.Callable[[PreparedRequest], PreparedRequest]:
    """Refuse credentials that no header can carry: http.client would quote them in its own error."""

    def check(request: PreparedRequest) -> PreparedRequest:
        request = auth(request)
        if not all(fits_header(str(value)) for value in request.headers.values()):
            raise ApiError(
                "the credentials hold line breaks or characters that no HTTP header can carry",
                error_class=ErrorClass.FATAL,
                kind="unauthorized",
                hint="Set them again, without such characters.",
            )
        return request

    return check


class HttpClient:
    """Sends requests over one session. ``verify`` is as in requests: true, false or the path of a CA bundle."""

    def __init__(
        self,
        session: Session,
        *,
        request_timeout: float,
        verify: bool | str = True,
        now: t.Callable[[], float] = time.time,
        clock: t.Callable[[], float] = time.monotonic,
    ) -> None:
        self._session = session
        self._request_timeout = request_timeout
        self._verify = verify
        self._now = now
        self._clock = clock

    def send(self, request: Request) -> Response:
        """Send a request; when its credentials are refused, once more if there are fresh ones.

        :raises ApiError: there was no usable response
        """
        deadline = self._clock() + self._request_timeout
        try:
            return self._exchange(request, deadline)
        except _RefusedError as refused:
            if request.auth is None or not request.auth.renew(refused.request):
                raise refused.error from None
        try:
            return self._exchange(request, deadline)
        except _RefusedError as refused:
            raise refused.error from None

    def _exchange(self, request: Request, deadline: float) -> Response:
        _connecting.happened = False
        try:
            return self._exchange_once(request, deadline)
        except _ClosedError as closed:
            # An idle connection that turns out closed is no response.
            if _connecting.happened:
                raise closed.error from None
        try:
            return self._exchange_once(request, deadline)
        except _ClosedError as closed:
            raise closed.error from None

    def _exchange_once(self, request: Request, deadline: float) -> Response:
        left = max(deadline - self._clock(), 0.001)
        try:
            with self._session.request(
                request.method,
                request.full_url,
                json=request.body,
                headers=dict(request.headers),
                auth=_checked(request.auth or no_auth),
                timeout=left,
                verify=self._verify,
                allow_redirects=False,
                stream=True,
                proxies=_proxies(request.url),
            ) as response:
                content = self._read(response, request, deadline)
        # requests' own exceptions are OSErrors, as is that of an unreadable CA bundle; ValueErrors and HTTPExceptions
        # come through it from urllib3 and http.client, for malformed addresses and responses.
        except (OSError, ValueError, http.client.HTTPException) as error:
            explained = _explain_no_response(error, request.action, left)
            raise _ClosedError(explained) if _was_closed(error) else explained from None
        return self._decode(response, content, request)

    def _read(self, response: requests.Response, request: Request, deadline: float) -> bytes:
        # urllib3 would decompress any number of times, and before 2.6 without a bound.
        encoding = response.raw.headers.pop("Content-Encoding", "").strip().lower()
        if encoding not in ("", "identity", "gzip", "x-gzip"):
            raise unreadable(
                "the response is compressed in a way that was not asked for",
                action=request.action,
                http_status=response.status_code,
                request_id=_request_id(response, None),
            )
        # Not the default before urllib3 2.0.
        response.raw.enforce_content_length = True
        body = _Body(compressed="gzip" in encoding)
        for chunk in response.iter_content(CHUNK_BYTES):
            body.add(chunk)
            if len(body.content) > MAX_BODY_BYTES:
                raise ApiError(
                    f"the response is larger than {MAX_BODY_BYTES // 1024 // 1024} MiB",
                    error_class=ErrorClass.FATAL,
                    action=request.action,
                    http_status=response.status_code,
                    request_id=_request_id(response, None),
                    hint="Check endpoint: no task API responds like this.",
                )
            if self._clock() > deadline:
                raise requests.exceptions.ReadTimeout()
        return body.end()

    def _decode(self, response: requests.Response, content: bytes, request: Request) -> Response:
        succeeded = 200 <= response.status_code < 300
        body = content.decode("ascii", "replace").strip() if request.text and succeeded else _parse(content)
        request_id = _request_id(response, body)
        if not succeeded:
            error = self._explain_refusal(response, body, request_id, request)
            if error.error_class is ErrorClass.UNAUTHORIZED:
                raise _RefusedError(error, response.request)
            raise error
        if body is NOT_JSON:
            raise unreadable(
                "the response is not JSON",
                action=request.action,
                http_status=response.status_code,
                request_id=request_id,
            )
        return Response(body, response.status_code, response.headers, request_id)

    def _explain_refusal(
        self, response: requests.Response, body: t.Any, request_id: str | None, request: Request
    ) -> ApiError:
        code, message = read_error(body)
        status = response.status_code
        error_class = classify_error(status, code, request.codes)
        if error_class is ErrorClass.NOT_FOUND and not request.names_task:
            error_class = ErrorClass.FATAL
        return ApiError(
            message or shorten(response.reason) or "no message",
            error_class=error_class,
            code=code,
            http_status=status,
            request_id=request_id,
            action=request.action,
            hint=self._clock_hint(response, request.auth) or _hint(status, code, error_class, request),
            retry_after=_retry_after(response, self._now()),
            body=None if body is NOT_JSON else body,
        )

    def _clock_hint(self, response: requests.Response, auth: Auth | None) -> str:
        server = _seconds_of_date(response.headers.get("Date"))
        if response.status_code != 401 or server is None or auth is None or not auth.signs_date:
            return ""
        skew = round(self._now() - server)
        if abs(skew) < DOUBTFUL_SKEW_SECONDS:
            return ""
        side = "ahead of" if skew > 0 else "behind"
        return (
            f"This host's clock is {abs(skew)} s {side} the server's; signatures more than 15 minutes off are refused. "
            "Set the clock."
        )


class _Body:
    """Collects a body, and decompresses it no further than one byte beyond the bound."""

    def __init__(self, *, compressed: bool) -> None:
        self.content = bytearray()
        self._gzip = zlib.decompressobj(GZIP) if compressed else None

    def add(self, chunk: bytes) -> None:
        """:raises ContentDecodingError: it is not compressed as the response says"""
        if self._gzip is None:
            self.content += chunk
            return
        try:
            self._decompress(chunk)
        except zlib.error as error:
            raise requests.exceptions.ContentDecodingError() from error

    def _decompress(self, chunk: bytes) -> None:
        while chunk and len(self.content) <= MAX_BODY_BYTES:
            # Compressed data may consist of several members (RFC 1952, 2.2).
            if self._gzip is None or self._gzip.eof:
                self._gzip = zlib.decompressobj(GZIP)
            self.content += self._gzip.decompress(chunk, MAX_BODY_BYTES + 1 - len(self.content))
            chunk = self._gzip.unused_data

    def end(self) -> bytes:
        """:raises ContentDecodingError: something is missing at the end"""
        if self._gzip is not None and self.content and not self._gzip.eof:
            raise requests.exceptions.ContentDecodingError()
        return bytes(self.content)


def _proxies(url: str) -> dict[str, str]:
    """Return what requests is told of proxies beside the environment: none for this machine itself."""
    host = urlsplit(url).hostname or ""
    return {"no_proxy": host} if is_loopback(host) else {}


def _was_closed(error: Exception) -> bool:
    """Say whether the server has closed the connection before the first byte of a response."""
    causes = (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError, ConnectionAbortedError)
    is_early = isinstance(error, requests.exceptions.ConnectionError) and not isinstance(
        error, requests.exceptions.Timeout
    )
    return is_early and any(_find_cause(error, cause) for cause in causes)


class _ClosedError(Exception):
    """The connection was closed before the first byte of a response."""

    def __init__(self, error: ApiError) -> None:
        super().__init__()
        self.error = error


def _parse(content: bytes) -> t.Any:
    # Decoded JSON takes many times the room of its text: large bodies are decoded one after the other.
    with _large_bodies if len(content) > LARGE_BODY_BYTES else contextlib.nullcontext():
        return parse_json(content)


class _RefusedError(Exception):
    """The credentials were refused, with the request that held them."""

    def __init__(self, error: ApiError, request: PreparedRequest) -> None:
        super().__init__()
        self.error = error
        self.request = request


def unreadable(
    message: str,
    *,
    action: str,
    http_status: int | None = None,
    request_id: str | None = None,
    body: t.Any = None,
    hint: str = NOT_THE_API,
) -> ApiError:
    """Return the error for a success whose body is not what the API documents, as proxies and login pages send."""
    return ApiError(
        message,
        error_class=ErrorClass.TRANSIENT,
        http_status=http_status,
        request_id=request_id,
        action=action,
        hint=hint,
        body=body,
    )


def _request_id(response: requests.Response, body: t.Any) -> str | None:
    in_body = body.get("request_id") if isinstance(body, dict) else None
    headers = response.headers
    return shorten(headers.get("X-Request-Id") or headers.get("X-IAM-Trace-Id") or in_body) or None


def _hint(status: int, code: str | None, error_class: ErrorClass, request: Request) -> str:
    if error_class is ErrorClass.UNAUTHORIZED:
        return request.auth.hint if request.auth else request.hint
    if 300 <= status < 400:
        return "Redirects are not followed, so that credentials reach no other host: check endpoint."
    if code == UNKNOWN_API:
        return f"There is no such API at this address: check {request.check}."
    if status == 403 and request.forbidden_hint:
        return request.forbidden_hint
    if status == 403:
        what = "to read this task" if request.names_task else "for this"
        return f"These credentials lack permission {what}: check project_id and the user's permissions."
    return _hint_of_class(error_class, request)


def _hint_of_class(error_class: ErrorClass, request: Request) -> str:
    if error_class in (ErrorClass.TRANSIENT, ErrorClass.THROTTLED):
        return "This is usually temporary; retry later."
    if error_class is ErrorClass.NOT_FOUND:
        return request.not_found_hint
    return "Check the options that name the task." if request.names_task else "Check iam_endpoint and region."


def _retry_after(response: requests.Response, now: float) -> float | None:
    """Read Retry-After (RFC 9110, 10.2.3): seconds, or a date which the server's own clock gives a meaning."""
    value = (response.headers.get("Retry-After") or "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    date = _seconds_of_date(value)
    if date is None:
        return None
    server_now = _seconds_of_date(response.headers.get("Date"))
    return max(date - (now if server_now is None else server_now), 0.0)


def _seconds_of_date(value: str | None) -> float | None:
    try:
        return email.utils.parsedate_to_datetime(value or "").timestamp()
    except (TypeError, ValueError, IndexError, OverflowError):
        return None


def _explain_no_response(error: Exception, action: str, seconds: float) -> ApiError:
    """Name the cause in our own words: the text of a requests exception can hold headers and queries."""
    if isinstance(error, requests.exceptions.Timeout) or _find_cause(error, socket.timeout):
        message, fatal = no_response_within(seconds), False
    # A certificate's verification fails with a ValueError, whatever the version of urllib3.
    elif isinstance(error, requests.exceptions.SSLError) and _find_cause(error, ValueError):
        message, fatal = "the server's certificate is not trusted", True
    elif _is_bad_ca_file(error):
        message, fatal = "the file of CA certificates cannot be read", True
    elif isinstance(error, (requests.exceptions.ConnectionError, http.client.HTTPException)):
        message, fatal = _words_of_connection_error(error), False
    elif isinstance(error, _broken_responses()):
        message, fatal = "the response was truncated or could not be decoded", False
    else:
        message, fatal = f"the request could not be sent ({type(error).__name__})", True
    return ApiError(
        message,
        kind="connection",
        error_class=ErrorClass.FATAL if fatal else ErrorClass.TRANSIENT,
        action=action,
        hint=_hint_of_no_response(message, fatal),
    )


def _broken_responses() -> tuple[type[Exception], ...]:
    # Credentials that no header can carry were refused before; an invalid header is one of the response's.
    known = requests.exceptions
    return (known.ChunkedEncodingError, known.ContentDecodingError, known.InvalidHeader)


def no_response_within(seconds: float) -> str:
    """Say how long was waited for a response."""
    return f"no response within {seconds:.0f} s" if seconds >= 1 else f"no response within {seconds:.1g} s"


def _is_bad_ca_file(error: Exception) -> bool:
    cause = _find_cause(error, ssl.SSLError)
    return cause is not None and cause.library in ("X509", "PEM")


def _hint_of_no_response(message: str, fatal: bool) -> str:
    if not fatal:
        return CHECK_NETWORK
    if "certificate" in message:
        return "Set ca_path to the CA that signed it, and check endpoint."
    return "Check endpoint, ca_path and the proxy variables."


def _words_of_connection_error(error: Exception) -> str:
    if isinstance(error, requests.exceptions.ProxyError):
        return "the proxy could not be reached"
    cause = _find_cause(error, OSError)
    if cause is not None and cause.strerror:
        return f"connection failed: {cause.strerror}"
    return "the connection was closed or could not be opened"


CauseT = t.TypeVar("CauseT", bound=BaseException)


def _find_cause(error: BaseException, wanted: type[CauseT]) -> CauseT | None:
    """Look for an exception of a type among what led to an error, requests' own OSErrors left out."""
    seen: list[BaseException] = []
    todo: list[t.Any] = [error]
    while todo:
        current = todo.pop()
        if not isinstance(current, BaseException) or current in seen:
            continue
        seen.append(current)
        if isinstance(current, wanted) and not isinstance(current, requests.exceptions.RequestException):
            return current
        todo += [current.__cause__, current.__context__, getattr(current, "reason", None), *current.args]
    return None
