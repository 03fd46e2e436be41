# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put together what was measured in the folder named as argument, and report on plugins/."""

from __future__ import annotations

import os
import pathlib
import sys

import checkout
import coverage

MINIMUM = 95.0  # per cent


def main() -> None:
    os.chdir(checkout.ROOT)
    folder = pathlib.Path(sys.argv[1])
    pieces = [str(path) for path in folder.iterdir()]
    cover = coverage.Coverage(data_file=str(folder / "combined"), config_file=str(checkout.ROOT / ".coveragerc"))
    cover.combine(pieces, strict=True, keep=True)
    # a file that nothing ever imported counts, too
    if not cover.get_data().measured_files():
        raise SystemExit("Nothing was measured.")
    cover.get_data().touch_files([str(path) for path in (checkout.ROOT / "plugins").rglob("*.py")], "")
    total = cover.report(include=["plugins/*"])
    print(f"{len(pieces)} pieces, {total:.1f} % of lines and branches of plugins/")
    if total < MINIMUM:
        raise SystemExit(f"That is less than the {MINIMUM} % that are asked for.")


if __name__ == "__main__":
    main()
