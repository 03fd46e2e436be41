#!/bin/sh
# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Starts the simulator and prints its process id and its port: start.sh PYTHON FOLDER
# It ends after ten minutes in any case.
set -eu
cd "$2"
files=$(mktemp -d)
trap 'rm -r "$files"' EXIT
"$1" -c '
import runpy, signal
signal.alarm(600)
runpy.run_module("simulator", run_name="__main__", alter_sys=True)
' --port 0 --port-file "$files/port" </dev/null >"$files/log" 2>&1 &
until test -s "$files/port"; do
    kill -0 $! 2>/dev/null || { cat "$files/log" >&2; exit 1; }
    sleep 0.1
done
echo $!
cat "$files/port"
