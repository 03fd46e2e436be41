# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of several credentials counts, and which values must not be shown."""

from __future__ import annotations

import itertools
import typing as t
from pathlib import Path

import pytest

from ansible_collections.huaweicloud.tasks.plugins.module_utils._errors import InputError
from ansible_collections.huaweicloud.tasks.plugins.module_utils._settings import (
    AGENCY,
    KEY,
    PASSWORD,
    TOKEN,
    Settings,
    settings_from,
)

PLAY, HW, SDK, OS, FILE = "play", "HW", "HUAWEICLOUD_SDK", "OS", "file"
PLACES = (PLAY, HW, SDK, OS, FILE)
# How each source calls an option; None where it has no name for it.
NAMES: dict[str, dict[str, str]] = {
    PLAY: {
        name: name
        for name in "auth_token access_key secret_key security_token username password domain_name region project_id"
        " iam_endpoint".split()
    },
    HW: {
        "auth_token": "HW_AUTH_TOKEN",
        "access_key": "HW_ACCESS_KEY",
        "secret_key": "HW_SECRET_KEY",
        "security_token": "HW_SECURITY_TOKEN",
        "username": "HW_USER_NAME",
        "password": "HW_USER_PASSWORD",
        "domain_name": "HW_DOMAIN_NAME",
        "region": "HW_REGION_NAME",
        "project_id": "HW_PROJECT_ID",
        "iam_endpoint": "HW_AUTH_URL",
    },
    SDK: {
        "access_key": "HUAWEICLOUD_SDK_AK",
        "secret_key": "HUAWEICLOUD_SDK_SK",
        "security_token": "HUAWEICLOUD_SDK_SECURITY_TOKEN",
        "project_id": "HUAWEICLOUD_SDK_PROJECT_ID",
        "iam_endpoint": "HUAWEICLOUD_SDK_IAM_ENDPOINT",
    },
    OS: {
        "auth_token": "OS_AUTH_TOKEN",
        "access_key": "OS_ACCESS_KEY",
        "secret_key": "OS_SECRET_KEY",
        "username": "OS_USERNAME",
        "password": "OS_PASSWORD",
        "domain_name": "OS_USER_DOMAIN_NAME",
        "region": "OS_REGION_NAME",
        "project_id": "OS_PROJECT_ID",
        "iam_endpoint": "OS_AUTH_URL",
    },
    FILE: {
        "access_key": "ak",
        "secret_key": "sk",
        "security_token": "security_token",
        "project_id": "project_id",
        "iam_endpoint": "iam_endpoint",
    },
}
OPTIONS = {
    TOKEN: ("auth_token",),
    KEY: ("access_key", "secret_key"),
    PASSWORD: ("username", "password", "domain_name"),
}
METHODS = tuple(OPTIONS)


class Given:
    """Puts options into places; the value says which source it was."""

    def __init__(self, folder: Path) -> None:
        self.params: dict[str, t.Any] = dict.fromkeys(NAMES[PLAY])
        self.environ: dict[str, str] = {}
        self.folder = folder
        self.lines: list[str] = []

    def put(self, source: str, *options: str) -> Given:
        for option in options:
            name, value = NAMES[source][option], f"{option} of {source}"
            if source == PLAY:
                self.params[name] = value
            elif source == FILE:
                self.lines.append(f"{name} = {value}")
            else:
                self.environ[name] = value
        return self

    def settings(self) -> Settings:
        if self.lines:
            path = self.folder / "credentials"
            path.write_text("\n".join(["[basic]", *self.lines, ""]))
            self.environ["HUAWEICLOUD_SDK_CREDENTIALS_FILE"] = str(path)
        return settings_from(self.params, self.environ)

    def chosen(self) -> tuple[str, dict[str, str]]:
        credentials = self.settings().credentials()
        return credentials.method, dict(credentials.values)


@pytest.fixture(name="given")
def fixture_given(tmp_path: Path) -> Given:
    return Given(tmp_path)


def can(source: str, method: str) -> bool:
    return all(option in NAMES[source] for option in OPTIONS[method])


def values_of(source: str, method: str) -> dict[str, str]:
    return {option: f"{option} of {source}" for option in OPTIONS[method]}


SINGLE = [(source, method) for source in PLACES for method in METHODS if can(source, method)]


@pytest.mark.parametrize(("source", "method"), SINGLE)
def test_one_place(given: Given, source: str, method: str) -> None:
    assert given.put(source, *OPTIONS[method]).chosen() == (method, values_of(source, method))


@pytest.mark.parametrize(
    ("first", "second"),
    [(one, other) for one, other in itertools.product(SINGLE, SINGLE) if PLACES.index(one[0]) < PLACES.index(other[0])],
)
def test_the_earlier_place_counts_whatever_the_method(
    given: Given, first: tuple[str, str], second: tuple[str, str]
) -> None:
    """So an access key in the play is not overruled by a token in the environment."""
    given.put(second[0], *OPTIONS[second[1]]).put(first[0], *OPTIONS[first[1]])
    assert given.chosen() == (first[1], values_of(*first))


@pytest.mark.parametrize("source", [PLAY, HW, OS])
def test_order_within_a_place(given: Given, source: str) -> None:
    given.put(source, *OPTIONS[PASSWORD])
    assert given.chosen()[0] == PASSWORD
    given.put(source, *OPTIONS[KEY])
    assert given.chosen()[0] == KEY
    given.put(source, *OPTIONS[TOKEN])
    assert given.chosen()[0] == TOKEN


@pytest.mark.parametrize("option", ["region", "project_id", "iam_endpoint"])
def test_settings_come_from_the_first_place_that_has_them(given: Given, option: str) -> None:
    for source in reversed(PLACES):
        if option in NAMES[source]:
            given.put(source, option)
            assert given.settings().get(option) == f"{option} of {source}"


def test_nothing_is_given(given: Given) -> None:
    assert given.chosen() == (AGENCY, {})
    assert given.settings().get("region") is None
    assert given.settings().secrets() == []


# What is not complete


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("access_key",), "access_key is given without secret_key."),
        (("secret_key",), "secret_key is given without access_key."),
        (("username",), "username is given without password and domain_name."),
        (("password",), "password is given without username and domain_name."),
        (("username", "password"), "password and username are given without domain_name."),
        (("username", "domain_name"), "domain_name and username are given without password."),
    ],
)
def test_incomplete_in_the_play(given: Given, options: tuple[str, ...], message: str) -> None:
    """It is not overruled by something complete in the environment."""
    given.put(PLAY, *options).put(HW, "auth_token")
    with pytest.raises(InputError) as caught:
        given.chosen()
    assert str(caught.value) == message


def test_incomplete_in_the_play_names_each_value_by_its_place(given: Given) -> None:
    given.put(PLAY, "username").put(HW, "password")
    with pytest.raises(InputError, match=r"^HW_USER_PASSWORD and username are given without domain_name\.$"):
        given.chosen()


@pytest.mark.parametrize("source", [HW, SDK, OS, FILE])
@pytest.mark.parametrize("option", ["access_key", "secret_key"])
def test_incomplete_elsewhere_is_passed_over(given: Given, source: str, option: str) -> None:
    assert given.put(source, option).chosen() == (AGENCY, {})


@pytest.mark.parametrize(
    ("source", "options", "lack"),
    [
        (HW, ("access_key",), "HW_ACCESS_KEY is given without secret_key."),
        (FILE, ("secret_key",), "sk in {path} is given without access_key."),
        (OS, ("username", "password"), "OS_PASSWORD and OS_USERNAME are given without domain_name."),
        (HW, ("domain_name",), "No credentials are given."),
    ],
)
def test_what_is_lacking(given: Given, source: str, options: tuple[str, ...], lack: str) -> None:
    said = given.put(source, *options).settings().lack()
    assert said == lack.format(path=given.folder / "credentials")


def test_incomplete_elsewhere_gives_way_to_the_next_method(given: Given) -> None:
    given.put(HW, "access_key", *OPTIONS[PASSWORD])
    assert given.chosen() == (PASSWORD, values_of(HW, PASSWORD))


def test_incomplete_elsewhere_gives_way_to_the_next_place(given: Given) -> None:
    given.put(HW, "access_key").put(OS, "auth_token")
    assert given.chosen() == (TOKEN, values_of(OS, TOKEN))


@pytest.mark.parametrize("source", [PLAY, HW, OS])
def test_a_domain_alone_means_nothing(given: Given, source: str) -> None:
    given.put(source, "domain_name").put(FILE, *OPTIONS[KEY])
    assert given.chosen() == (KEY, values_of(FILE, KEY))


def test_a_security_token_alone_means_nothing(given: Given) -> None:
    assert given.put(HW, "security_token").put(SDK, *OPTIONS[KEY]).chosen() == (KEY, values_of(SDK, KEY))


def test_the_rest_of_a_method_may_come_from_a_later_place(given: Given) -> None:
    """The user's name in the play, the password in the environment."""
    given.put(PLAY, "username").put(HW, "password").put(OS, "domain_name")
    assert given.chosen() == (
        PASSWORD,
        {"username": "username of play", "password": "password of HW", "domain_name": "domain_name of OS"},
    )


def test_the_rest_of_a_method_never_comes_from_an_earlier_place(given: Given) -> None:
    given.put(HW, "domain_name").put(OS, "username", "password")
    assert given.chosen() == (AGENCY, {})


# Security tokens


@pytest.mark.parametrize("source", [PLAY, HW, SDK, FILE])
def test_security_token_of_the_same_place(given: Given, source: str) -> None:
    given.put(source, *OPTIONS[KEY], "security_token")
    expected = {**values_of(source, KEY), "security_token": f"security_token of {source}"}
    assert given.chosen() == (KEY, expected)


@pytest.mark.parametrize(("keys", "token"), list(itertools.permutations((PLAY, HW, SDK, FILE), 2)))
def test_security_token_of_another_place(given: Given, keys: str, token: str) -> None:
    """It belongs to one access key."""
    given.put(keys, *OPTIONS[KEY]).put(token, "security_token")
    assert given.chosen() == (KEY, values_of(keys, KEY))


def test_security_token_is_for_access_keys_only(given: Given) -> None:
    given.put(PLAY, *OPTIONS[TOKEN], "security_token")
    assert given.chosen() == (TOKEN, values_of(PLAY, TOKEN))


def test_security_token_of_the_access_keys_place_where_the_secret_comes_from_elsewhere(given: Given) -> None:
    given.put(HW, "access_key", "security_token").put(SDK, "secret_key", "security_token")
    method, values = given.chosen()
    assert method == KEY
    assert values["security_token"] == "security_token of HW"


# The variables


@pytest.mark.parametrize(
    ("option", "variables"),
    [
        ("domain_name", ("OS_USER_DOMAIN_NAME", "OS_DOMAIN_NAME")),
        ("project_id", ("OS_PROJECT_ID", "OS_TENANT_ID")),
    ],
)
def test_further_names(option: str, variables: tuple[str, ...]) -> None:
    environ: dict[str, str] = {}
    for variable in reversed(variables):
        environ[variable] = variable
        assert settings_from({}, environ).get(option) == variable


@pytest.mark.parametrize("value", ["", " ", "\n"])
def test_empty_values_are_none(given: Given, value: str) -> None:
    given.put(OS, *OPTIONS[TOKEN])
    given.params["access_key"] = value
    given.environ["HW_AUTH_TOKEN"] = value
    assert given.chosen() == (TOKEN, values_of(OS, TOKEN))


def test_spaces_around_a_value() -> None:
    """As `$(cat token)` or a file's last line leave them."""
    settings = settings_from({"auth_token": " a token\n"}, {"HW_PROJECT_ID": "p\n"})
    assert settings.credentials().values == {"auth_token": "a token"}
    assert settings.get("project_id") == "p"
    assert settings.secrets() == ["a token"]


# The file


def write(tmp_path: Path, text: str | bytes) -> dict[str, str]:
    path = tmp_path / "credentials"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return {"HUAWEICLOUD_SDK_CREDENTIALS_FILE": str(path)}


def test_file_at_its_usual_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert settings_from({}, {}).credentials().method == AGENCY
    (tmp_path / ".huaweicloud").mkdir()
    (tmp_path / ".huaweicloud" / "credentials").write_text("[basic]\nak = a\nsk = s\n")
    assert settings_from({}, {}).credentials().values == {"access_key": "a", "secret_key": "s"}


def test_file_with_percent_signs_and_more(tmp_path: Path) -> None:
    text = "# comment\n[global]\nak = g\nsk = g\n[basic]\nak = a%b\nsk = %(ak)s=:;\nproject_id = p\nidp_id = x\n"
    settings = settings_from({}, write(tmp_path, text))
    assert settings.credentials().values == {"access_key": "a%b", "secret_key": "%(ak)s=:;"}
    assert settings.get("project_id") == "p"


@pytest.mark.parametrize("text", ["", "[global]\nak = a\nsk = s\n", "[basic]\n", "[basic]\nak =\nsk =\n"])
def test_file_without_keys(tmp_path: Path, text: str) -> None:
    assert settings_from({}, write(tmp_path, text)).credentials().method == AGENCY


@pytest.mark.parametrize(
    "text",
    ["ak = file-secret\n", "[basic]\nfile-secret\n", "[basic\nak = file-secret\n", b"[basic]\nak = \xff\xfe\n"]
    + ["[basic]\nak = file-secret\nak = file-secret\n"],
)
def test_file_that_is_none(tmp_path: Path, text: str | bytes) -> None:
    environ = write(tmp_path, text)
    with pytest.raises(InputError) as caught:
        settings_from({}, environ)
    assert environ["HUAWEICLOUD_SDK_CREDENTIALS_FILE"] in str(caught.value)
    assert "file-secret" not in str(caught.value)


def test_file_that_is_missing(tmp_path: Path) -> None:
    path = str(tmp_path / "missing")
    with pytest.raises(InputError, match="HUAWEICLOUD_SDK_CREDENTIALS_FILE names .*missing, which does not exist"):
        settings_from({}, {"HUAWEICLOUD_SDK_CREDENTIALS_FILE": path})


def test_file_that_is_a_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        settings_from({}, {"HUAWEICLOUD_SDK_CREDENTIALS_FILE": str(tmp_path)})


# What must not be shown


def test_every_secret_of_every_place_is_listed(given: Given) -> None:
    """Used or not."""
    secret = ("auth_token", "access_key", "secret_key", "security_token", "password")
    for source in PLACES:
        given.put(source, *NAMES[source])
    expected = {f"{option} of {source}" for source in PLACES for option in secret if option in NAMES[source]}
    assert set(given.settings().secrets()) == expected
    assert len(expected) == 5 + 5 + 3 + 4 + 3


def test_credentials_are_not_shown(given: Given) -> None:
    credentials = given.put(PLAY, *OPTIONS[KEY]).settings().credentials()
    assert "secret_key of play" not in repr(credentials)
