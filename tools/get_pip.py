# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Give ansible-test the pip that it makes its virtual environments with, from the package index.

ansible-test downloads get-pip-<version>.py from a host of its own, unless a copy lies in ~/.ansible/test/cache,
a path that it names itself. Not every network reaches that host; the wheel of the same pip does the same job.
"""

from __future__ import annotations

import pathlib
import re
import subprocess
import sys

import ansible_test  # type: ignore[import-untyped]

SHIM = '''"""Stands in for get-pip.py {version}: runs pip from the wheel beside this file."""
import os, runpy, sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "pip-{version}-py3-none-any.whl"))
sys.argv = ["pip", "install", "--upgrade"] + [a for a in sys.argv[1:] if a not in ("--no-setuptools", "--no-wheel")]
runpy.run_module("pip", run_name="__main__", alter_sys=True)
'''


def wanted_version() -> str:
    """The pip that the installed ansible-test asks for."""
    source = pathlib.Path(ansible_test.__file__).parent / "_internal" / "python_requirements.py"
    text = source.read_text(encoding="utf-8")
    match = re.search(r"pip='([\d.]+)'", text[text.index("def get_venv_packages") :])
    if not match:
        raise SystemExit(f"{source} does not tell which pip it wants.")
    return match.group(1)


def main() -> None:
    version = wanted_version()
    cache = pathlib.Path("~/.ansible/test/cache").expanduser()
    script = cache / f"get_pip_{version.replace('.', '_')}.py"
    if script.exists():
        return
    cache.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(cache), f"pip=={version}"]
    subprocess.run(command, check=True)
    script.write_text(SHIM.format(version=version), encoding="utf-8")


if __name__ == "__main__":
    main()
