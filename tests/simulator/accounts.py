# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo credentials. All of them are made up; they open nothing but the simulator."""

from __future__ import annotations

REGION = "ap-southeast-1"
PROJECT_ID = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
PROJECT_NAME = REGION
OTHER_REGION = "ap-southeast-3"
OTHER_PROJECT_ID = "9f8e7d6c5b4a39281706f5e4d3c2b1a0"

DOMAIN_NAME = "simulator-domain"
DOMAIN_ID = "d0d1d2d3d4d5d6d7d8d9dadbdcdddedf"
USERNAME = "simulator-user"
USER_ID = "3df5acbc24a54fadb62a043c9000a307"
PASSWORD = "simulator-password-which-is-not-real"

TOKEN = "MIISimulatorToken-" + "valid-only-here-" * 6 + "end"

ACCESS_KEY = "SIMULATORACCESSKEY01"
SECRET_KEY = "simulatorSecretKeyWhichOpensNothingAtAll"

TEMPORARY_ACCESS_KEY = "SIMULATORTEMPORARY01"
TEMPORARY_SECRET_KEY = "simulatorTemporarySecretKeyOpensNothing1"
SECURITY_TOKEN = "simulator-security-token-" + "valid-only-here-" * 4 + "end"
