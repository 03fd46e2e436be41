# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signatures are those of the vendor's signer; tokens and keys are renewed when it is time, not more often."""

from __future__ import annotations

import hashlib
import random
import string
import threading
import types
import typing as t
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from huaweicloudsdkcore.sdk_request import SdkRequest
from huaweicloudsdkcore.signer.signer import Signer

from ansible_collections.huaweicloud.tasks.plugins.module_utils import _auth, _signing
from ansible_collections.huaweicloud.tasks.plugins.module_utils._errors import ApiError, ErrorClass

SECRET = "a-secret-key-that-is-never-sent"
JANUARY = 1767225600.0  # 2026-01-01T00:00:00Z


# The vendors' own test vectors (Python and Go SDK)

SERVICE = "service.endpoint.myhuaweicloud.com"
PYTHON_HEADERS = {"Host": SERVICE, "X-Sdk-Date": "20200608T023900Z", "TEST_UNDERSCORE": "TEST_VALUE"}
GO_HEADERS = {"X-Sdk-Date": "20060102T150405Z"}
VECTORS = {
    "python get": (
        ("GET", "/resources", [("size", "1")], PYTHON_HEADERS, b""),
        "host;x-sdk-date",
        "cfb4171acec81de07d50e53d57eb77edd537414d66ddb1d7d780f128e12cd842",
    ),
    "python post": (
        ("POST", "/resources", [("size", "1")], PYTHON_HEADERS, b'{"name":"test","id":1}'),
        "host;x-sdk-date",
        "436b1ac0a1ae03705934bb70ef2f2e09f7bfed2117d731a38235053199323a1f",
    ),
    "go get": (
        ("GET", "/path", [("limit", "1")], GO_HEADERS, b""),
        "x-sdk-date",
        "5a2ce64c865e0e6046321c6f3d5a77ba8413eeaf355c3166c03d58d02ac79624",
    ),
    "go post": (
        ("POST", "/path", [("key", "value")], GO_HEADERS, b'{"Name":"test","Id":1}\n'),
        "x-sdk-date",
        "cecc2af119b18ab70b4d094c0750f3b42c02f254903179a0fc2cc72fc9db4f59",
    ),
}


@pytest.mark.parametrize(("request_parts", "names", "signature"), VECTORS.values(), ids=VECTORS)
def test_vector(request_parts: t.Any, names: str, signature: str) -> None:
    value = _signing.authorization(*request_parts, "AccessKey", "SecretKey")
    assert value == f"SDK-HMAC-SHA256 Access=AccessKey, SignedHeaders={names}, Signature={signature}"


def test_vector_of_a_query() -> None:
    query = [
        ("limit", "1"),
        ("enable", "true"),
        ("test", "一 (&=?!#%.*)"),
        ("path", "/tmp/123"),
        ("multi", "3"),
        ("multi", "1"),
        ("multi", "2"),
    ]
    assert _signing.canonical_query(query) == (
        "enable=true&limit=1&multi=1&multi=2&multi=3&path=%2Ftmp%2F123&test=%E4%B8%80%20%28%26%3D%3F%21%23%25.%2A%29"
    )


@pytest.mark.parametrize(
    ("path", "canonical"),
    [
        ("", "/"),
        ("/", "/"),
        ("/v3/p/jobs", "/v3/p/jobs/"),
        ("/v3/p/jobs/", "/v3/p/jobs/"),
        ("/a b/~c", "/a%20b/~c/"),
        ("/a%20b", "/a%20b/"),
        ("/ä/一", "/%C3%A4/%E4%B8%80/"),
        ("//a", "//a/"),
        ("/a*b+c'(d)", "/a%2Ab%2Bc%27%28d%29/"),
    ],
)
def test_canonical_path(path: str, canonical: str) -> None:
    assert _signing.canonical_path(path) == canonical


# The vendor's signer as the oracle

METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "get", "Delete")
ODD = string.ascii_letters + string.digits + " ~!@#$%^&*()-_=+[]{}|;:'\",.<>?/\\`" + "äöüß一二あ🙂é\u00a0\u2028"
HEADER_ODD = string.ascii_letters + string.digits + " ~!@#$%^&*()-_=+[]{}|;:'\",.<>?/\\`" + "äé一"


def random_text(dice: random.Random, letters: str, longest: int) -> str:
    return "".join(dice.choice(letters) for dummy in range(dice.randint(0, longest)))


def random_request(dice: random.Random) -> tuple[str, str, list[tuple[str, str]], dict[str, str], bytes]:
    """Method, path, query, headers and body."""
    segments = [random_text(dice, ODD.replace("/", ""), 8) for dummy in range(dice.randint(0, 5))]
    query = [(random_text(dice, ODD, 4), random_text(dice, ODD, 8)) for dummy in range(dice.randint(0, 6))]
    query += [query[0]] * dice.randint(0, 1) if query else []
    headers = {
        "X-Sdk-Date": f"2026{dice.randint(1, 12):02}{dice.randint(1, 28):02}T{dice.randint(0, 23):02}0000Z",
        dice.choice(("Host", "host", "HOST")): f"{random_text(dice, string.ascii_lowercase, 9)}.example.com",
    }
    for number in range(dice.randint(0, 5)):
        name = f"X-{dice.choice('abcABC')}{dice.choice(('', '-', '_'))}{number}"
        headers[name] = random_text(dice, HEADER_ODD, 12)
    body = dice.randbytes(dice.randint(0, 80)) if dice.random() < 0.5 else b""
    return dice.choice(METHODS), "/" + "/".join(segments), query, headers, body


@pytest.mark.parametrize("seed", range(10))
def test_signature_is_the_vendors(seed: int) -> None:
    """2,500 requests."""
    dice = random.Random(seed)
    for dummy in range(250):
        method, path, query, headers, body = random_request(dice)
        access_key = random_text(dice, string.ascii_uppercase, 20) or "A"
        secret_key = random_text(dice, ODD, 40) or "S"
        signed = Signer(types.SimpleNamespace(ak=access_key, sk=secret_key)).sign(
            SdkRequest(
                method=method,
                host="unused.example.com",
                resource_path=path,
                query_params=list(query),
                header_params=dict(headers),
                body=body,
            )
        )
        ours = _signing.authorization(method, path, query, headers, body, access_key, secret_key)
        assert ours == signed.header_params["Authorization"], (method, path, query, headers, body)


# Signing requests that requests has prepared


def prepared(url: str = "https://dds.example.com/v3/p/jobs?id=1", **given: t.Any) -> requests.PreparedRequest:
    return requests.Request(given.pop("method", "GET"), url, **given).prepare()


def vendor_signature(request: requests.PreparedRequest, key: _auth.Key) -> str:
    """What the vendor's signer gives for what is going to be sent."""
    parts = urlsplit(t.cast(str, request.url))
    given = str(request.headers["Authorization"])
    names = given.partition("SignedHeaders=")[2].partition(",")[0].split(";")
    body = request.body.encode() if isinstance(request.body, str) else request.body
    signed = Signer(types.SimpleNamespace(ak=key.access_key, sk=key.secret_key)).sign(
        SdkRequest(
            method=request.method,
            host=parts.netloc,
            resource_path=parts.path,
            query_params=parse_qsl(parts.query, keep_blank_values=True),
            header_params={name: request.headers[name] for name in names},
            body=body,
        )
    )
    return str(signed.header_params["Authorization"])


@pytest.mark.parametrize(
    "url",
    [
        "https://dds.example.com",
        "https://dds.example.com/v3/p/jobs",
        "https://dds.example.com:8443/v3/p/jobs?id=1",
        "https://dds.example.com/v3/p/jobs?job_name=b&job_id=a&empty=",
        "https://dds.example.com/v3/p%20q/jobs?name=a%20b+c&name=%E4%B8%80*",
        "http://127.0.0.1:8080/dds/v3/p/jobs?id=a~b'c",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_prepared_request(url: str, method: str) -> None:
    key = _auth.Key("AK", SECRET, "a security token")
    given = {"json": {"name": "ü"}} if method == "POST" else {}
    request = _auth.KeyAuth(lambda: key, "project", now=lambda: JANUARY)(prepared(url, method=method, **given))
    assert request.headers["Authorization"] == vendor_signature(request, key)
    assert request.headers["X-Sdk-Date"] == "20260101T000000Z"
    assert request.headers["X-Project-Id"] == "project"
    assert request.headers["X-Security-Token"] == "a security token"
    assert request.headers["Host"] == urlsplit(url).netloc
    assert "SignedHeaders=host;x-project-id;x-sdk-date;x-security-token," in request.headers["Authorization"]
    assert SECRET not in str(dict(request.headers)) + str(request.url)


def test_prepared_request_is_sent_as_it_is_signed() -> None:
    """Sorted, and with %20 for a space."""
    auth = _auth.KeyAuth(lambda: _auth.Key("AK", SECRET), now=lambda: JANUARY)
    request = auth(prepared("https://dds.example.com/v3/p/jobs?b=x+y&a=%2f&a=1"))
    assert request.url == "https://dds.example.com/v3/p/jobs?a=%2F&a=1&b=x%20y"


def test_prepared_request_without_project_and_security_token() -> None:
    auth = _auth.KeyAuth(lambda: _auth.Key("AK", SECRET), now=lambda: JANUARY)
    request = auth(prepared())
    assert "X-Project-Id" not in request.headers
    assert "X-Security-Token" not in request.headers
    assert "SignedHeaders=host;x-sdk-date," in request.headers["Authorization"]


def test_the_body_is_signed() -> None:
    auth = _auth.KeyAuth(lambda: _auth.Key("AK", SECRET), now=lambda: JANUARY)
    signatures = {
        str(auth(prepared(method="POST", data=body)).headers["Authorization"]) for body in (b"", b"a", "b", "ü")
    }
    assert len(signatures) == 4


def test_every_request_is_signed_afresh() -> None:
    times = iter((JANUARY, JANUARY + 61))
    key_numbers = iter((1, 2))
    auth = _auth.KeyAuth(lambda: _auth.Key(f"AK{next(key_numbers)}", SECRET), now=lambda: next(times))
    request = prepared()
    first = dict(auth(request).headers)
    second = dict(auth(request).headers)
    assert [first["X-Sdk-Date"], second["X-Sdk-Date"]] == ["20260101T000000Z", "20260101T000101Z"]
    assert "Access=AK1," in first["Authorization"]
    assert "Access=AK2," in second["Authorization"]
    assert second["Authorization"] == vendor_signature(request, _auth.Key("AK2", SECRET))


def test_a_signature_cannot_be_renewed() -> None:
    assert not _auth.KeyAuth(lambda: _auth.Key("AK", SECRET)).renew(prepared())


def test_secrets_are_not_shown() -> None:
    key = _auth.Key("AK", SECRET, "a security token")
    assert repr(key) == "Key()"
    for auth in (_auth.TokenAuth(SECRET), _auth.KeyAuth(lambda: key), _auth.PasswordAuth(lambda: SECRET)):
        assert SECRET not in repr(auth)


# Tokens


def test_token() -> None:
    auth = _auth.TokenAuth("a token")
    request = auth(prepared())
    assert request.headers["X-Auth-Token"] == "a token"
    assert not auth.renew(request)
    assert "iam_token" in auth.hint


class Logins:
    """Counts logins; each gives another token or raises what comes next."""

    def __init__(self, *outcomes: Exception | None) -> None:
        self.outcomes = iter(outcomes)
        self.count = 0

    def __call__(self) -> str:
        self.count += 1
        outcome = next(self.outcomes, None)
        if isinstance(outcome, Exception):
            raise outcome
        return f"token {self.count}"


def test_one_login_for_many_requests() -> None:
    logins = Logins()
    auth = _auth.PasswordAuth(logins)
    assert logins.count == 0
    assert {str(auth(prepared()).headers["X-Auth-Token"]) for dummy in range(5)} == {"token 1"}
    assert auth.ensure_token() == "token 1"
    assert logins.count == 1


def test_one_login_for_many_threads() -> None:
    """All threads are there before the login is over."""
    workers = 16
    barrier = threading.Barrier(workers)
    counted: list[int] = []

    def login() -> str:
        counted.append(1)
        return f"token {len(counted)}"

    auth = _auth.PasswordAuth(login)

    def ask(dummy: int) -> str:
        barrier.wait(10)
        return str(auth(prepared()).headers["X-Auth-Token"])

    with ThreadPoolExecutor(workers) as pool:
        assert set(pool.map(ask, range(workers))) == {"token 1"}
    assert len(counted) == 1


def test_one_new_token_for_many_refusals() -> None:
    """Many requests were refused with the same token; it is replaced once."""
    logins = Logins()
    auth = _auth.PasswordAuth(logins)
    refused = [auth(prepared()) for dummy in range(8)]
    with ThreadPoolExecutor(8) as pool:
        tokens = list(pool.map(lambda request: auth.renew(request) and auth.ensure_token(), refused))
    assert set(tokens) == {"token 2"}
    assert logins.count == 2


def test_trouble_with_a_login_is_shared_by_all_who_waited_for_it() -> None:
    """IAM is not asked once a task while it is down."""
    workers = 8
    waiting, began = threading.Semaphore(0), threading.Event()
    counted: list[int] = []

    def login() -> str:
        counted.append(1)
        began.set()
        for dummy in range(workers):
            assert waiting.acquire(timeout=10)
        raise ApiError("no response within 30 s")

    auth = _auth.PasswordAuth(login)
    token = auth._token
    lock = token._lock

    class Announced:
        """Tells when a thread has come as far as the lock."""

        def __enter__(self) -> None:
            waiting.release()
            lock.acquire()

        def __exit__(self, *dummy: object) -> None:
            lock.release()

    def ask(number: int) -> str:
        if number:
            assert began.wait(10)
        with pytest.raises(ApiError) as caught:
            auth.ensure_token()
        return caught.value.message

    token._lock = t.cast(threading.Lock, Announced())
    with ThreadPoolExecutor(workers) as pool:
        assert set(pool.map(ask, range(workers))) == {"no response within 30 s"}
    assert len(counted) == 1


def test_a_late_refusal_of_an_old_token_changes_nothing() -> None:
    logins = Logins()
    auth = _auth.PasswordAuth(logins)
    old = auth(prepared())
    assert auth.renew(old)
    assert auth.ensure_token() == "token 2"
    assert auth.renew(old)
    assert auth.ensure_token() == "token 2"
    assert logins.count == 2


def test_a_wrong_password_is_sent_once() -> None:
    refusal = ApiError("The username or password is wrong.", http_status=401)
    logins = Logins(refusal)
    auth = _auth.PasswordAuth(logins)
    for dummy in range(3):
        with pytest.raises(ApiError) as caught:
            auth(prepared())
        assert caught.value is refusal
    assert logins.count == 1


@pytest.mark.parametrize("status", [400, 403, 404, 409])
def test_every_lasting_refusal_is_met_once(status: int) -> None:
    logins = Logins(ApiError("no", http_status=status))
    auth = _auth.PasswordAuth(logins)
    for dummy in range(3):
        with pytest.raises(ApiError):
            auth.ensure_token()
    assert logins.count == 1


@pytest.mark.parametrize("status", [None, 429, 500, 503])
def test_a_login_that_had_bad_luck_is_tried_again(status: int | None) -> None:
    error = ApiError("later", http_status=status)
    assert error.error_class in (ErrorClass.TRANSIENT, ErrorClass.THROTTLED)
    logins = Logins(error)
    auth = _auth.PasswordAuth(logins)
    with pytest.raises(ApiError):
        auth.ensure_token()
    assert auth.ensure_token() == "token 2"


@pytest.mark.parametrize("status", [400, 403, 404, 409])
def test_a_refusal_after_a_good_login_is_met_once_a_poll(status: int) -> None:
    """It may be the odd response of a gateway: the next poll logs in again."""
    logins = Logins(None, ApiError("no", http_status=status))
    auth = _auth.PasswordAuth(logins)
    assert auth.renew(auth(prepared()))
    for dummy in range(3):
        with pytest.raises(ApiError):
            auth.ensure_token()
    assert logins.count == 2
    auth.begin_poll()
    assert auth.ensure_token() == "token 3"


# The key of an ECS agency


class Keys:
    """Hands out keys; each is good until the moment that comes next."""

    def __init__(self, clock: Clock, *expiries: float | None) -> None:
        self.clock = clock
        self.expiries = list(expiries)
        self.fetched_at: list[float] = []
        self.error: ApiError | None = None

    def __call__(self) -> _auth.Key:
        self.fetched_at.append(self.clock.now)
        if self.error:
            raise self.error
        return _auth.Key(f"AK{len(self.fetched_at)}", SECRET, "token", self.expiries.pop(0))


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_agency_key_is_kept_until_shortly_before_its_end() -> None:
    clock = Clock()
    keys = Keys(clock, 1000 + 3600, 1000 + 7200)
    agency = _auth.AgencyKey(keys, now=clock)
    for clock.now in (1000, 2000, 3999, 1000 + 3600 - 600):
        assert agency().access_key == "AK1"
    clock.now = 1000 + 3600 - 599
    assert agency().access_key == "AK2"
    assert agency().access_key == "AK2"
    assert len(keys.fetched_at) == 2


def test_agency_key_that_is_not_replaced_yet_is_not_fetched_for_every_request() -> None:
    """The metadata service may go on handing out the old key for a while."""
    clock = Clock()
    end = 1000.0 + 300
    keys = Keys(clock, end, end, end, end + 3600)
    agency = _auth.AgencyKey(keys, now=clock)
    for clock.now in (1000, 1010, 1059):
        assert agency().access_key == "AK1"
    clock.now = 1060
    assert agency().access_key == "AK2"
    clock.now = 1119
    assert agency().access_key == "AK2"
    clock.now = 1120
    assert agency().access_key == "AK3"
    assert keys.fetched_at == [1000, 1060, 1120]


def test_agency_key_that_has_expired_is_always_fetched_again() -> None:
    clock = Clock()
    keys = Keys(clock, 1030, 5000)
    agency = _auth.AgencyKey(keys, now=clock)
    assert agency().access_key == "AK1"
    clock.now = 1030
    assert agency().access_key == "AK2"


def test_agency_key_without_an_end_is_kept() -> None:
    clock = Clock()
    keys = Keys(clock, None)
    agency = _auth.AgencyKey(keys, now=clock)
    for clock.now in (1000, 1e6, 1e9):
        assert agency().access_key == "AK1"


def test_agency_key_after_an_error() -> None:
    clock = Clock()
    keys = Keys(clock, 5000)
    keys.error = ApiError("no", http_status=503)
    agency = _auth.AgencyKey(keys, now=clock)
    with pytest.raises(ApiError):
        agency()
    keys.error = None
    assert agency().access_key == "AK2"


def test_agency_key_is_fetched_once_for_many_threads() -> None:
    clock = Clock()
    keys = Keys(clock, 5000)
    agency = _auth.AgencyKey(keys, now=clock)
    barrier = threading.Barrier(8)

    def ask(dummy: int) -> str:
        barrier.wait(10)
        return agency().access_key

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(ask, range(8))) == {"AK1"}
    assert len(keys.fetched_at) == 1


def test_a_failed_refresh_goes_on_with_a_key_that_is_still_good() -> None:
    """The metadata service stumbles ten minutes before the key's end; the key itself is not over yet."""
    clock = Clock()
    keys = Keys(clock, 1000 + 3600, 1000 + 7200)
    agency = _auth.AgencyKey(keys, now=clock)
    assert agency().access_key == "AK1"
    keys.error = ApiError("no response within 2 s")
    clock.now = 1000 + 3600 - 300
    assert agency().access_key == "AK1"


def test_empty_body_has_the_hash_of_nothing() -> None:
    assert hashlib.sha256(b"").hexdigest().startswith("e3b0c442")
