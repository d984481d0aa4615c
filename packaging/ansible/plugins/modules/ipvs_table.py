#!/usr/bin/python
# SPDX-License-Identifier: MIT OR Apache-2.0

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
---
module: ipvs_table
short_description: The table of IPVS, or a part of it, as rules
description:
  - Makes the table of the Linux Virtual Server (IPVS) equal to rules as C(ipvsadm -S) prints them.
  - With I(vip), or one virtual service, only that part of the table; a rule of another part is an error.
  - Only what differs is changed, and connections of services and servers that stay go on.
    All rules are read and understood before anything is changed.
version_added: "1.0.0"
author:
  - The ipvsadm in Rust authors (@ipvsadm)
requirements:
  - ipvsadm in Rust on the managed machine
options:
  rules:
    description: The rules, one a line, as C(ipvsadm-save) writes them.
    type: list
    elements: str
  src:
    description: A file of rules on the managed machine.
    type: path
  vip:
    description: Only the services at this address, C(address[/length][:port]).
    type: str
  tcp:
    description: Only this virtual service, TCP at C(address:port); IPv6 as C([address]:port).
    type: str
  udp:
    description: The same for UDP.
    type: str
  sctp:
    description: The same for SCTP.
    type: str
  fwmark:
    description: Only the virtual service of this firewall mark, decimal or C(0x...).
    type: str
  ipv6:
    description: Whether I(fwmark) means packets of IPv6.
    type: bool
    default: false
  allow_empty:
    description:
      - Whether there may be no rules at all, which removes every service of the table or the part.
      - By default that is an error, since a variable that nobody has set is empty, too.
    type: bool
    default: false
  netns:
    description: Work in this network namespace, a name of C(ip netns) or a path.
    type: str
  executable:
    description: The program, by name or path.
    type: str
    default: ipvsadm
attributes:
  check_mode:
    support: full
    description: The kernel is asked what would change, and nothing is changed.
  diff_mode:
    support: full
    description: The commands that make the change.
"""

EXAMPLES = r"""
- name: The whole table
  ipvsadm.ipvs.ipvs_table:
    src: /etc/ipvsadm.rules

- name: All services at one address, and nothing else
  ipvsadm.ipvs.ipvs_table:
    vip: 192.0.2.1
    rules:
      - -A -t 192.0.2.1:80 -s wrr
      - -a -t 192.0.2.1:80 -r 10.0.0.11:8080 -m -w 3
      - -a -t 192.0.2.1:80 -r 10.0.0.12:8080 -m -w 1
"""

RETURN = r"""
commands:
  description: What was changed, or would be, as commands of ipvsadm in their order.
  returned: always
  type: list
  elements: str
  sample: ["-d -t 192.0.2.1:80 -r 10.0.0.13:8080"]
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.ipvsadm.ipvs.plugins.module_utils.ipvsadm import (
    COMMON_ARGUMENTS,
    SERVICE_ARGUMENTS,
    SERVICE_OPTIONS,
    Ipvsadm,
    check_words,
    service_words,
)


def rules(module):
    """The rules as a text."""
    path = module.params["src"]
    if path is None:
        return "".join(line.rstrip("\n") + "\n" for line in module.params["rules"])
    try:
        with open(path, "rb") as file:
            return file.read()
    except (IOError, OSError) as error:
        module.fail_json(msg="%s: %s" % (path, error.strerror))


def is_empty(text):
    """Whether there is not one rule in it."""
    if not isinstance(text, bytes):
        text = text.encode("utf-8")
    lines = [line.strip() for line in text.splitlines()]
    return not [line for line in lines if line and not line.startswith(b"#")]


def main():
    module = AnsibleModule(
        argument_spec=dict(
            rules=dict(type="list", elements="str"),
            src=dict(type="path"),
            vip=dict(type="str"),
            allow_empty=dict(type="bool", default=False),
            **dict(SERVICE_ARGUMENTS, **COMMON_ARGUMENTS)
        ),
        mutually_exclusive=[["rules", "src"], ["vip"] + list(SERVICE_OPTIONS)],
        required_one_of=[["rules", "src"]],
        supports_check_mode=True,
    )
    ipvsadm = Ipvsadm(module)
    check_words(module, dict(vip=module.params["vip"]))
    part = service_words(module)
    if module.params["vip"] is not None:
        part = ["--vip", module.params["vip"]]
    text = rules(module)
    if is_empty(text):
        if not module.params["allow_empty"]:
            module.fail_json(msg="there are no rules; allow_empty=true removes all services")
        # ipvsadm takes input without a byte for that of a command that failed.
        text = "\n"
    ipvsadm.change(["-R", "--replace"] + part, text)


if __name__ == "__main__":
    main()
