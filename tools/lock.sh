#!/usr/bin/env bash
# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Write tools/requirements-*.lock anew from tools/requirements-*.in. With "--upgrade" to the newest versions.
# One lock serves every Python from 3.11 up: markers choose the newest ansible-core that it allows.
set -euo pipefail
cd "$(dirname "$0")/.."

compile() {
    local name=$1
    shift
    .venv/bin/uv pip compile --quiet --universal --system-certs --python-version 3.11 --generate-hashes --no-annotate \
        --custom-compile-command "make lock" "${excludes[@]}" \
        --output-file "tools/requirements-$name.lock" "$@" "tools/requirements-$name.in"
}

excludes=(--excludes tools/lock-excludes.txt)
compile test "$@"
compile demo --constraints tools/requirements-test.lock "$@"
compile ee --constraints tools/requirements-test.lock "$@"
# these have environments of their own
compile docs "$@"
compile nox "$@"
# the vendor's SDK as a whole needs what its signer alone does not
excludes=()
compile sdk --constraints tools/requirements-test.lock "$@"
compile benchmark --constraints tools/requirements-test.lock "$@"
