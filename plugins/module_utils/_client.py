# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The API client: gets tasks, one by one or many at once, and lists them.

PRIVATE to the collection: it may change without notice.
"""

from __future__ import annotations

import functools
import os
import random
import time
import typing as t

from ansible.module_utils.basic import missing_required_lib

from ._argspec import check_id, check_ref
from ._auth import GRACE_SECONDS, Authenticator, Key, Token, fetch_agency_key
from ._concurrency import Missing, run_all
from ._custom import CUSTOM, service_of, title_of
from ._endpoints import check_endpoint, endpoint_of, endpoint_of_label
from ._errors import ApiError, ErrorClass, InputError, MissingLibraryError
from ._http import (
    CHECK_NETWORK,
    NOT_THE_API,
    POOL_SIZE,
    REGION_AND_ENDPOINT,
    REQUESTS_IMPORT_ERROR,
    HttpClient,
    Request,
    Response,
    new_session,
    no_response_within,
    unreadable,
)
from ._listing import Found, SendList, Wanted, find_tasks
from ._lists import LISTS, TaskList, list_of
from ._pacing import REFUSED_PAUSE, TOLD_LIMIT
from ._parsing import NoSuchTaskError, UnreadableResponseError, gone_task, means_gone, read_task
from ._services import Service
from ._settings import PASSWORD, Settings, settings_from
from ._task import State, Task, TaskRef
from ._text import forms_of, plural

METADATA_TIMEOUT_SECONDS = 2.0
MAX_REQUEST_TIMEOUT_SECONDS = 3600
# Where the play itself says what the API documents.
NOT_WHAT_API_SAYS = "If this lasts, check api.path, api.record and api.fields, then endpoint and proxy."

ResultT = t.TypeVar("ResultT")


class TaskResponse(t.NamedTuple):
    """What a service said of a task; ``task`` is None where it knows none. ``body`` is its decoded response."""

    task: Task | None
    body: t.Any


class _Pauses:
    """Pauses between throttled requests, growing, until so many seconds after the first refusal are over."""

    def __init__(
        self,
        seconds: float,
        clock: t.Callable[[], float],
        sleep: t.Callable[[float], None],
        random: t.Callable[[], float],
    ) -> None:
        self._seconds = seconds
        self._deadline: float | None = None
        self._clock, self._sleep, self._random = clock, sleep, random
        self._low, self._high = REFUSED_PAUSE

    def sleep(self, error: ApiError) -> bool:
        """Pause before the request is sent again; false, with the limit told in the error, if no time is left."""
        pause = error.retry_after or self._low + (self._high - self._low) * self._random()
        now = self._clock()
        if self._deadline is None:
            self._deadline = now + self._seconds
        if now + pause > self._deadline:
            error.hint = _throttled_hint(error, self._seconds)
            return False
        self._sleep(pause)
        self._low, self._high = self._low * 2, self._high * 2
        return True


class TaskClient:
    """Gets tasks, each from its own endpoint and with its own credentials.

    ``clock`` and ``sleep`` are in seconds.
    """

    def __init__(
        self,
        params: t.Mapping[str, t.Any],
        settings: Settings,
        http: HttpClient,
        authenticator: Authenticator,
        *,
        clock: t.Callable[[], float] = time.monotonic,
        sleep: t.Callable[[float], None] = time.sleep,
        random: t.Callable[[], float] = random.random,
    ) -> None:
        self._params = params
        self._settings = settings
        self._http = http
        self._authenticator = authenticator
        self._clock, self._sleep, self._random = clock, sleep, random
        self._request_timeout = float(params["request_timeout"])

    def check(self, refs: t.Sequence[TaskRef]) -> None:
        """Find what is wrong with the options; nothing is asked of the cloud.

        :raises InputError: a task is not named well, where to ask for it is not known, or credentials are incomplete
        """
        for number, ref in enumerate(refs):
            try:
                check_ref(ref)
            except InputError as error:
                raise InputError(f"tasks[{number}]: {error}" if len(refs) > 1 else str(error)) from None
            self._check_where(ref)

    def _check_where(self, ref: TaskRef) -> None:
        self._endpoint(ref)
        self._authenticator.check(self._region(ref), self._given_project(ref))

    def get_task(self, ref: TaskRef) -> TaskResponse:
        """Get one task; ``task`` is None where the API knows none. A throttled request is retried.

        :raises ApiError: there was no usable response
        :raises InputError: a task is not named well, or where to ask for it is not known
        """
        self.check([ref])
        try:
            return self._retry_throttled(functools.partial(self._get, ref), self._patience([ref]), _action(ref))
        except ApiError as error:
            if error.error_class is not ErrorClass.NOT_FOUND:
                raise
            return TaskResponse(None, error.body)

    def get_tasks(self, refs: t.Sequence[TaskRef]) -> list[Task | ApiError]:
        """Get many tasks at once, in the time that one may take; the results are in the order given.

        The first throttled request stops the rest, which was not polled then.
        """
        self._authenticator.begin_poll()
        seconds = self._patience(refs)
        return self._get_batch(refs, seconds, limit=seconds + GRACE_SECONDS)

    def _get_batch(
        self,
        refs: t.Sequence[TaskRef],
        seconds: float,
        *,
        limit: float | None = None,
        is_over: t.Callable[[], bool] = lambda: False,
    ) -> list[Task | ApiError]:
        """Get many tasks at once, each in ``seconds`` and all in ``limit`` seconds.

        When it ``is_over``, no further request is sent.
        """
        results = run_all(
            [functools.partial(self._try_get, ref) for ref in refs],
            workers=POOL_SIZE,
            patience=seconds + GRACE_SECONDS,
            limit=limit,
            # The rest would be refused too, and the limit is shared with everybody who uses the account.
            stops=lambda result: _is_throttled(result) or is_over(),
        )
        return [
            _not_in_time(_action(ref), seconds, result) if isinstance(result, Missing) else result
            for ref, result in zip(refs, results)
        ]

    def query_tasks(self, refs: t.Sequence[TaskRef]) -> list[Task | ApiError]:
        """Get many tasks, in the order given, for as long as responses come; what was held up is sent again."""
        results: dict[int, Task | ApiError] = {}
        todo = list(range(len(refs)))
        pauses = self._pauses()
        while todo:
            batch = self._get_what_time_allows([refs[index] for index in todo])
            results.update(zip(todo, batch))
            refused = next(filter(_is_throttled, batch), None)
            if not (pauses.sleep(t.cast(ApiError, refused)) if refused else any(map(_is_response, batch))):
                break
            todo = [index for index in todo if _is_held_up(results[index])]
        return [results[index] for index in range(len(refs))]

    def _get_what_time_allows(self, refs: t.Sequence[TaskRef]) -> list[Task | ApiError]:
        """Begin as many requests as fit into the time that one may take, and wait for all of these."""
        seconds = self._patience(refs)
        end = self._clock() + seconds
        return self._get_batch(refs, seconds, is_over=lambda: self._clock() >= end)

    def list_tasks(self, ref: TaskRef, wanted: Wanted, now: float) -> Found:
        """Find tasks in the list of a service; ``ref`` says which service, instance, region and project.

        :raises ApiError: a page was refused, or there was no usable response
        :raises InputError: the service has no list, or where it is is not known
        """
        task_list = list_of(ref.service, ref.instance_id)
        check_id("instance_id", ref.instance_id)
        self._check_where(ref)

        def send(query: t.Sequence[tuple[str, str]]) -> t.Any:
            call = functools.partial(self._get_page, ref, task_list, query)
            return self._retry_throttled(call, self._patience([ref]), _list_action(ref))

        try:
            return find_tasks(service_of(ref), task_list, wanted, send=send, now=now)
        except UnreadableResponseError as error:
            raise unreadable(str(error), action=_list_action(ref)) from None

    def open_list(self, ref: TaskRef) -> SendList | None:
        """Return how to send requests to the list that has a task; None where there is none."""
        task_list = LISTS.get(ref.service)
        return functools.partial(self._send_list, ref, task_list) if task_list else None

    def _send_list(self, ref: TaskRef, task_list: TaskList, query: t.Sequence[tuple[str, str]]) -> t.Any:
        """Return the decoded body of one page of a list, or an error."""
        seconds = self._patience([ref])
        call = functools.partial(self._get_page, ref, task_list, query)
        try:
            (result,) = run_all([call], workers=1, patience=seconds + GRACE_SECONDS)
        except ApiError as error:
            return error
        return _not_in_time(_list_action(ref), seconds, result) if isinstance(result, Missing) else result

    def _get_page(self, ref: TaskRef, task_list: TaskList, query: t.Sequence[tuple[str, str]]) -> t.Any:
        project_id = self._project_id(ref)
        path = task_list.path.format(project_id=project_id, instance_id=ref.instance_id)
        request = self._request(ref, _list_action(ref), path, query, project_id)
        hinted = request._replace(
            forbidden_hint=task_list.permission_hint, not_found_hint="Check instance_id, region and project_id."
        )
        return self._http.send(hinted).body

    def login(self) -> Token:
        """Log in with user name and password, for the project or the region's. A throttled request is sent again.

        :raises ApiError: IAM refuses
        :raises InputError: there is no user name and password, or neither project nor region is known
        """
        return self._retry_throttled(self._authenticator.login, self._request_timeout, "Cannot get a token")

    def _retry_throttled(self, call: t.Callable[[], ResultT], seconds: float, action: str) -> ResultT:
        """Call until the request limit allows it, with pauses that are in all no longer than one request may take.

        ``seconds`` bounds one call: a server that drips, or a name look-up that hangs, must not hold the module.
        """
        pauses = self._pauses()
        while True:
            try:
                (result,) = run_all([call], workers=1, patience=seconds + GRACE_SECONDS)
            except ApiError as error:
                if error.error_class is not ErrorClass.THROTTLED or not pauses.sleep(error):
                    raise
            else:
                if isinstance(result, Missing):
                    raise _not_in_time(action, seconds, result)
                return result

    def _pauses(self) -> _Pauses:
        return _Pauses(self._request_timeout, self._clock, self._sleep, self._random)

    def _endpoint(self, ref: TaskRef) -> str:
        given = ref.endpoint or self._params.get("endpoint")
        if given:
            return check_endpoint("endpoint", given)
        product, region = service_of(ref).product, self._region(ref)
        return endpoint_of_label(product, region) if ref.service == CUSTOM else endpoint_of(product, region)

    def _region(self, ref: TaskRef) -> str | None:
        return ref.region or self._settings.get("region")

    def _given_project(self, ref: TaskRef) -> str | None:
        """Return the project that the user named; the top level's is not that of another region."""
        if ref.project_id:
            return ref.project_id
        top, given = self._settings.get("region"), self._settings.find("project_id")
        if given is None or (ref.region and top and ref.region != top):
            return None
        check_id(given.source, given.value)
        return given.value

    def _patience(self, refs: t.Sequence[TaskRef]) -> float:
        """Return how many seconds one task may take: a login and a project look-up come before its own request."""
        looks_up = not all(self._given_project(ref) for ref in refs)
        # Why it has failed is a second request.
        asks_twice = any(service_of(ref).reason_from for ref in refs)
        logs_in = self._authenticator.credentials.method == PASSWORD
        return self._request_timeout * (1 + looks_up + logs_in + asks_twice)

    def _try_get(self, ref: TaskRef) -> Task | ApiError:
        # Bodies are not kept: together they may be large.
        try:
            return t.cast(Task, self._get(ref).task)
        except ApiError as error:
            error.body = None
            return error

    def _get(self, ref: TaskRef) -> TaskResponse:
        """Get one task.

        :raises ApiError: there is no such task, or there was no usable response
        """
        service = service_of(ref)
        project_id = self._project_id(ref)
        path, query = service.path_of(ref, project_id), service.query_of(ref, project_id)
        request = self._request(ref, _action(ref), path, query, project_id)
        try:
            response = self._http.send(request)
            task = _read_task(service, ref, request, response)
        except ApiError as error:
            if not means_gone(service, error):
                raise
            return TaskResponse(gone_task(service, ref), error.body)
        if service.reason_from and task.state == State.FAILED and task.id:
            task = self._with_reason(service, ref, task)
        return TaskResponse(task, response.body)

    def _project_id(self, ref: TaskRef) -> str:
        return self._given_project(ref) or self._authenticator.find_project(self._region(ref))

    def _request(
        self, ref: TaskRef, action: str, path: str, query: t.Sequence[tuple[str, str]], project_id: str
    ) -> Request:
        service = service_of(ref)
        url = f"{self._endpoint(ref)}{path}"
        return Request(
            "GET",
            url,
            f"{action} (GET {url})",
            query,
            auth=self._authenticator.for_project(self._region(ref), self._given_project(ref), project_id),
            headers={"X-Language": self._params["language"]} if service.sends_language else {},
            names_task=True,
            codes=service.codes,
            not_found_hint=service.not_found_hint,
            check="api.path, region and endpoint" if ref.service == CUSTOM else REGION_AND_ENDPOINT,
        )

    def _with_reason(self, service: Service, ref: TaskRef, task: Task) -> Task:
        """Add why a task has failed, and its times, from the API that knows them; never the state there."""
        other = TaskRef(service.reason_from, task.id, None, None, ref.region, ref.project_id, ref.endpoint)
        told = self._try_get(other)
        if isinstance(told, ApiError):
            return task
        return task._replace(
            fail_reason=task.fail_reason or told.fail_reason,
            created_at=task.created_at or told.created_at,
            ended_at=task.ended_at or told.ended_at,
        )


def _throttled_hint(error: ApiError, request_timeout: float) -> str:
    told = TOLD_LIMIT.search(error.message)
    limit = "The API's request limit"
    if told:
        limit = f"The limit of {plural(int(told[1]), 'request')} in {plural(int(told[2]), told[3])}"
    return (
        f"{limit} is shared by everything that uses the account, and was reached for {request_timeout:g} s. "
        "Retry later, or raise request_timeout."
    )


def _action(ref: TaskRef) -> str:
    return f"Cannot read the {title_of(ref)} task {ref.label}"


def _list_action(ref: TaskRef) -> str:
    return f"Cannot list the {title_of(ref)} tasks"


def _is_throttled(result: Task | ApiError) -> bool:
    return isinstance(result, ApiError) and result.error_class is ErrorClass.THROTTLED


def _is_response(result: Task | ApiError) -> bool:
    """Whether the API has said something about the task."""
    silent = (ErrorClass.THROTTLED, ErrorClass.NOT_POLLED, ErrorClass.TRANSIENT)
    return isinstance(result, Task) or result.error_class not in silent


def _is_held_up(result: Task | ApiError) -> bool:
    held_up = (ErrorClass.THROTTLED, ErrorClass.NOT_POLLED)
    return isinstance(result, ApiError) and result.error_class in held_up


def _read_task(service: Service, ref: TaskRef, request: Request, response: Response) -> Task:
    try:
        return read_task(service, ref, response.body)
    except NoSuchTaskError as error:
        raise ApiError(
            str(error),
            error_class=ErrorClass.NOT_FOUND,
            http_status=response.http_status,
            request_id=response.request_id,
            action=request.action,
            hint=request.not_found_hint,
            body=response.body,
        ) from None
    except UnreadableResponseError as error:
        raise unreadable(
            str(error),
            action=request.action,
            http_status=response.http_status,
            request_id=response.request_id,
            body=response.body,
            hint=NOT_WHAT_API_SAYS if ref.service == CUSTOM else NOT_THE_API,
        ) from None


def _not_in_time(action: str, seconds: float, missing: Missing) -> ApiError:
    if missing is Missing.LATE:
        message, error_class, hint = no_response_within(seconds), ErrorClass.TRANSIENT, CHECK_NETWORK
    else:
        message, error_class = (
            "its turn did not come before the time or the request limit was over",
            ErrorClass.NOT_POLLED,
        )
        hint = "Retry later, or with fewer tasks."
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

    def mask_forms(secret: str) -> None:
        for form in forms_of(secret):
            mask(form)

    settings = settings_from(params, environ)
    for secret in settings.secrets():
        mask_forms(secret)
    request_timeout = float(params["request_timeout"])
    if not 0 < request_timeout <= MAX_REQUEST_TIMEOUT_SECONDS:
        raise InputError(f"request_timeout must be more than 0 and at most {MAX_REQUEST_TIMEOUT_SECONDS} seconds.")
    http = HttpClient(new_session(), request_timeout=request_timeout, verify=_verify(params))
    authenticator = Authenticator(
        settings, http, fetch_key=_fetch_agency_key, mask=mask_forms, request_timeout=request_timeout
    )
    return TaskClient(params, settings, http, authenticator)


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
