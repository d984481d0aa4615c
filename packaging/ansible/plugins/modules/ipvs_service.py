#!/usr/bin/python
# SPDX-License-Identifier: MIT OR Apache-2.0

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
---
module: ipvs_service
short_description: A virtual service of IPVS with its real servers
description:
  - Adds, edits or removes a virtual service of the Linux Virtual Server (IPVS) and its real servers.
  - Only what differs from the kernel's table is changed, and connections of servers that stay go on.
  - What is not said has the value that it has where C(ipvsadm -A) or C(ipvsadm -a) does not say it.
version_added: "1.0.0"
author:
  - The ipvsadm in Rust authors (@ipvsadm)
requirements:
  - ipvsadm in Rust on the managed machine
options:
  tcp:
    description: The virtual service, TCP at this C(address:port); IPv6 as C([address]:port).
    type: str
  udp:
    description: The same for UDP.
    type: str
  sctp:
    description: The same for SCTP.
    type: str
  fwmark:
    description: The virtual service of packets with this firewall mark, decimal or C(0x...).
    type: str
  ipv6:
    description: Whether I(fwmark) means packets of IPv6.
    type: bool
    default: false
  scheduler:
    description: How servers are chosen, as C(wrr). C(wlc) if it is not said.
    type: str
  flags:
    description: Flags of the scheduler, as C(sh-port).
    type: list
    elements: str
    default: []
  persistence:
    description: For so many seconds, a client stays with its server.
    type: int
  netmask:
    description: Clients of the same network, of this mask or length, are one to I(persistence).
    type: str
  persistence_engine:
    description: Tells clients apart, as C(sip).
    type: str
  one_packet:
    description: Whether each packet of UDP is scheduled on its own.
    type: bool
    default: false
  servers:
    description: The real servers.
    type: list
    elements: dict
    default: []
    suboptions:
      address:
        description: The server, as C(address:port). The service's port if it has none.
        type: str
        required: true
      forwarding:
        description: How packets reach it.
        type: str
        choices: [direct, tunnel, masquerading]
        default: direct
      weight:
        description: Its share; 0 takes no new connections.
        type: int
        default: 1
      upper_threshold:
        description: It gets no new connections above so many. 0 is no limit.
        type: int
        default: 0
      lower_threshold:
        description: It gets new ones again below so many.
        type: int
        default: 0
      tunnel_type:
        description: What kind of tunnel, where I(forwarding=tunnel). C(ipip) if it is not said.
        type: str
        choices: [ipip, gue, gre]
      tunnel_port:
        description: The port of a tunnel of type C(gue).
        type: int
  exact_servers:
    description: Whether servers of the service that I(servers) does not name are removed.
    type: bool
    default: false
  state:
    description: Whether the service is there. Without it, its servers are not there either.
    type: str
    choices: [present, absent]
    default: present
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
- name: A web service with two servers, and no others
  ipvsadm.ipvs.ipvs_service:
    tcp: 192.0.2.1:80
    scheduler: wrr
    servers:
      - address: 10.0.0.11:8080
        forwarding: masquerading
        weight: 3
      - address: 10.0.0.12:8080
        forwarding: masquerading
    exact_servers: true

- name: One more server, whoever else is there
  ipvsadm.ipvs.ipvs_service:
    tcp: 192.0.2.1:80
    scheduler: wrr
    servers:
      - address: 10.0.0.13:8080
        forwarding: masquerading

- name: No such service
  ipvsadm.ipvs.ipvs_service:
    udp: "[2001:db8::1]:53"
    state: absent
"""

RETURN = r"""
commands:
  description: What was changed, or would be, as commands of ipvsadm in their order.
  returned: always
  type: list
  elements: str
  sample: ["-e -t 192.0.2.1:80 -r 10.0.0.11:8080 -m -w 3"]
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

FORWARDING = dict(direct="-g", tunnel="-i", masquerading="-m")

SERVER_ARGUMENTS = dict(
    address=dict(type="str", required=True),
    forwarding=dict(type="str", choices=["direct", "tunnel", "masquerading"], default="direct"),
    weight=dict(type="int", default=1),
    upper_threshold=dict(type="int", default=0),
    lower_threshold=dict(type="int", default=0),
    tunnel_type=dict(type="str", choices=["ipip", "gue", "gre"]),
    tunnel_port=dict(type="int"),
)


def named(option, value):
    """The words of an option, if it has a value."""
    return [] if value is None else [option, str(value)]


def service_rule(module, service):
    params = module.params
    words = ["scheduler", "netmask", "persistence_engine"]
    check_words(module, dict((name, params[name]) for name in words))
    for flag in params["flags"]:
        check_words(module, dict(flags=flag))
    rule = ["-A"] + service + named("-s", params["scheduler"])
    rule += named("-p", params["persistence"]) + named("-M", params["netmask"])
    rule += named("--pe", params["persistence_engine"])
    rule += named("-b", ",".join(params["flags"]) or None)
    return rule + (["-o"] if params["one_packet"] else [])


def server_rule(module, service, server):
    check_words(module, dict(address=server["address"]))
    rule = ["-a"] + service + ["-r", server["address"], FORWARDING[server["forwarding"]]]
    rule += ["-w", str(server["weight"])]
    rule += ["-x", str(server["upper_threshold"]), "-y", str(server["lower_threshold"])]
    rule += named("--tun-type", server["tunnel_type"])
    return rule + named("--tun-port", server["tunnel_port"])


def main():
    module = AnsibleModule(
        argument_spec=dict(
            scheduler=dict(type="str"),
            flags=dict(type="list", elements="str", default=[]),
            persistence=dict(type="int"),
            netmask=dict(type="str"),
            persistence_engine=dict(type="str"),
            one_packet=dict(type="bool", default=False),
            servers=dict(type="list", elements="dict", default=[], options=SERVER_ARGUMENTS),
            exact_servers=dict(type="bool", default=False),
            state=dict(type="str", choices=["present", "absent"], default="present"),
            **dict(SERVICE_ARGUMENTS, **COMMON_ARGUMENTS)
        ),
        mutually_exclusive=[list(SERVICE_OPTIONS)],
        required_one_of=[list(SERVICE_OPTIONS)],
        supports_check_mode=True,
    )
    ipvsadm = Ipvsadm(module)
    service = service_words(module)
    if module.params["state"] == "absent":
        ipvsadm.change(["-D"] + service + ["--ensure"])
    rules = [service_rule(module, service)]
    rules += [server_rule(module, service, server) for server in module.params["servers"]]
    text = "".join(" ".join(rule) + "\n" for rule in rules)
    if module.params["exact_servers"]:
        ipvsadm.change(["-R", "--replace"] + service, text)
    ipvsadm.change(["-R", "--ensure"], text)


if __name__ == "__main__":
    main()
