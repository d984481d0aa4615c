# SPDX-License-Identifier: MIT OR Apache-2.0
"""What the modules of this collection share: running ipvsadm, and its answer.

ipvsadm itself finds out what has to be changed, in the kernel and at once: nothing
here compares or remembers anything.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import json

# The words that select one virtual service, as arguments of a module.
SERVICE_ARGUMENTS = dict(
    tcp=dict(type="str"),
    udp=dict(type="str"),
    sctp=dict(type="str"),
    fwmark=dict(type="str"),
    ipv6=dict(type="bool", default=False),
)

# What else the modules share.
COMMON_ARGUMENTS = dict(
    netns=dict(type="str"),
    executable=dict(type="str", default="ipvsadm"),
)

SERVICE_OPTIONS = dict(tcp="-t", udp="-u", sctp="--sctp-service", fwmark="-f")


def check_words(module, values):
    """Ends the module where a value is no single word.

    One that is empty, as a variable is that nobody has set, would say something else
    than what was meant, and one with a blank would be two words in a rule.
    """
    for name, value in sorted(values.items()):
        if value is not None and (value == "" or value.split() != [value]):
            module.fail_json(msg="%s: %r is not one word" % (name, value))


def service_words(module):
    """The words that name the virtual service of a module's arguments, if any does."""
    params = module.params
    check_words(module, dict((name, params[name]) for name in SERVICE_OPTIONS))
    for name, option in sorted(SERVICE_OPTIONS.items()):
        if params[name] is not None:
            family = ["-6"] if name == "fwmark" and params["ipv6"] else []
            return [option, params[name]] + family
    return []


class Ipvsadm(object):
    """The program, and where it works."""

    def __init__(self, module):
        self.module = module
        # In PATH first, and then where system programs are.
        self.path = module.get_bin_path(module.params["executable"], required=True)
        check_words(module, dict(netns=module.params["netns"]))
        netns = module.params["netns"]
        self.netns = ["--netns", netns] if netns is not None else []
        version = self.run(["--version"])[1]
        if "rust" not in version:
            module.fail_json(
                msg="%s is C ipvsadm, which cannot say what it changed: these modules "
                "need ipvsadm in Rust" % self.path,
                version=version,
            )

    def run(self, words, rules=None):
        return self.module.run_command([self.path] + words, data=rules, binary_data=True)

    def change(self, words, rules=None):
        """Has it change the table, or say how it would; ends the module."""
        words = self.netns + words + ["--json"]
        if self.module.check_mode:
            words.append("--dry-run")
        status, stdout, stderr = self.run(words, rules)
        try:
            answer = json.loads(stdout)
        except ValueError:
            answer = None
        commands = (answer or {}).get("commands", [])
        result = dict(changed=bool(commands), commands=commands)
        # 1 is the answer that something would change, not a failure.
        if answer is None or status not in ((0, 1) if self.module.check_mode else (0,)):
            message = stderr.strip() or "%s: exit status %d" % (self.path, status)
            self.module.fail_json(
                msg=message, rc=status, cmd=[self.path] + words, stdin=rules, **result
            )
        if self.module._diff:
            lines = ["+ ipvsadm %s\n" % command for command in commands]
            result["diff"] = dict(prepared="".join(lines))
        self.module.exit_json(**result)
