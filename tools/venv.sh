#!/usr/bin/env bash
# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Make .venv hold what "demo" or "test" (the argument) needs. Does nothing where it already does.
# PYTHON names the Python to build it with; without it python3 is taken, or another one where python3 is too old.
set -euo pipefail
cd "$(dirname "$0")/.."
readonly need=${1:?demo or test}
readonly lock=tools/requirements-$need.lock

say() { printf '%s\n' "$*" >&2; }

die() {
    say "$@"
    exit 1
}

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
    local name names=(python3 python3.14 python3.13 python3.12 python3.11)
    [ -z "${PYTHON:-}" ] || names=("$PYTHON")
    for name in "${names[@]}"; do
        if new_enough "$name"; then
            "$name" -c 'import os, sys; print(os.path.realpath(sys._base_executable))'
            return
        fi
    done
    die "Python 3.11 or newer is needed, ${PYTHON:-python3} is not. Install one, or name it: make PYTHON=/path/to/python3.12 ..."
}

# What the environment was made from. It is made anew after the folder has moved, and when another Python is asked for.
identity() { printf '%s\n' "$PWD" "$1" && cat tools/requirements-uv.txt; }

usable() {
    local python
    { .venv/bin/python -c '' && .venv/bin/uv --version; } &>/dev/null || return
    python=$(sed -n 2p .venv/.identity)
    [ -z "${PYTHON:-}" ] || python=$(find_python) || exit
    identity "$python" | cmp -s - .venv/.identity
}

# .venv/collections is a place where Ansible finds the checkout as huaweicloud.tasks; the .pth file tells
# the environment's own Python and Ansible, so that nothing needs to be set to use it.
link_collection() {
    local site
    mkdir -p .venv/collections/ansible_collections/huaweicloud
    ln -sfn ../../../.. .venv/collections/ansible_collections/huaweicloud/tasks
    for site in .venv/lib/python3*/site-packages; do
        echo ../../../collections >"$site/huaweicloud_tasks.pth"
    done
}

make_venv() {
    local python
    python=$(find_python)
    "$python" -c 'import ensurepip, venv' 2>/dev/null ||
        die "$python cannot make virtual environments. On Debian and Ubuntu: apt install python3-venv"
    say "Making .venv with $("$python" --version) ..."
    rm -rf .venv
    "$python" -m venv .venv
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --requirement tools/requirements-uv.txt
    link_collection
    identity "$python" >.venv/.identity
}

# pip is slower, but knows how to reach the package index where its configuration says more than uv reads.
install() {
    local what=(--quiet --no-deps --require-hashes --requirement "$lock")
    say "Installing what \"make $need\" needs ..."
    .venv/bin/uv pip install --python .venv/bin/python --system-certs --compile-bytecode "${what[@]}" || {
        say "... once more, with pip instead of uv ..."
        .venv/bin/python -m pip install --disable-pip-version-check "${what[@]}"
    }
    cp "$lock" ".venv/.$need.lock"
}

current() { cmp -s "tools/requirements-$1.lock" ".venv/.$1.lock"; }

# One at a time, where there is flock to ensure it.
exec 9>>.venv.lock
! command -v flock >/dev/null || flock 9

usable || make_venv
# what "test" needs includes what "demo" needs
current "$need" || { [ "$need" = demo ] && current test; } || install
