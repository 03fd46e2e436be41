# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From a product and a region to the address to ask.

The tables are those of the vendor's SDK (huaweicloudsdkdds, huaweicloudsdkkafka, huaweicloudsdkgaussdb,
huaweicloudsdkcore 3.1.219). A region in no table is an error, never a guess: ``gaussdb.{region}`` belongs to
another product in some regions and answers the same path ``/v3/{project_id}/jobs``.

PRIVATE to the collection: it may change without notice.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from ._errors import InputError

# Products that follow the rule {prefix}.{region}.myhuaweicloud.com have the same regions in the SDK's tables.
REGIONS = frozenset(
    """
    ae-ad-1 af-north-1 af-south-1 ap-southeast-1 ap-southeast-2 ap-southeast-3 ap-southeast-4 ap-southeast-5
    cn-east-2 cn-east-3 cn-east-4 cn-east-5 cn-north-1 cn-north-11 cn-north-12 cn-north-2 cn-north-4 cn-north-9
    cn-south-1 cn-south-2 cn-south-4 cn-southwest-2 cn-southwest-3 eu-west-0 eu-west-101 la-north-2 la-south-2
    me-east-1 my-kualalumpur-1 na-mexico-1 ru-moscow-1 ru-northwest-2 sa-brazil-1 tr-west-1
    """.split()
)

TAURUSDB_REGIONS = {
    "gaussdb": """
        ap-southeast-3 ap-southeast-4 cn-east-3 cn-north-2 cn-north-4 cn-north-9 cn-south-1 cn-south-4 cn-southwest-2
        ru-northwest-2 sa-brazil-1
    """.split(),
    "gaussdbformysql": "ap-southeast-1 ap-southeast-2 cn-north-11 me-east-1 tr-west-1".split(),
    "gaussdb-mysql": "af-south-1 cn-east-5 cn-southwest-3 la-north-2".split(),
}
TAURUSDB_PREFIXES = {region: prefix for prefix, regions in TAURUSDB_REGIONS.items() for region in regions}

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

EUROPEAN_SITE = ("eu-west-101",)


def endpoint_of(product: str, region: str | None) -> str:
    """Return the base address of a product in a region.

    :raises InputError: no region, or one that is in no table
    """
    if not region:
        raise InputError("Neither region nor endpoint is given. Set region (or HW_REGION_NAME), or endpoint.")
    prefix = TAURUSDB_PREFIXES.get(region) if product == "taurusdb" else product
    if prefix is None or region not in REGIONS:
        raise InputError(
            f"The address of {product} in region '{region}' is not known. Check the region's name, "
            "or set endpoint to the address from the region's endpoint list."
        )
    return f"https://{prefix}.{region}.{_domain_of(region)}"


def iam_endpoint_of(region: str | None) -> str:
    """Return the base address of IAM for a region.

    :raises InputError: no region, or one that is in no table
    """
    if not region:
        raise InputError("Neither region nor iam_endpoint is given, so IAM cannot be asked. Set one of them.")
    if region not in REGIONS:
        raise InputError(f"The address of IAM in region '{region}' is not known. Set iam_endpoint.")
    return f"https://iam.{region}.{_domain_of(region)}" if region in IAM_REGIONS else GLOBAL_IAM


def _domain_of(region: str) -> str:
    return "myhuaweicloud.eu" if region in EUROPEAN_SITE else "myhuaweicloud.com"


def check_endpoint(option: str, address: str, *, validate_certs: bool) -> str:
    """Return a given address without its final slash.

    :raises InputError: it is no http(s) address, holds credentials, or would carry credentials over the
        network in the clear
    """
    scheme, host = _scheme_and_host(option, address)
    if scheme == "http" and validate_certs and not _is_loopback(host):
        raise InputError(
            f"{option} is an http:// address, which would carry credentials in the clear to {host}. "
            "Use https://, or set validate_certs to false if this is meant."
        )
    return address.strip().rstrip("/")


def _scheme_and_host(option: str, address: str) -> tuple[str, str]:
    if not address.strip().isprintable():
        raise InputError(f"{option} is not a valid address.")
    try:
        parts = urlsplit(address.strip())
        host, dummy = parts.hostname, parts.port  # reading the port checks it
    except ValueError:
        raise InputError(f"{option} is not a valid address.") from None
    if parts.scheme not in ("http", "https") or not host:
        raise InputError(f"{option} must be an address like https://dds.ap-southeast-1.myhuaweicloud.com.")
    if parts.username is not None or any(sign in address for sign in "?#"):
        raise InputError(f"{option} must hold scheme, host, port and path only.")
    if not (_HOST_NAME.fullmatch(host) or ":" in host):
        raise InputError(f"{option} holds no valid host name.")
    return parts.scheme, host


def _is_loopback(host: str) -> bool:
    return host in ("localhost", "::1") or (host.startswith("127.") and host.replace(".", "").isdigit())
