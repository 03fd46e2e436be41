# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: it may change without notice.

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
requirements:
  - python >= 3.9 on the host that runs the module
  - requests
notes:
  - Supports Python 3.9 and newer only. Python 2.7 and Python 3.0 to 3.8 are not supported.
  - >-
    Options and C(module_defaults) take precedence over the environment, whatever kind of credentials they hold; the
    variables C(HW_*) over C(HUAWEICLOUD_SDK_*), those over C(OS_*), and all of them over the section C([basic]) of the
    file C(~/.huaweicloud/credentials) (or the one that E(HUAWEICLOUD_SDK_CREDENTIALS_FILE) names). Within one of these
    sources, O(auth_token) takes precedence over O(access_key) with O(secret_key), and those over O(username) with
    O(password) and O(domain_name). Without any credentials, the temporary key of the ECS agency is fetched from the
    host's metadata address.
  - Environment variables are those of the host that runs the module.
  - Proxies are taken from the environment (E(HTTPS_PROXY), E(NO_PROXY)). Requests to loopback addresses never use one.
seealso:
  - ref: ansible_collections.huaweicloud.tasks.docsite.guide_authentication
    description: Kinds of credentials, their precedence, the environment variables, and permissions.
options:
  region:
    description:
      - Name of the region, for example V(ap-southeast-1). It selects the address of the service.
      - Needed unless O(endpoint) and O(project_id) are given, and with a password O(iam_endpoint), too.
      - If not set, the value of E(HW_REGION_NAME) or E(OS_REGION_NAME) is used.
    type: str
  project_id:
    description:
      - Id of the project. If it is set nowhere, it is looked up by the name of the region.
      - A project belongs to one region. With another O(region) than the environment's, set this, too, where the environment
        has a project.
      - If not set, the value of E(HW_PROJECT_ID), E(HUAWEICLOUD_SDK_PROJECT_ID), E(OS_PROJECT_ID), or E(OS_TENANT_ID)
        is used.
    type: str
  endpoint:
    description:
      - Address of the service, for example V(https://dds.ap-southeast-1.myhuaweicloud.com). It is needed only where
        the service's address in O(region) is not known, as for private clouds and Open Telekom Cloud.
      - V(http://) is accepted for loopback addresses only.
    type: str
  iam_endpoint:
    description:
      - Address of IAM, for example V(https://iam.ap-southeast-1.myhuaweicloud.com), which issues tokens and looks up
        projects. By default that of O(region).
      - If not set, the value of E(HW_AUTH_URL), E(HUAWEICLOUD_SDK_IAM_ENDPOINT), or E(OS_AUTH_URL) is used.
    type: str
  auth_token:
    description:
      - An IAM token for the project, for example from M(huaweicloud.tasks.iam_token). It lasts for 24 hours and is not
        renewed.
      - If not set, the value of E(HW_AUTH_TOKEN) or E(OS_AUTH_TOKEN) is used.
    type: str
  access_key:
    description:
      - Access key id (AK). It needs O(secret_key) too.
      - If not set, the value of E(HW_ACCESS_KEY), E(HUAWEICLOUD_SDK_AK), or E(OS_ACCESS_KEY) is used.
    type: str
  secret_key:
    description:
      - Secret access key (SK). It signs requests and is never sent.
      - If not set, the value of E(HW_SECRET_KEY), E(HUAWEICLOUD_SDK_SK), or E(OS_SECRET_KEY) is used.
    type: str
  security_token:
    description:
      - Security token of a temporary access key.
      - If not set, the value of E(HW_SECURITY_TOKEN) or E(HUAWEICLOUD_SDK_SECURITY_TOKEN) is used, if the access key
        comes from the same source.
    type: str
  username:
    description:
      - Name of an IAM user. It needs O(password) and O(domain_name) too. The module
        logs in once for each project, and again when a token is refused.
      - If not set, the value of E(HW_USER_NAME) or E(OS_USERNAME) is used.
    type: str
  password:
    description:
      - Password of the IAM user.
      - If not set, the value of E(HW_USER_PASSWORD) or E(OS_PASSWORD) is used.
    type: str
  domain_name:
    description:
      - Name of the account that the IAM user belongs to.
      - If not set, the value of E(HW_DOMAIN_NAME), E(OS_USER_DOMAIN_NAME), or E(OS_DOMAIN_NAME) is used.
    type: str
  validate_certs:
    description:
      - Whether to verify TLS certificates. Set it to V(false) only for tests.
    type: bool
    default: true
  ca_path:
    description:
      - Path of a file with CA certificates, on the host that runs the module. It takes
        precedence over E(REQUESTS_CA_BUNDLE).
    type: path
    aliases: [ca_cert]
  request_timeout:
    description:
      - Seconds that one request may take, up to 3600. A query or login that is throttled is retried for that long.
    type: float
    default: 30.0
  language:
    description:
      - Language of the texts in responses. Only TaurusDB and RDS support it.
    type: str
    choices: [en-us, zh-cn]
    default: en-us
"""
