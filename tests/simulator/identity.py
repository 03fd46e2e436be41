# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may ask: tokens, access keys and projects, as they stand at this moment."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from . import accounts
from .account_lock import AccountLock
from .tasks import check_keys

METADATA_MODES = ("token_required", "imdsv1", "no_agency")
ACCOUNT_KEYS = frozenset(
    {
        "revoke_token",
        "expire_token",
        "tokens",
        "projects",
        "token_lifetime",
        "omit_subject_token",
        "omit_expires_at",
        "scope_needs_domain",
        "metadata",
        "metadata_expires_in",
        "rotate_keys",
        "lock_after",
        "lock_seconds",
    }
)
FOREVER = float("inf")


@dataclass
class Token:
    """A token, the project it is scoped to, when (wall clock) it expires, and whose it is."""

    value: str
    project_id: str | None
    expires: float = FOREVER
    user: str = accounts.USERNAME

    @property
    def expired(self) -> bool:
        """Whether its time is over."""
        return time.time() >= self.expires


@dataclass(frozen=True)
class Key:
    """An access key; a temporary one comes with a security token."""

    ak: str
    sk: str
    security_token: str | None = None


class Identity:
    """The accounts of the simulated cloud; control calls change them."""

    def __init__(self) -> None:
        self.tokens = {accounts.TOKEN: Token(accounts.TOKEN, accounts.PROJECT_ID)}
        self.temporary = Key(accounts.TEMPORARY_ACCESS_KEY, accounts.TEMPORARY_SECRET_KEY, accounts.SECURITY_TOKEN)
        self.projects: list[dict[str, str]] = [
            {"id": accounts.PROJECT_ID, "name": accounts.PROJECT_NAME},
            {"id": accounts.OTHER_PROJECT_ID, "name": accounts.OTHER_REGION},
        ]
        self.token_lifetime = 86400.0
        self.omit_subject_token = False
        self.omit_expires_at = False
        self.scope_needs_domain = False
        self.metadata = "token_required"
        self.metadata_expires_in = 3600.0
        self.metadata_tokens: set[str] = set()
        self.tokens_issued = 0
        self.lock = AccountLock()

    def key(self, access_key: str) -> Key | None:
        """The key with this id, or None."""
        known = (Key(accounts.ACCESS_KEY, accounts.SECRET_KEY), self.temporary)
        return next((key for key in known if key.ak == access_key), None)

    def issue_token(self, project_id: str | None) -> Token:
        """A new token; the ones issued before stay valid."""
        self.tokens_issued += 1
        token = Token(f"MIISimulatorIssued-{secrets.token_hex(200)}", project_id, time.time() + self.token_lifetime)
        self.tokens[token.value] = token
        return token

    def project(self, key: str, value: str) -> dict[str, str] | None:
        """The project with this id or name."""
        return next((project for project in self.projects if project[key] == value), None)

    def change(self, given: Mapping[str, Any]) -> None:
        """Apply a control call."""
        check_keys(given, ACCOUNT_KEYS, "the accounts")
        if given.get("metadata", self.metadata) not in METADATA_MODES:
            raise ValueError(f"metadata must be one of {', '.join(METADATA_MODES)}")
        for name in (
            "projects",
            "token_lifetime",
            "omit_subject_token",
            "omit_expires_at",
            "scope_needs_domain",
            "metadata",
            "metadata_expires_in",
        ):
            if name in given:
                setattr(self, name, given[name])
        self.lock.attempts = int(given.get("lock_after", self.lock.attempts))
        self.lock.seconds = float(given.get("lock_seconds", self.lock.seconds))
        for token in given.get("tokens", ()):
            self.add_token(**token)
        for value in self._named(given.get("revoke_token")):
            self.tokens.pop(value, None)
        for value in self._named(given.get("expire_token")):
            self.tokens[value].expires = 0.0
        if given.get("rotate_keys"):
            self.rotate_keys()

    def add_token(
        self,
        token: str,
        project_id: str = accounts.PROJECT_ID,
        expires_in: float = FOREVER,
        user: str = accounts.USERNAME,
    ) -> None:
        """Accept a further token."""
        self.tokens[token] = Token(token, project_id, time.time() + expires_in, user)

    def rotate_keys(self) -> None:
        """Replace the temporary key by a new one; the old one is refused from now on."""
        self.temporary = Key(f"SIMULATOR{secrets.token_hex(6).upper()}", secrets.token_hex(20), secrets.token_hex(40))

    def _named(self, which: str | None) -> list[str]:
        """The tokens meant by `all`, `issued` or the token itself."""
        if which == "all":
            return list(self.tokens)
        if which == "issued":
            return [value for value in self.tokens if value != accounts.TOKEN]
        return [which] if which in self.tokens else []
