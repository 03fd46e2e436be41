# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the documentation of modules and the guides as HTML to docs/html, without asking any other site."""

from __future__ import annotations

import pathlib
import re
import shutil
import subprocess
import sys
import zlib

import checkout

OUTPUT = checkout.ROOT / "docs" / "html"
ANSIBLE_SITE = "https://docs.ansible.com/projects/ansible/devel/"
# Labels of Ansible's own documentation that the pages refer to, with their places there.
LABELS = {
    "action_plugins": "plugins/action.html#action-plugins",
    "ansible_collections.ansible.builtin.uri_module": "collections/ansible/builtin/uri_module.html",
    "ansible_configuration_settings": "reference_appendices/config.html#ansible-configuration-settings",
    "common_return_values": "reference_appendices/common_return_values.html#common-return-values",
}
INVENTORY_HEAD = """\
# Sphinx inventory version 2
# Project: Ansible
# Version: devel
# The remainder of this file is compressed using zlib.
"""


def write_inventory(path: pathlib.Path) -> None:
    """Ansible's inventory as Sphinx would fetch it, with no more than what is referred to."""
    entries = "".join(f"{label} std:label -1 {place} {label}\n" for label, place in LABELS.items())
    path.write_bytes(INVENTORY_HEAD.encode() + zlib.compress(entries.encode()))


def configure(conf: pathlib.Path) -> None:
    mapping = f"intersphinx_mapping = {{'ansible_devel': ({ANSIBLE_SITE!r}, '../ansible_devel.inv')}}"
    text, count = re.subn(r"^intersphinx_mapping = \{.*?^\}", mapping, conf.read_text(), flags=re.DOTALL | re.MULTILINE)
    if count != 1:
        raise SystemExit(f"{conf.name} is not as expected.")
    conf.write_text(text)


def init(site: pathlib.Path) -> list[str]:
    names = ["--project", "huaweicloud.tasks", "--title", "huaweicloud.tasks", "--copyright", "the contributors"]
    where = ["--use-current", "--squash-hierarchy", "--dest-dir", str(site)]
    return ["antsibull-docs", "sphinx-init", *where, *names, "huaweicloud.tasks"]


def main() -> int:
    checkout.end_on_signals()
    with checkout.scratch() as folder:
        env = checkout.environment(folder, checkout.ROOT / ".venv" / "collections")
        site = folder / "site"
        site.mkdir()
        subprocess.run(init(site), env=env, check=True, stdout=subprocess.DEVNULL)
        configure(site / "conf.py")
        write_inventory(site / "ansible_devel.inv")
        if status := subprocess.run(["bash", site / "build.sh"], env=env, check=False).returncode:
            return status
        shutil.rmtree(OUTPUT, ignore_errors=True)
        shutil.copytree(site / "build" / "html", OUTPUT)
    print(f"{OUTPUT.relative_to(checkout.ROOT) / 'index.html'} is written.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
