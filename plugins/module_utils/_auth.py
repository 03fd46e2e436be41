# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Credentials: token, password login, AK/SK, ECS agency key; and the look-up of a project.

PRIVATE to the collection: it may change without notice.
"""

from __future__ import annotations

import dataclasses
import functools
import threading
import time
import typing as t
from urllib.parse import parse_qsl, urlsplit

from ._concurrency import Missing, run_all
from ._endpoints import check_endpoint, iam_endpoint_of
from ._errors import ApiError, ErrorClass, InputError
from ._http import CHECK_NETWORK, Auth, HttpClient, Request, Response, no_response_within, unreadable
from ._settings import HOW_TO_GIVE_CREDENTIALS, KEY, METHODS, PASSWORD, TOKEN, Credentials, Settings, fits_header
from ._signing import authorization, canonical_query
from ._task import is_id, seconds_since_1970
from ._text import plural

if t.TYPE_CHECKING:
    from requests import PreparedRequest

METADATA_ENDPOINT = "http://169.254.169.254"
METADATA_TOKEN_SECONDS = 21600
# What a thread may take beyond its request's own time limit before it is left behind.
GRACE_SECONDS = 1.0

KEY_HINT = "Check access_key and secret_key, for temporary keys security_token too and that they have not expired."
AGENCY_HINT = "No credentials were given, so the key of this ECS's agency was used: check the agency's permissions."
NEEDS_PASSWORD = "IAM issues tokens for username, password and domain_name"


class Key(t.NamedTuple):
    """An access key; ``expires_at`` is in seconds since 1970, None for a permanent key."""

    access_key: str
    secret_key: str
    security_token: str | None = None
    expires_at: float | None = None

    def __repr__(self) -> str:
        # A key must not be shown by chance.
        return "Key()"


class TokenAuth:
    """Send a given IAM token; it cannot be renewed."""

    hint = (
        "auth_token is wrong, has expired (IAM tokens last 24 hours) or is for another region: "
        "get a new one, for example with huaweicloud.tasks.iam_token."
    )
    signs_date = False

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request.headers["X-Auth-Token"] = self._token
        return request

    def renew(self, request: PreparedRequest) -> bool:
        """Say whether there are fresh credentials since ``request`` was refused."""
        return False


class SharedValue:
    """A text that IAM gives: whoever needs it first obtains it for all threads."""

    def __init__(self) -> None:
        self._text: str | None = None
        self._was_given = False
        self._failure: ApiError | None = None
        self._failures = 0
        self._lock = threading.Lock()

    def get(self, obtain: t.Callable[[], str]) -> str:
        """Return the text, obtained now if there is none.

        :raises ApiError: IAM refuses
        """
        failures_before = self._failures
        with self._lock:
            if self._text is None:
                self._text = self._new(obtain, failures_before)
                self._was_given = True
            return self._text

    def _new(self, obtain: t.Callable[[], str], failures_before: int) -> str:
        # A refusal is met once, not once a task: IAM locks accounts after a few wrong passwords. Trouble is shared by
        # all who waited for the same response.
        if self._failure and (
            self._failure.error_class not in (ErrorClass.TRANSIENT, ErrorClass.THROTTLED)
            or self._failures > failures_before
        ):
            raise self._failure
        try:
            return obtain()
        except ApiError as error:
            self._failure = error
            self._failures += 1
            raise

    def begin_poll(self) -> None:
        """Forget a refusal of what IAM gave before: it may have been an odd response of a gateway."""
        if self._was_given:
            self._failure = None

    def put(self, text: str) -> None:
        """Take a text that came with another response."""
        self._text, self._was_given = text, True

    def drop(self, text: str | None) -> None:
        """Forget the text, unless it is another one by now."""
        with self._lock:
            if self._text == text:
                self._text = None


class PasswordAuth:
    """Send a token from a password login: one for all requests, a new one when it is refused."""

    hint = "IAM gave a token, but the service refuses it: check region, project_id and the user's permissions."
    signs_date = False

    def __init__(self, login: t.Callable[[], str]) -> None:
        self._login = login
        self._token = SharedValue()

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request.headers["X-Auth-Token"] = self.ensure_token()
        return request

    def ensure_token(self) -> str:
        """Return the token, after a login if there is none.

        :raises ApiError: IAM refuses
        """
        return self._token.get(self._login)

    def begin_poll(self) -> None:
        """Log in again where a new login was refused during the poll before."""
        self._token.begin_poll()

    def renew(self, request: PreparedRequest) -> bool:
        """Drop the token that ``request`` was refused with; the next request gets a new one."""
        self._token.drop(request.headers.get("X-Auth-Token"))
        return True


class KeyAuth:
    """Sign every request afresh with the key of the moment."""

    signs_date = True

    def __init__(
        self,
        key: t.Callable[[], Key],
        project_id: str | None = None,
        now: t.Callable[[], float] = time.time,
        hint: str = KEY_HINT,
    ) -> None:
        self._key = key
        self._project_id = project_id
        self._now = now
        self.hint = hint

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
    # Until it does, not every request gets the key anew.
    PAUSE_SECONDS = 60.0

    def __init__(self, fetch: t.Callable[[], Key], now: t.Callable[[], float] = time.time) -> None:
        self._fetch = fetch
        self._now = now
        self._key: Key | None = None
        self._fetched_at = 0.0
        self._lock = threading.Lock()

    @property
    def known(self) -> bool:
        """Whether there was a key already."""
        return self._key is not None

    def __call__(self) -> Key:
        with self._lock:
            if self._key is None or self._is_due(self._key):
                self._key = self._refreshed(self._key)
                self._fetched_at = self._now()
            return self._key

    def _refreshed(self, key: Key | None) -> Key:
        try:
            return self._fetch()
        except ApiError:
            if key is None or key.expires_at is None or self._now() >= key.expires_at:
                raise
            return key

    def _is_due(self, key: Key) -> bool:
        if key.expires_at is None or self._now() <= key.expires_at - self.MARGIN_SECONDS:
            return False
        return self._now() >= min(key.expires_at, self._fetched_at + self.PAUSE_SECONDS)


class Authenticator:
    """Has the credentials for every request, and finds out for which project they are.

    ``fetch_key`` gets the ECS agency's key. ``mask`` is told every secret that is obtained. ``request_timeout`` is in
    seconds.
    """

    def __init__(
        self,
        settings: Settings,
        http: HttpClient,
        *,
        fetch_key: t.Callable[[], Key],
        mask: t.Callable[[str], None],
        request_timeout: float,
    ) -> None:
        self._settings = settings
        self._http = http
        self._request_timeout = request_timeout
        self._fetch_key = fetch_key
        self._mask = mask
        self._agency_key = AgencyKey(self._fetch_masked_key)
        self._lock = threading.Lock()
        self._login_lock = threading.Lock()
        self._login_refusal: ApiError | None = None
        self._passwords: dict[tuple[str | None, str | None], PasswordAuth] = {}
        self._projects: dict[str | None, SharedValue] = {}

    @functools.cached_property
    def credentials(self) -> Credentials:
        """What was given.

        :raises InputError: the play gives half of a method, or a value that no request can carry
        """
        return self._settings.credentials()

    def check(self, region: str | None, project_id: str | None) -> None:
        """Check that requests for a project can be made, without sending any.

        :raises InputError: the credentials are incomplete, or IAM is needed and its address is not known
        """
        if not (project_id or region):
            raise InputError("Neither project_id nor region is given. Set project_id, or region to look it up.")
        if self.credentials.method == PASSWORD or not project_id:
            self._iam_endpoint(region)

    def _iam_endpoint(self, region: str | None) -> str:
        given = self._settings.find("iam_endpoint")
        if given is None:
            return iam_endpoint_of(region)
        address = check_endpoint(given.source, given.value)
        # The variables of Terraform and OpenStack hold the API's version, too.
        return address[:-3] if address.endswith("/v3") else address

    def begin_poll(self) -> None:
        """Let what IAM gave before, and refused during the poll before, be requested once more."""
        with self._lock:
            obtained: list[PasswordAuth | SharedValue] = [*self._passwords.values(), *self._projects.values()]
        for each in obtained:
            each.begin_poll()

    def for_project(self, region: str | None, given: str | None, project_id: str | None) -> Auth:
        """Return the credentials of a request for a project; ``given`` is its id where the user has named it."""
        values = self.credentials.values
        if self.credentials.method == TOKEN:
            return TokenAuth(values["auth_token"])
        if self.credentials.method == PASSWORD:
            return self._by_password(region, given)
        if self.credentials.method == KEY:
            key = Key(values["access_key"], values["secret_key"], values.get("security_token"))
            return KeyAuth(lambda: key, project_id)
        return KeyAuth(self._key_of_agency, project_id, hint=AGENCY_HINT)

    def _by_password(self, region: str | None, project_id: str | None) -> PasswordAuth:
        new = PasswordAuth(lambda: self._masked_token(region, project_id))
        with self._lock:
            return self._passwords.setdefault((region, project_id), new)

    def _masked_token(self, region: str | None, project_id: str | None) -> str:
        with self._login_lock:
            # IAM locks accounts after a few wrong passwords, whatever projects they were sent for.
            if self._login_refusal:
                raise self._login_refusal
            action = _login_action(self._iam_endpoint(region))
            token = self._in_time(lambda: self._login_unless_refused(region, project_id), action)
        self._mask(token)
        return token

    def _login_unless_refused(self, region: str | None, project_id: str | None) -> str:
        try:
            return self._login(region, project_id).value
        except ApiError as error:
            if error.http_status == 401:
                self._login_refusal = error
            raise

    def _in_time(self, call: t.Callable[[], str], action: str) -> str:
        """Return what a call returns; its lock must not be held by a server that drips, which requests waits for."""
        (result,) = run_all([call], workers=1, patience=self._request_timeout + GRACE_SECONDS)
        if isinstance(result, Missing):
            raise ApiError(
                no_response_within(self._request_timeout), kind="connection", action=action, hint=CHECK_NETWORK
            )
        return result

    def login(self) -> Token:
        """Log in with user name and password, for the project or the region's.

        :raises ApiError: IAM refuses
        :raises InputError: there is no user name and password, or neither project nor region is known
        """
        if self.credentials.method != PASSWORD:
            raise InputError(self._no_password())
        return self._login(self._settings.get("region"), self._settings.get("project_id"))

    def _no_password(self) -> str:
        what = {KEY: "an access key", TOKEN: "a token"}.get(self.credentials.method)
        if what is None:
            return f"{self._settings.lack()} {NEEDS_PASSWORD}: set all three."
        found = {option: self._settings.find(option) for option in METHODS[self.credentials.method]}
        in_play = [option for option, setting in found.items() if setting and setting.source == option]
        remedy = "Give username, password and domain_name as options of this task."
        if in_play:
            remedy = f"Leave {' and '.join(in_play)} out of this task, or set {'them' if in_play[1:] else 'it'} to ''."
        return f"{NEEDS_PASSWORD} only, but {what} took precedence. {remedy}"

    def _login(self, region: str | None, project_id: str | None) -> Token:
        values = self.credentials.values
        token = login(self._http, self._iam_endpoint(region), values, project_id=project_id, region=region)
        if token.project_id and not project_id:
            self._project_of(region).put(token.project_id)
        return token

    def find_project(self, region: str | None) -> str:
        """Return the id of a region's project, looked up once.

        :raises ApiError: IAM refuses, or there is no such project, or more than one
        """
        auth = self.for_project(region, None, None)
        if isinstance(auth, PasswordAuth):
            # The project's id comes with the token.
            auth.ensure_token()
        endpoint = self._iam_endpoint(region)
        action = _project_action(endpoint, str(region))

        def find() -> str:
            return find_project(self._http, endpoint, auth, str(region))

        return self._project_of(region).get(lambda: self._in_time(find, action))

    def _project_of(self, region: str | None) -> SharedValue:
        with self._lock:
            return self._projects.setdefault(region, SharedValue())

    def _key_of_agency(self) -> Key:
        """:raises InputError: nothing is given, and the host has no agency key either"""
        is_first = not self._agency_key.known
        try:
            return self._agency_key()
        except ApiError as error:
            if not is_first:
                raise
            raise InputError(f"{self._settings.lack()} {HOW_TO_GIVE_CREDENTIALS} ({error.message}).") from None

    def _fetch_masked_key(self) -> Key:
        key = self._fetch_key()
        self._mask(key.access_key)
        self._mask(key.secret_key)
        if key.security_token:
            self._mask(key.security_token)
        return key


@dataclasses.dataclass(frozen=True)
class Token:
    """An IAM token. The dates are as IAM gives them; ``project_id`` is the project that it is for."""

    value: str = dataclasses.field(repr=False)
    expires_at: str | None
    issued_at: str | None
    project_id: str | None


def login(
    http: HttpClient,
    iam_endpoint: str,
    credentials: t.Mapping[str, str],
    *,
    project_id: str | None,
    region: str | None,
) -> Token:
    """Log in with user name and password (API: Obtaining a User Token Through Password Authentication).

    :raises ApiError: IAM refuses, or its response holds no token
    :raises InputError: neither project nor region is known
    """
    url = _login_url(iam_endpoint)
    action = _login_action(iam_endpoint)
    body = {"auth": {"identity": _identity(credentials), "scope": _scope(credentials, project_id, region)}}
    # IAM refuses with HTTP 401, too, where the project is not the user's.
    hint = "Check username, password and domain_name, and region or project_id."
    response = http.send(Request("POST", url, action, [("nocatalog", "true")], body=body, hint=hint))
    value = response.headers.get("X-Subject-Token", "")
    if not value or not fits_header(value):
        raise _unreadable(response, action, "the response has no token in its header X-Subject-Token")
    details = _mapping(_mapping(response.body).get("token"))
    project = _mapping(details.get("project")).get("id")
    if project:
        _check_project_id(project, response, action)
    return Token(value, details.get("expires_at"), details.get("issued_at"), project or project_id)


def _login_url(iam_endpoint: str) -> str:
    return f"{iam_endpoint}/v3/auth/tokens"


def _login_action(iam_endpoint: str) -> str:
    return f"Cannot get a token (POST {_login_url(iam_endpoint)})"


def _identity(credentials: t.Mapping[str, str]) -> dict[str, t.Any]:
    user = {
        "name": credentials["username"],
        "password": credentials["password"],
        "domain": {"name": credentials["domain_name"]},
    }
    return {"methods": ["password"], "password": {"user": user}}


def _scope(credentials: t.Mapping[str, str], project_id: str | None, region: str | None) -> dict[str, t.Any]:
    if project_id:
        return {"project": {"id": project_id}}
    if not region:
        raise InputError("A token is for a project: set project_id or region.")
    # A plain Keystone, as in private clouds, refuses a project's name without its domain.
    return {"project": {"name": region, "domain": {"name": credentials["domain_name"]}}}


def _mapping(value: t.Any) -> dict[str, t.Any]:
    return value if isinstance(value, dict) else {}


def find_project(http: HttpClient, iam_endpoint: str, auth: Auth, region: str) -> str:
    """Look up the id of a region's project by its name, which is the region's (API: Querying Project Information).

    :raises ApiError: IAM refuses, or there is no such project, or more than one
    """
    url = _projects_url(iam_endpoint)
    action = _project_action(iam_endpoint, region)
    response = http.send(Request("GET", url, action, [("name", region)], auth=auth))
    projects = _mapping(response.body).get("projects")
    if not isinstance(projects, list):
        raise _unreadable(response, action, "the response has no list 'projects'")
    ids = [str(project["id"]) for project in projects if isinstance(project, dict) and project.get("id")]
    if len(ids) != 1:
        raise _not_one_project(response, projects, action, region)
    _check_project_id(ids[0], response, action)
    return ids[0]


def _projects_url(iam_endpoint: str) -> str:
    return f"{iam_endpoint}/v3/projects"


def _project_action(iam_endpoint: str, region: str) -> str:
    return f"Cannot look up the project of region {region} (GET {_projects_url(iam_endpoint)})"


def _check_project_id(project_id: t.Any, response: Response, action: str) -> None:
    # It becomes a part of an address.
    if not is_id(project_id):
        raise _unreadable(response, action, "the response contains an invalid project id")


def _unreadable(response: Response, action: str, message: str) -> ApiError:
    return unreadable(message, action=action, http_status=response.http_status, request_id=response.request_id)


def _not_one_project(response: Response, projects: list[t.Any], action: str, region: str) -> ApiError:
    found = ", ".join(f"{_mapping(project).get('name')} ({_mapping(project).get('id')})" for project in projects)
    return ApiError(
        f"found {plural(len(projects), 'project')}: {found}" if projects else f"found no project named {region}",
        error_class=ErrorClass.FATAL,
        http_status=response.http_status,
        request_id=response.request_id,
        action=action,
        hint="Set project_id." if projects else "Check region, or set project_id.",
    )


def fetch_agency_key(http: HttpClient, endpoint: str = METADATA_ENDPOINT) -> Key:
    """Fetch the temporary key of the ECS agency (ECS user guide: Obtaining Metadata).

    :raises ApiError: there is no metadata service, or no agency
    """
    headers = _metadata_token(http, endpoint)
    url = f"{endpoint}/openstack/latest/securitykey"
    action = "Cannot get the agency's key from the metadata service"
    response = http.send(Request("GET", url, action, headers=headers))
    key = _mapping(_mapping(response.body).get("credential"))
    access, secret, security_token = (str(key.get(name) or "") for name in ("access", "secret", "securitytoken"))
    if not (access and secret and fits_header(access + security_token)):
        raise _unreadable(response, action, "the response holds no key")
    return Key(access, secret, security_token or None, seconds_since_1970(key.get("expires_at")))


def _metadata_token(http: HttpClient, endpoint: str) -> dict[str, str]:
    """Take the token step where the host has it; older hosts respond without (404, 405 or 503)."""
    headers = {"X-Metadata-Token-Ttl-Seconds": str(METADATA_TOKEN_SECONDS)}
    url = f"{endpoint}/meta-data/latest/api/token"
    try:
        response = http.send(Request("PUT", url, "Cannot get a metadata token", headers=headers, text=True))
    except ApiError as error:
        if error.http_status in (404, 405, 503):
            return {}
        raise
    return {"X-Metadata-Token": str(response.body)}
