# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which address a service has in a region; none that is guessed."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from ansible_collections.huaweicloud.tasks.plugins.module_utils import _endpoints
from ansible_collections.huaweicloud.tasks.plugins.module_utils._endpoints import (
    check_endpoint,
    endpoint_of,
    iam_endpoint_of,
)
from ansible_collections.huaweicloud.tasks.plugins.module_utils._errors import InputError
from ansible_collections.huaweicloud.tasks.plugins.module_utils._services import SERVICES

# The vendor's own table: service, region, host.
TABLE: dict[str, dict[str, str]] = json.loads(
    (Path(__file__).resolve().parents[2] / "fixtures" / "regions.json").read_text(encoding="utf-8")
)
HOSTS = [(service, region, host) for service, hosts in TABLE.items() for region, host in hosts.items()]
# In these the SDK has .com, and other sources of the vendor have .eu.
EUROPEAN = {"cbr", "dcs", "ecs", "eip", "elb", "evs", "ims"}


@pytest.mark.parametrize(("service", "region", "host"), HOSTS)
def test_host(service: str, region: str, host: str) -> None:
    if region == "eu-west-101" and service in EUROPEAN:
        assert host.endswith(".com")
        host = host[: -len("com")] + "eu"
    assert endpoint_of(SERVICES[service].product, region) == f"https://{host}"


def test_the_table_is_whole() -> None:
    assert len(HOSTS) == 651
    assert set(TABLE) | {"taurusdb_restore", "cce_autopilot", "cse", "cph"} == set(SERVICES)
    assert {region for dummy, region, dummy_host in HOSTS} == _endpoints.REGIONS


@pytest.mark.parametrize("service", TABLE)
def test_a_region_that_the_product_does_not_have(service: str) -> None:
    """The host that would follow the rule may be another product's."""
    for region in sorted(_endpoints.REGIONS - set(TABLE[service])):
        with pytest.raises(InputError, match=rf"in region '{region}'\..*set endpoint") as caught:
            endpoint_of(SERVICES[service].product, region)
        assert set(TABLE[service]) <= set(re.findall(r"[a-z]+-[a-z]+-\d+", str(caught.value)))


def test_european_site() -> None:
    assert endpoint_of("dds", "eu-west-101") == "https://dds.eu-west-101.myhuaweicloud.eu"
    assert endpoint_of("dms", "eu-west-101") == "https://dms.eu-west-101.myhuaweicloud.eu"
    assert iam_endpoint_of("eu-west-101") == "https://iam.eu-west-101.myhuaweicloud.eu"
    with pytest.raises(InputError, match="set endpoint"):
        endpoint_of("taurusdb", "eu-west-101")


@pytest.mark.parametrize("product", ["taurusdb", "dds", "dms"])
@pytest.mark.parametrize(
    "region",
    ["mars-north-1", "AP-SOUTHEAST-1", "ap-southeast-1 ", "ap-southeast", "ap-southeast-1.evil.example", "eu-de"],
)
def test_unknown_region(product: str, region: str) -> None:
    with pytest.raises(InputError) as caught:
        endpoint_of(product, region)
    assert f"'{region}'" in str(caught.value)
    assert "endpoint" in str(caught.value)
    with pytest.raises(InputError, match="Set iam_endpoint"):
        iam_endpoint_of(region)


@pytest.mark.parametrize("region", [None, ""])
def test_no_region(region: str | None) -> None:
    with pytest.raises(InputError, match="Neither region nor endpoint is given. Set region .* or endpoint"):
        endpoint_of("dds", region)
    with pytest.raises(InputError, match="Neither region nor iam_endpoint is given"):
        iam_endpoint_of(region)


@pytest.mark.parametrize("region", sorted(_endpoints.REGIONS))
def test_auth(region: str) -> None:
    address = iam_endpoint_of(region)
    if region in _endpoints.IAM_REGIONS:
        assert address.startswith(f"https://iam.{region}.myhuaweicloud.")
    else:
        assert address == "https://iam.myhuaweicloud.com"


def test_every_iam_region_is_a_region() -> None:
    assert _endpoints.IAM_REGIONS <= _endpoints.REGIONS


GOOD = [
    ("https://dds.example.com", "https://dds.example.com"),
    ("https://dds.example.com/", "https://dds.example.com"),
    ("https://dds.example.com//", "https://dds.example.com"),
    (" https://dds.example.com ", "https://dds.example.com"),
    ("https://dds.example.com:8443/prefix/", "https://dds.example.com:8443/prefix"),
    ("HTTPS://dds.example.com", "HTTPS://dds.example.com"),
    ("https://[2001:db8::1]:443", "https://[2001:db8::1]:443"),
    ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
    ("http://127.0.0.1:8080/dds", "http://127.0.0.1:8080/dds"),
    ("http://127.1.2.3", "http://127.1.2.3"),
    ("http://localhost:1", "http://localhost:1"),
    ("http://LOCALHOST:1", "http://LOCALHOST:1"),
    ("http://[::1]:8080", "http://[::1]:8080"),
]


@pytest.mark.parametrize(("address", "result"), GOOD)
def test_good_endpoint(address: str, result: str) -> None:
    assert check_endpoint("endpoint", address) == result


CLEAR = [
    "http://dds.example.com",
    "http://10.0.0.1:80",
    "http://127.0.0.1.evil.example",
    "http://127.evil.example",
    "http://localhost.evil.example",
    "http://[::2]",
    "http://0.0.0.0",
    "http://1270.0.0.1",
]


@pytest.mark.parametrize("address", CLEAR)
def test_http_elsewhere(address: str) -> None:
    with pytest.raises(InputError, match="credentials in the clear.*https://"):
        check_endpoint("endpoint", address)


BAD = [
    "dds.example.com",
    "//dds.example.com",
    "ftp://dds.example.com",
    "file:///etc/passwd",
    "https://",
    "https:///v3",
    "https:dds.example.com",
    "https://:443",
    "https://dds.example.com:port",
    "https://dds.example.com:99999",
    "https://[::1",
    "https://user@dds.example.com",
    "https://user:secret-in-url@dds.example.com",
    "https://:secret-in-url@dds.example.com",
    "https://@dds.example.com",
    "http://127.0.0.1\\@evil.example",
    "http://localhost@evil.example",
    "http://192.0.2.2:33327\\[::1]",
    "http://127.0.0.1\\.evil.example",
    "http://127.0.0.1\t.evil.example",
    "http://127.0.0.1:80\t80",
    "http://127.0.0.1/a\\b",
    "http://127.0.0.1/a;b@evil.example",
    "http://[::1]evil.example",
    "http://[::1%25eth0]",
    "http://[fe80::1%eth0]",
    "https://dds.example.com/a%2fb",
    "https:\\\\dds.example.com",
    "https:/\\dds.example.com",
    "https://dds.example.com/\x7f",
    "https://dds.example.com/\u2028a",
    "https://dds.example.com?x=1",
    "https://dds.example.com/?",
    "https://dds.example.com?",
    "https://dds.example.com#part",
    "https://dds.example.com#",
    "javascript:alert(1)",
    "{{ endpoint }}",
]


@pytest.mark.parametrize("address", BAD)
def test_bad_endpoint(address: str) -> None:
    with pytest.raises(InputError) as caught:
        check_endpoint("iam_endpoint", address)
    assert str(caught.value).startswith("iam_endpoint ")
    assert "secret-in-url" not in str(caught.value)


@pytest.mark.parametrize(
    "address",
    [
        "https://dds..myhuaweicloud.com",
        "https://.myhuaweicloud.com",
        "https://dds. .myhuaweicloud.com",
        "https://dds example.com",
        "https://dds\n.example.com",
        f"https://{'a' * 64}.example.com",
    ],
)
def test_endpoint_that_is_no_host_name(address: str) -> None:
    """As a template makes it where a variable is empty."""
    with pytest.raises(InputError, match="^endpoint "):
        check_endpoint("endpoint", address)
