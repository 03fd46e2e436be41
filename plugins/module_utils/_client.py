# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ask services for tasks: one by one or many at once.

PRIVATE to the collection: it may change without notice.
"""

from __future__ import annotations

import functools
import os
import re
import threading
import typing as t

from ansible.module_utils.basic import missing_required_lib

from ._auth import (
    AgencyKey,
    Key,
    KeyAuth,
    PasswordAuth,
    SharedValue,
    Token,
    TokenAuth,
    fetch_agency_key,
    find_project,
    login,
)
from ._concurrency import Missing, run_all
from ._custom import CUSTOM, service_of, title_of
from ._endpoints import (
    check_endpoint,
    endpoint_of,
    endpoint_of_label,
    iam_endpoint_of,
)
from ._errors import (
    ApiError,
    ErrorClass,
    InputError,
    MissingLibraryError,
    TasksError,
)
from ._http import (
    POOL_SIZE,
    REQUESTS_IMPORT_ERROR,
    Auth,
    HttpClient,
    Request,
    Response,
    address_of,
    new_session,
    no_response_within,
    unreadable,
)
from ._listing import Found, Wanted, find_tasks
from ._lists import LISTS, TaskList, list_of
from ._parsing import NoSuchTaskError, UnreadableResponseError, gone_task, means_gone, read_task
from ._services import Service
from ._settings import (
    AGENCY,
    KEY,
    NO_CREDENTIALS,
    PASSWORD,
    TOKEN,
    Credentials,
    Settings,
    settings_from,
)
from ._signing import canonical_query
from ._survey import SendList
from ._task import Task, TaskRef

_ID = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
METADATA_TIMEOUT_SECONDS = 2.0
MAX_REQUEST_TIMEOUT_SECONDS = 3600
# What a thread may take beyond its request's own time limit before it is left behind.
GRACE_SECONDS = 1.0


class TaskResponse(t.NamedTuple):
    """What a service said of a task; ``task`` is None where it knows none. ``body`` is its decoded answer."""

    task: Task | None
    body: t.Any


def check_ref(ref: TaskRef) -> None:
    """Check that a task is named as its service needs it.

    :raises InputError: the service is unknown, ``api`` is wrong, an id is missing or holds characters that no id has
    """
    service = service_of(ref)
    missing = [option for option in service.required if not getattr(ref, option)]
    if missing:
        raise InputError(f"A task of {service.name} needs {' and '.join(missing)}.")
    given = [option for option in service.required_together if getattr(ref, option)]
    if given and len(given) < len(service.required_together):
        lacking = " and ".join(option for option in service.required_together if option not in given)
        raise InputError(f"A task of {service.name} that is named by {' and '.join(given)} needs {lacking} too.")
    for option in ("task_id", "instance_id", "task_name", "project_id"):
        check_id(option, getattr(ref, option))


def check_id(option: str, value: str | None) -> None:
    """Check that an id is safe to put into an address.

    :raises InputError: it holds other characters than letters, digits, ``-`` and ``_``
    """
    if value is not None and not _ID.fullmatch(value):
        raise InputError(f"{option} must consist of letters, digits, '-' and '_' only.")


class TaskClient:
    """Knows where each task is to be asked for and with which credentials.

    ``http`` goes to the cloud, ``fetch_key`` gets the ECS agency's key. ``mask`` is told every secret that is obtained.
    """

    def __init__(
        self,
        params: t.Mapping[str, t.Any],
        settings: Settings,
        http: HttpClient,
        *,
        fetch_key: t.Callable[[], Key],
        mask: t.Callable[[str], None],
    ) -> None:
        self._params = params
        self._settings = settings
        self._http = http
        self._mask = mask
        self._fetch_key = fetch_key
        self._request_timeout = float(params["request_timeout"])
        self._lock = threading.Lock()
        self._login_lock = threading.Lock()
        self._login_refusal: ApiError | None = None
        self._auths: dict[tuple[str | None, str | None], Auth] = {}
        self._projects: dict[str | None, SharedValue] = {}

    @functools.cached_property
    def _credentials(self) -> Credentials:
        return self._settings.credentials()

    @functools.cached_property
    def _key(self) -> t.Callable[[], Key]:
        """Where the key of the moment comes from.

        :raises InputError: nothing is given, and the host has no agency key either
        """
        if self._credentials.method == KEY:
            values = self._credentials.values
            key = Key(values["access_key"], values["secret_key"], values.get("security_token"))
            return lambda: key
        agency_key = AgencyKey(self._fetch_masked_key)
        try:
            agency_key()
        except ApiError as error:
            raise InputError(f"{NO_CREDENTIALS} ({error.message}).") from None
        return agency_key

    def _fetch_masked_key(self) -> Key:
        key = self._fetch_key()
        self._mask(key.secret_key)
        if key.security_token:
            self._mask(key.security_token)
        return key

    # Where to ask

    def _address(self, ref: TaskRef) -> str:
        given = ref.endpoint or self._params.get("endpoint")
        if given:
            return check_endpoint("endpoint", given, validate_certs=self._params["validate_certs"])
        product, region = service_of(ref).product, self._region(ref)
        return endpoint_of_label(product, region) if ref.service == CUSTOM else endpoint_of(product, region)

    def _iam_address(self, region: str | None) -> str:
        given = self._settings.get("iam_endpoint")
        if not given:
            return iam_endpoint_of(region)
        address = check_endpoint("iam_endpoint", given, validate_certs=self._params["validate_certs"])
        # The variables of Terraform and OpenStack hold the API's version, too.
        return address[:-3] if address.endswith("/v3") else address

    def _region(self, ref: TaskRef) -> str | None:
        return ref.region or self._settings.get("region")

    def _given_project(self, ref: TaskRef) -> str | None:
        """Return the project that the user named; the top level's is not that of another region."""
        if ref.project_id:
            return ref.project_id
        top = self._settings.get("region")
        return None if ref.region and top and ref.region != top else self._settings.get("project_id")

    # With which credentials

    def _auth(self, region: str | None, project_id: str | None) -> Auth:
        """Return the credentials for a project; for a password login None is the region's project."""
        with self._lock:
            if (region, project_id) not in self._auths:
                self._auths[(region, project_id)] = self._new_auth(region, project_id)
            return self._auths[(region, project_id)]

    def _new_auth(self, region: str | None, project_id: str | None) -> Auth:
        if self._credentials.method == TOKEN:
            return TokenAuth(self._credentials.values["auth_token"])
        if self._credentials.method == PASSWORD:
            return PasswordAuth(lambda: self._masked_token(region, project_id))
        return KeyAuth(self._key, project_id)

    def _masked_token(self, region: str | None, project_id: str | None) -> str:
        with self._login_lock:
            # IAM locks accounts after a few wrong passwords, whatever projects they were sent for.
            if self._login_refusal:
                raise self._login_refusal
            try:
                token = self._login(region, project_id).value
            except ApiError as error:
                if error.http_status == 401:
                    self._login_refusal = error
                raise
        self._mask(token)
        return token

    def login(self) -> Token:
        """Log in with user name and password, for the project or the region's.

        :raises RequestError: IAM refuses
        :raises InputError: there is no user name and password, or neither project nor region is known
        """
        if self._credentials.method != PASSWORD:
            raise InputError("A token is given for username, password and domain_name: set these.")
        region, project_id = self._settings.get("region"), self._settings.get("project_id")

        def attempt() -> Token | TasksError:
            try:
                return self._login(region, project_id)
            except TasksError as error:
                return error

        # As for tasks: a server that drips, or a name look-up that hangs, must not hold the module.
        (outcome,) = run_all([attempt], workers=1, patience=self._request_timeout + GRACE_SECONDS)
        if isinstance(outcome, Missing):
            raise _no_response("Cannot get a token", no_response_within(self._request_timeout))
        if isinstance(outcome, TasksError):
            raise outcome
        return outcome

    def _login(self, region: str | None, project_id: str | None) -> Token:
        iam = self._iam_address(region)
        token = login(self._http, iam, self._credentials.values, project_id=project_id, region=region)
        if token.project_id and not project_id:
            self._project_of(region).put(token.project_id)
        return token

    def _project(self, ref: TaskRef, limit: float | None) -> str:
        """Return the project to ask in, looked up by the region's name where none is given."""
        given = self._given_project(ref)
        if given:
            return given
        region = self._region(ref)
        auth = self._auth(region, None)
        if isinstance(auth, PasswordAuth):
            auth.ensure_token()
        return self._project_of(region).get(lambda: self._find_project(str(region), auth, limit))

    def _project_of(self, region: str | None) -> SharedValue:
        with self._lock:
            return self._projects.setdefault(region, SharedValue())

    def _find_project(self, region: str, auth: Auth, limit: float | None) -> str:
        return find_project(self._http, self._iam_address(region), auth, region, limit)

    # Asking

    def check(self, refs: t.Sequence[TaskRef]) -> None:
        """Find what is wrong with the options before anything is asked.

        :raises InputError: a task is not named well, where to ask for it is not known, or there are no credentials
        """
        for number, ref in enumerate(refs):
            try:
                check_ref(ref)
            except InputError as error:
                raise InputError(f"tasks[{number}]: {error}" if len(refs) > 1 else str(error)) from None
            self._check_source(ref)

    def _check_source(self, ref: TaskRef) -> None:
        self._address(ref)
        project_id = self._given_project(ref)
        check_id("project_id", project_id)
        if not project_id:
            self._check_look_up(self._region(ref))
        self._check_credentials(self._region(ref))

    def _check_credentials(self, region: str | None) -> None:
        if self._credentials.method == AGENCY:
            self._key()
        if self._credentials.method == PASSWORD:
            self._iam_address(region)

    def _check_look_up(self, region: str | None) -> None:
        if not region:
            raise InputError("Neither project_id nor region is given. Set project_id, or region to look it up.")
        self._iam_address(region)

    def find(self, ref: TaskRef) -> TaskResponse:
        """Ask for one task; that there is none is an answer, too.

        :raises RequestError: there was no usable answer
        :raises InputError: a task is not named well, or where to ask for it is not known
        """
        self.check([ref])
        response = self._get_all([ref], None)[0]
        if isinstance(response, TaskResponse):
            return response
        if response.error_class is ErrorClass.NOT_FOUND:
            return TaskResponse(None, response.body)
        raise response

    def ask(self, ref: TaskRef, limit: float | None = None) -> TaskResponse:
        """Ask for one task. ``limit`` is the number of seconds left for it.

        :raises RequestError: there is no such task, or there was no usable answer
        """
        service = service_of(ref)
        project_id = self._project(ref, limit)
        path, query = service.path_of(ref, project_id), service.query_of(ref, project_id)
        request = self._request(ref, f"Cannot read the {service.title} task {ref.label}", path, query, project_id)
        try:
            return _read_response(service, ref, request, self._http.send(request, limit))
        except ApiError as error:
            if not means_gone(service, error):
                raise
            return TaskResponse(gone_task(service, ref), error.body)

    def _request(
        self, ref: TaskRef, action: str, path: str, query: t.Iterable[tuple[str, str]], project_id: str
    ) -> Request:
        service = service_of(ref)
        url = f"{self._address(ref)}{path}"
        encoded = canonical_query(query)
        by_password = self._credentials.method == PASSWORD
        return Request(
            "GET",
            f"{url}?{encoded}" if encoded else url,
            f"{action} (GET {address_of(url)})",
            auth=self._auth(self._region(ref), self._given_project(ref) if by_password else project_id),
            headers={"X-Language": self._params["language"]} if service.sends_language else {},
            names_task=True,
            codes=service.codes,
            not_found_hint=service.not_found_hint,
        )

    def list_tasks(self, ref: TaskRef, wanted: Wanted, now: float) -> Found:
        """Find tasks in the list of a service; ``ref`` says which service, instance and place.

        :raises ApiError: a page was refused, or there was no usable response
        :raises InputError: the service has no list, or where it is is not known
        """
        task_list = list_of(ref.service, ref.instance_id)
        check_id("instance_id", ref.instance_id)
        self._check_source(ref)

        def send(query: t.Sequence[tuple[str, str]]) -> t.Any:
            body = self._send_list(ref, task_list, query)
            if isinstance(body, ApiError):
                raise body
            return body

        try:
            return find_tasks(service_of(ref), task_list, wanted, send=send, now=now)
        except UnreadableResponseError as error:
            raise unreadable(str(error), action=f"Cannot list the {service_of(ref).title} tasks") from None

    def open_list(self, ref: TaskRef) -> SendList | None:
        """Return how to send requests to the list that has a task; None where there is none."""
        task_list = LISTS.get(ref.service)
        return functools.partial(self._send_list, ref, task_list) if task_list else None

    def _send_list(self, ref: TaskRef, task_list: TaskList, query: t.Sequence[tuple[str, str]]) -> t.Any:
        """Return the decoded body of one page of a list, or an error."""
        seconds = self._request_timeout * self._requests_each([ref]) + GRACE_SECONDS
        call = functools.partial(self._try_list, ref, task_list, query)
        (result,) = run_all([call], workers=1, patience=seconds)
        if isinstance(result, Missing):
            return _no_response(f"Cannot list the {service_of(ref).title} tasks", no_response_within(seconds))
        return result

    def _try_list(self, ref: TaskRef, task_list: TaskList, query: t.Sequence[tuple[str, str]]) -> t.Any:
        service = service_of(ref)
        try:
            project_id = self._project(ref, None)
            path = task_list.path.format(project_id=project_id, instance_id=ref.instance_id)
            request = self._request(ref, f"Cannot list the {service.title} tasks", path, query, project_id)
            hinted = request._replace(
                forbidden_hint=task_list.permission_hint, not_found_hint="Check instance_id, region and project_id."
            )
            return self._http.send(hinted).body
        except ApiError as error:
            return error

    def get_tasks(self, refs: t.Sequence[TaskRef], limit: float | None = None) -> list[Task | ApiError]:
        """Ask for many tasks at once, in not more than ``limit`` seconds; the answers are in the order given."""
        replies = self._get_all(refs, limit)
        return [t.cast(Task, response.task) if isinstance(response, TaskResponse) else response for response in replies]

    def _get_all(self, refs: t.Sequence[TaskRef], limit: float | None) -> list[TaskResponse | ApiError]:
        most = self._request_timeout * self._requests_each(refs)
        seconds = most if limit is None else limit
        results = run_all(
            [functools.partial(self._try_get, ref, limit) for ref in refs],
            workers=POOL_SIZE,
            patience=min(most, seconds) + GRACE_SECONDS,
            limit=seconds + GRACE_SECONDS,
            # The rest would be refused too, and the limit is shared with everybody who uses the account.
            stops=_is_throttled,
        )
        return [
            _not_in_time(ref, seconds, result) if isinstance(result, Missing) else result
            for ref, result in zip(refs, results)
        ]

    def _requests_each(self, refs: t.Sequence[TaskRef]) -> int:
        """Say how many requests one task may need: a login and a look-up of the project come before its own."""
        looks_up = not all(self._given_project(ref) for ref in refs)
        return 1 + looks_up + (self._credentials.method == PASSWORD)

    def _try_get(self, ref: TaskRef, limit: float | None) -> TaskResponse | ApiError:
        try:
            return self.ask(ref, limit)
        except ApiError as error:
            return error


def _is_throttled(result: TaskResponse | ApiError) -> bool:
    return isinstance(result, ApiError) and result.error_class is ErrorClass.THROTTLED


def _read_response(service: Service, ref: TaskRef, request: Request, answer: Response) -> TaskResponse:
    try:
        return TaskResponse(read_task(service, ref, answer.body), answer.body)
    except NoSuchTaskError as error:
        raise ApiError(
            str(error),
            error_class=ErrorClass.NOT_FOUND,
            http_status=answer.http_status,
            request_id=answer.request_id,
            action=request.action,
            hint=request.not_found_hint,
            body=answer.body,
        ) from None
    except UnreadableResponseError as error:
        raise unreadable(
            str(error),
            action=request.action,
            http_status=answer.http_status,
            request_id=answer.request_id,
            body=answer.body,
        ) from None


def _not_in_time(ref: TaskRef, seconds: float, missing: Missing) -> ApiError:
    action = f"Cannot read the {title_of(ref)} task {ref.label}"
    if missing is Missing.LATE:
        return _no_response(action, no_response_within(seconds))
    return _no_response(
        action, "its turn did not come before the time or the request limit was over", ErrorClass.NOT_POLLED
    )


def _no_response(action: str, message: str, error_class: ErrorClass = ErrorClass.TRANSIENT) -> ApiError:
    hint = "Check endpoint, network and proxy if this lasts."
    return ApiError(message, error_class=error_class, kind="connection", action=action, hint=hint)


def new_task_client(
    params: t.Mapping[str, t.Any], environ: t.Mapping[str, str], mask: t.Callable[[str], None]
) -> TaskClient:
    """Build the client that a module's options ask for.

    :raises InputError: an option is missing or makes no sense
    :raises MissingLibraryError: requests is not installed
    """
    if REQUESTS_IMPORT_ERROR:
        raise MissingLibraryError(missing_required_lib("requests"), REQUESTS_IMPORT_ERROR)
    settings = settings_from(params, environ)
    for secret in settings.secrets():
        mask(secret)
    request_timeout = float(params["request_timeout"])
    if not 0 < request_timeout <= MAX_REQUEST_TIMEOUT_SECONDS:
        raise InputError(f"request_timeout must be more than 0 and at most {MAX_REQUEST_TIMEOUT_SECONDS} seconds.")
    http = HttpClient(new_session(), request_timeout=request_timeout, verify=_verify(params))
    return TaskClient(params, settings, http, fetch_key=_fetch_agency_key, mask=mask)


def _fetch_agency_key() -> Key:
    # The host's own metadata address is never asked through a proxy.
    return fetch_agency_key(HttpClient(new_session(trust_env=False), request_timeout=METADATA_TIMEOUT_SECONDS))


def _verify(params: t.Mapping[str, t.Any]) -> bool | str:
    if not params["validate_certs"]:
        return False
    ca_path: str | None = params.get("ca_path")
    if ca_path and not os.path.exists(ca_path):
        raise InputError(f"ca_path names {ca_path}, which does not exist on the host that runs the module.")
    return ca_path or True
