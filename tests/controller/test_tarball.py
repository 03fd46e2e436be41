# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tarball holds what users need, and nothing else."""

from __future__ import annotations

import fnmatch
import tarfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WANTED = (
    *("MANIFEST.json", "FILES.json", ".ansible-lint", "meta/*", "plugins/*.py", "playbooks/wait.yml"),
    *("playbooks/tasks/*.yml", "docs/*.md"),
    *("README.md", "CHANGELOG.*", "changelogs/changelog.yaml", "docs/*.json", "docs/*.svg", "docs/docsite/*"),
    *("COPYING", "LICENSES/*", "REUSE.toml"),
    *("CODE_OF_CONDUCT.md", "CONTRIBUTING.md", "MAINTAINERS.md", "SECURITY.md"),
)


def names(tarball: Path) -> set[str]:
    with tarfile.open(tarball) as archive:
        return {member.name for member in archive.getmembers() if not member.isdir()}


def test_nothing_else_is_in_it(tarball: Path) -> None:
    assert [name for name in names(tarball) if not any(fnmatch.fnmatch(name, wanted) for wanted in WANTED)] == []


def test_everything_is_in_it(tarball: Path) -> None:
    plugins = {path.relative_to(ROOT).as_posix() for path in (ROOT / "plugins").rglob("*.py")}
    assert plugins <= names(tarball)
    assert [wanted for wanted in WANTED if not fnmatch.filter(names(tarball), wanted)] == []


def test_it_is_small(tarball: Path) -> None:
    assert tarball.stat().st_size < 1_000_000
