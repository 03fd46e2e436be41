# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where settings and credentials come from: the play, the environment, the SDK's credentials file.

PRIVATE to the collection: it may change without notice.
"""

from __future__ import annotations

import os
import typing as t

from ._errors import InputError

# One family of variables after the other: Terraform's, the vendor SDK's, OpenStack's.
ENVIRONMENT: tuple[dict[str, tuple[str, ...]], ...] = (
    {
        "auth_token": ("HW_AUTH_TOKEN",),
        "access_key": ("HW_ACCESS_KEY",),
        "secret_key": ("HW_SECRET_KEY",),
        "security_token": ("HW_SECURITY_TOKEN",),
        "username": ("HW_USER_NAME",),
        "password": ("HW_USER_PASSWORD",),
        "domain_name": ("HW_DOMAIN_NAME",),
        "region": ("HW_REGION_NAME",),
        "project_id": ("HW_PROJECT_ID",),
        "iam_endpoint": ("HW_AUTH_URL",),
    },
    {
        "access_key": ("HUAWEICLOUD_SDK_AK",),
        "secret_key": ("HUAWEICLOUD_SDK_SK",),
        "security_token": ("HUAWEICLOUD_SDK_SECURITY_TOKEN",),
        "project_id": ("HUAWEICLOUD_SDK_PROJECT_ID",),
        "iam_endpoint": ("HUAWEICLOUD_SDK_IAM_ENDPOINT",),
    },
    {
        "auth_token": ("OS_AUTH_TOKEN",),
        "access_key": ("OS_ACCESS_KEY",),
        "secret_key": ("OS_SECRET_KEY",),
        "username": ("OS_USERNAME",),
        "password": ("OS_PASSWORD",),
        "domain_name": ("OS_USER_DOMAIN_NAME", "OS_DOMAIN_NAME"),
        "region": ("OS_REGION_NAME",),
        "project_id": ("OS_PROJECT_ID", "OS_TENANT_ID"),
        "iam_endpoint": ("OS_AUTH_URL",),
    },
)
CREDENTIALS_FILE_VARIABLE = "HUAWEICLOUD_SDK_CREDENTIALS_FILE"
CREDENTIALS_FILE = "~/.huaweicloud/credentials"
# Names in the section [basic] of the SDK's file.
FILE_NAMES = {
    "access_key": "ak",
    "secret_key": "sk",
    "security_token": "security_token",
    "project_id": "project_id",
    "iam_endpoint": "iam_endpoint",
}

TOKEN, KEY, PASSWORD, AGENCY = "token", "key", "password", "agency"
# In this order where one source holds several; each is what the method cannot do without.
METHODS = {
    TOKEN: ("auth_token",),
    KEY: ("access_key", "secret_key"),
    PASSWORD: ("username", "password", "domain_name"),
}
# What selects a method in a source; a domain's name alone means nothing.
METHOD_SELECTORS = {TOKEN: ("auth_token",), KEY: ("access_key", "secret_key"), PASSWORD: ("username", "password")}

# The options that must never be shown.
SECRETS = ("auth_token", "access_key", "secret_key", "security_token", "password")
# Those that are sent in a header as they are.
IN_HEADERS = ("auth_token", "access_key", "security_token")

NO_CREDENTIALS = "No credentials are given."
HOW_TO_GIVE_CREDENTIALS = (
    "Set auth_token; or access_key and secret_key (with security_token for temporary keys); or username, password and "
    "domain_name; as options, in module_defaults, or in the environment (HW_AUTH_TOKEN; HW_ACCESS_KEY and "
    "HW_SECRET_KEY; HW_USER_NAME, HW_USER_PASSWORD and HW_DOMAIN_NAME; or the same as HUAWEICLOUD_SDK_AK/_SK or "
    f"OS_*), or in {CREDENTIALS_FILE}. On an ECS with an agency none are needed, but this host offers no agency key"
)


class Setting(t.NamedTuple):
    """A value, and what the user calls the place where it stands: an option, a variable, a key of a file."""

    value: str
    source: str

    def __repr__(self) -> str:
        # Its value may be a secret.
        return f"Setting({self.source})"


Source = dict[str, Setting]


class Credentials(t.NamedTuple):
    """The method chosen, and its values by the names of the options."""

    method: str
    values: t.Mapping[str, str]

    def __repr__(self) -> str:
        # Its values must not be shown by chance.
        return f"Credentials({self.method})"


class Settings:
    """Tells what an option's value is, whichever source it comes from."""

    def __init__(self, sources: t.Sequence[Source]) -> None:
        self._sources = [_stripped(source) for source in sources]

    def find(self, option: str) -> Setting | None:
        """Return the setting from the first source that has one."""
        return next((source[option] for source in self._sources if option in source), None)

    def get(self, option: str) -> str | None:
        """Return the value from the first source that has one."""
        setting = self.find(option)
        return setting.value if setting else None

    def credentials(self) -> Credentials:
        """Choose the method of the first source that has a usable one.

        :raises InputError: the play itself begins a method that nothing completes, or a value cannot be sent
        """
        for index, method, values, missing in self._begun():
            if not missing:
                _check(values)
                return Credentials(method, {option: setting.value for option, setting in values.items()})
            if index == 0:
                raise InputError(_lack(values.values(), missing))
        return Credentials(AGENCY, {})

    def lack(self) -> str:
        """Say why there are no credentials: which are given without the rest of their method, or that none are."""
        for dummy, dummy_method, values, missing in self._begun():
            return _lack(values.values(), missing)
        return NO_CREDENTIALS

    def _begun(self) -> t.Iterator[tuple[int, str, Source, list[str]]]:
        """Yield each method that a source begins: the source's place, the method, its values and what they lack."""
        for index, source in enumerate(self._sources):
            for method, selectors in METHOD_SELECTORS.items():
                if any(selector in source for selector in selectors):
                    values = self._fill_in(method, index)
                    yield index, method, values, [option for option in METHODS[method] if option not in values]

    def _fill_in(self, method: str, index: int) -> Source:
        """Take a method's values from a source and, where it lacks some, from those after it."""
        values: Source = {}
        for option in METHODS[method]:
            for source in self._sources[index:]:
                if option in source:
                    values[option] = source[option]
                    break
        # A security token belongs to one access key, so it is never taken from elsewhere.
        if method == KEY and "security_token" in self._sources[index]:
            values["security_token"] = self._sources[index]["security_token"]
        return values

    def secrets(self) -> list[str]:
        """Return every value, used or not, that must not be shown."""
        return [source[option].value for source in self._sources for option in SECRETS if option in source]


def _lack(given: t.Iterable[Setting], missing: t.Sequence[str]) -> str:
    names = sorted(setting.source for setting in given)
    return f"{' and '.join(names)} {'is' if len(names) == 1 else 'are'} given without {' and '.join(missing)}."


def _stripped(source: Source) -> Source:
    settings = {option: setting._replace(value=setting.value.strip()) for option, setting in source.items()}
    return {option: setting for option, setting in settings.items() if setting.value}


def _check(values: Source) -> None:
    """:raises InputError: a value holds what no request can carry; http.client would quote it in its own error"""
    for option, setting in values.items():
        if not fits_header(setting.value) if option in IN_HEADERS else not _is_unicode(setting.value):
            raise InputError(
                f"{setting.source} holds line breaks or characters that no request can carry. Set it again, without "
                "such characters."
            )


def fits_header(text: str) -> bool:
    """Say whether a header can carry a text as it is."""
    return text.isascii() and text.isprintable()


def _is_unicode(text: str) -> bool:
    # What is no UTF-8 in the environment comes as lone surrogates.
    return text.encode("utf-8", "replace").decode() == text


def settings_from(params: t.Mapping[str, t.Any], environ: t.Mapping[str, str]) -> Settings:
    """Gather the sources in their order: the play, three families of variables, the SDK's file.

    :raises InputError: the credentials file cannot be read
    """
    return Settings([*_sources(params, environ), _from_file(environ)])


def _sources(params: t.Mapping[str, t.Any], environ: t.Mapping[str, str]) -> list[Source]:
    named = (option for family in ENVIRONMENT for option in family if params.get(option))
    options = {option: Setting(str(params[option]), option) for option in named}
    return [options, *(_from_environment(family, environ) for family in ENVIRONMENT)]


def _from_environment(family: t.Mapping[str, tuple[str, ...]], environ: t.Mapping[str, str]) -> Source:
    source: Source = {}
    for option, variables in family.items():
        variable = next((name for name in variables if environ.get(name)), None)
        if variable:
            source[option] = Setting(environ[variable], variable)
    return source


def _from_file(environ: t.Mapping[str, str]) -> Source:
    named = environ.get(CREDENTIALS_FILE_VARIABLE)
    path = os.path.expanduser(named or CREDENTIALS_FILE)
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except FileNotFoundError:
        if named:
            raise InputError(f"{CREDENTIALS_FILE_VARIABLE} names {path}, which does not exist.") from None
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(path, error) from None
    section = _section_basic(path, text)
    return {
        option: Setting(section[name], f"{name} in {path}") for option, name in FILE_NAMES.items() if section.get(name)
    }


def _section_basic(path: str, text: str) -> t.Mapping[str, str]:
    # Few hosts have the file; the others are spared the import.
    import configparser

    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(text)
    except configparser.Error as error:
        raise _unreadable(path, error) from None
    return parser["basic"] if parser.has_section("basic") else {}


def _unreadable(path: str, error: Exception) -> InputError:
    return InputError(f"The credentials file {path} cannot be read ({type(error).__name__}).")
