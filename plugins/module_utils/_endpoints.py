# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From a product and a region to the address that serves it.

The tables are those of the vendor's SDK 3.1.219. A region that a product does not have there is an error, never a
guess: ``gaussdb.{region}`` is TaurusDB's host in some regions and GaussDB's in others, and both serve the same path.

PRIVATE to the collection: it may change without notice.
"""

from __future__ import annotations

import ipaddress
import re
import typing as t
from urllib.parse import urlsplit

from ._errors import InputError

REGIONS = frozenset(
    """
    ae-ad-1 af-north-1 af-south-1 ap-southeast-1 ap-southeast-2 ap-southeast-3 ap-southeast-4 ap-southeast-5
    cn-east-2 cn-east-3 cn-east-4 cn-east-5 cn-north-1 cn-north-11 cn-north-12 cn-north-2 cn-north-4 cn-north-9
    cn-south-1 cn-south-2 cn-south-4 cn-southwest-2 cn-southwest-3 eu-west-0 eu-west-101 la-north-2 la-south-2
    me-east-1 my-kualalumpur-1 na-mexico-1 ru-moscow-1 ru-northwest-2 sa-brazil-1 tr-west-1
    """.split()
)


class Hosts(t.NamedTuple):
    """Where a product is: ``{prefix}.{region}.{domain}`` in each of its regions.

    ``prefixes`` has the prefix of each region. ``domains`` and ``neighbors`` are exceptions by region; a neighbor is
    the region whose host serves this one.
    """

    prefixes: t.Mapping[str, str]
    domains: t.Mapping[str, str] = {}
    neighbors: t.Mapping[str, str] = {}


def _in(prefix: str, regions: str) -> dict[str, str]:
    return dict.fromkeys(regions.split(), prefix)


def _all_but(prefix: str, regions: str = "") -> dict[str, str]:
    return dict.fromkeys(sorted(REGIONS - set(regions.split())), prefix)


_CHINESE_SITE = "myhuaweicloud.cn"
PRODUCTS = {
    "bms": Hosts(_all_but("bms", "ae-ad-1 af-north-1 ap-southeast-5 cn-north-12 eu-west-0 eu-west-101")),
    "cbr": Hosts(_all_but("cbr")),
    "cce": Hosts(_all_but("cce", "cn-southwest-3")),
    "cfw": Hosts(_all_but("cfw", "ae-ad-1 cn-north-1 cn-north-2 eu-west-0 na-mexico-1 ru-northwest-2")),
    "cph": Hosts(
        _in(
            "cph",
            """
            af-north-1 ap-southeast-1 ap-southeast-3 cn-east-2 cn-east-3 cn-east-4 cn-north-4 cn-north-9 cn-south-1
            cn-southwest-2 la-north-2 la-south-2 ru-northwest-2
            """,
        )
    ),
    "cse": Hosts(_all_but("cse", "ae-ad-1 af-north-1 ap-southeast-5 cn-north-2 eu-west-0 eu-west-101 na-mexico-1")),
    "dcs": Hosts(_all_but("dcs")),
    "ddm": Hosts(
        _in(
            "ddm",
            """
            ae-ad-1 ap-southeast-1 ap-southeast-3 cn-east-2 cn-east-3 cn-north-1 cn-north-4 cn-north-9 cn-south-1
            cn-south-2 cn-southwest-2 eu-west-101 la-north-2 la-south-2 my-kualalumpur-1 ru-moscow-1 sa-brazil-1
            """,
        )
    ),
    "dds": Hosts(_all_but("dds")),
    "dms": Hosts(_all_but("dms")),
    # The SDK's .cn hosts; Terraform's provider has .com for them.
    "dws": Hosts(
        _all_but("dws", "cn-south-2 eu-west-0 ru-northwest-2"),
        domains=_in(_CHINESE_SITE, "ap-southeast-4 cn-east-4 cn-north-12 cn-south-4 tr-west-1"),
    ),
    "ecs": Hosts(_all_but("ecs", "ru-northwest-2")),
    "eip": Hosts(_all_but("vpc", "cn-southwest-3")),
    "elb": Hosts(_all_but("elb", "cn-north-11 cn-southwest-3")),
    "evs": Hosts(_all_but("evs")),
    # Two prefixes as in the SDK, which is the more specific source; Terraform's provider has the first one everywhere.
    "gaussdb": Hosts(
        {
            **_in(
                "gaussdb-opengauss",
                """
                af-south-1 ap-southeast-1 ap-southeast-2 ap-southeast-3 ap-southeast-4 cn-east-3 cn-north-2 cn-north-4
                cn-north-9 cn-south-1 cn-south-2 cn-south-4 cn-southwest-2 la-north-2 la-south-2 ru-northwest-2
                sa-brazil-1
                """,
            ),
            **_in(
                "gaussdb",
                "af-north-1 ap-southeast-5 cn-east-2 cn-east-4 cn-east-5 cn-north-12 me-east-1 tr-west-1",
            ),
        }
    ),
    "geminidb": Hosts(
        _all_but("gaussdb-nosql", "ae-ad-1 af-north-1 cn-east-5 cn-north-12 eu-west-0 my-kualalumpur-1 na-mexico-1")
    ),
    "ims": Hosts(_all_but("ims", "ru-northwest-2")),
    "rds": Hosts(_all_but("rds")),
    "sdrs": Hosts(
        _in("sdrs", "af-south-1 ap-southeast-2 ap-southeast-3 cn-east-2 cn-east-3 cn-north-4 cn-south-1"),
        neighbors={"ap-southeast-2": "ap-southeast-3"},
    ),
    "sfs-turbo": Hosts(_all_but("sfs-turbo", "eu-west-0 ru-northwest-2")),
    "taurusdb": Hosts(
        {
            **_in(
                "gaussdb",
                """
                ap-southeast-3 ap-southeast-4 cn-east-3 cn-north-2 cn-north-4 cn-north-9 cn-south-1 cn-south-4
                cn-southwest-2 ru-northwest-2 sa-brazil-1
                """,
            ),
            **_in("gaussdbformysql", "ap-southeast-1 ap-southeast-2 cn-north-11 me-east-1 tr-west-1"),
            **_in("gaussdb-mysql", "af-south-1 cn-east-5 cn-southwest-3 la-north-2"),
        }
    ),
}

# Known regions without an IAM address of their own are served by the global one.
IAM_REGIONS = frozenset(
    """
    ae-ad-1 af-south-1 ap-southeast-1 ap-southeast-2 ap-southeast-3 ap-southeast-4 cn-east-2 cn-east-3 cn-east-4
    cn-east-5 cn-north-1 cn-north-12 cn-north-2 cn-north-4 cn-north-9 cn-south-1 cn-south-2 cn-southwest-2 eu-west-0
    eu-west-101 la-north-2 la-south-2 me-east-1 my-kualalumpur-1 na-mexico-1 ru-moscow-1 sa-brazil-1 tr-west-1
    """.split()
)
GLOBAL_IAM = "https://iam.myhuaweicloud.com"

_LABEL = "[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOST_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?", re.ASCII)

# The SDK has .com for some products there; Terraform's provider, older SDKs and the vendor's pages have .eu.
EUROPEAN_REGIONS = "eu-west-1"

# One authority and a plain path, and nothing in them that a parser might take for a delimiter.
_ADDRESS = re.compile(
    r"https?://(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]*)?(?:/[A-Za-z0-9._~/-]*)?", re.ASCII | re.I
)


def endpoint_of(product: str, region: str | None) -> str:
    """Return the base address of a product in a region.

    :raises InputError: no region, or one that the product does not have
    """
    if not region:
        raise InputError("Neither region nor endpoint is given. Set region (or HW_REGION_NAME), or endpoint.")
    hosts = PRODUCTS.get(product) or Hosts(_all_but(product))  # as a play may name one
    if region not in hosts.prefixes:
        raise InputError(
            f"No endpoint known for {product} in region '{region}'. Known regions: "
            f"{', '.join(sorted(hosts.prefixes))}. Set one of them, or set endpoint to the address from the region's "
            "endpoint list."
        )
    domain = hosts.domains.get(region) or _domain_of(region)
    return f"https://{hosts.prefixes[region]}.{hosts.neighbors.get(region, region)}.{domain}"


def endpoint_of_label(label: str, region: str | None) -> str:
    """Return the base address of a host by its first label, as a play gives it.

    Products whose hosts have other labels are taken by their names, too: taurusdb, geminidb, eip.

    :raises InputError: no label, no region, or one that is in no table
    """
    if not label:
        raise InputError("Neither api.product nor endpoint is given. Set one of them.")
    if region not in REGIONS:
        return endpoint_of(label, region)
    for product, hosts in PRODUCTS.items():
        if hosts.prefixes.get(region) == label:
            return endpoint_of(product, region)
    if label in PRODUCTS and not any(label in hosts.prefixes.values() for hosts in PRODUCTS.values()):
        return endpoint_of(label, region)
    return f"https://{label}.{region}.{_domain_of(region)}"


def iam_endpoint_of(region: str | None) -> str:
    """Return the base address of IAM for a region.

    :raises InputError: no region, or one that is in no table
    """
    if not region:
        raise InputError("Neither region nor iam_endpoint is given, so the address of IAM is unknown. Set one of them.")
    if region not in REGIONS:
        raise InputError(f"No endpoint known for IAM in region '{region}'. Set iam_endpoint.")
    return f"https://iam.{region}.{_domain_of(region)}" if region in IAM_REGIONS else GLOBAL_IAM


def _domain_of(region: str) -> str:
    return "myhuaweicloud.eu" if region.startswith(EUROPEAN_REGIONS) else "myhuaweicloud.com"


def check_endpoint(option: str, address: str) -> str:
    """Return a given address without its final slash.

    :raises InputError: it is no http(s) address, holds credentials, or would carry credentials over the
        network in the clear
    """
    scheme, host = _scheme_and_host(option, address.strip())
    if scheme == "http" and not is_loopback(host):
        raise InputError(
            f"{option} is an http:// address, which would carry credentials in the clear to {host}. Use https://."
        )
    return address.strip().rstrip("/")


def _scheme_and_host(option: str, address: str) -> tuple[str, str]:
    try:
        parts = urlsplit(address)
        host, dummy = parts.hostname, parts.port  # reading the port checks it
    except ValueError:
        raise InputError(f"{option} is not a valid address.") from None
    if parts.scheme not in ("http", "https") or not host:
        raise InputError(f"{option} must be an address like https://dds.ap-southeast-1.myhuaweicloud.com.")
    if "@" in address or any(sign in address for sign in "?#"):
        raise InputError(f"{option} must hold scheme, host, port and path only.")
    if not (_HOST_NAME.fullmatch(host) or _is_address(host)):
        raise InputError(f"{option} holds no valid host name.")
    # Where two parsers could read two hosts, the one that is checked might not be the one that is sent to.
    if not _ADDRESS.fullmatch(address):
        raise InputError(f"{option} is not a valid address.")
    return parts.scheme, host


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return "%" not in host


def is_loopback(host: str) -> bool:
    """Say whether a host is this machine itself."""
    if not _is_address(host):
        return host == "localhost"
    address = ipaddress.ip_address(host)
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback
