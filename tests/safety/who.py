#!/usr/bin/env python3
"""Who is connected: real traffic from many addresses, and a count of our own.

who.py IPVSADM opens connections through virtual services that it sets up, asks
IPVSADM for some of them in many ways, and compares each answer with what
/proc/net/ip_vs_conn says, read here by other code. With --quietly it asks nothing. Prints how many answers were
right; the exit status is 1 at the first that is not.
"""

import collections
import functools
import ipaddress
import itertools
import json
import select
import socket
import struct
import subprocess
import sys

IPVSADM = sys.argv[1]
RULES = """\
--set 0 0 86400
-A -t 10.0.9.1:80 -s rr
-a -t 10.0.9.1:80 -r 10.0.9.2:8080 -m
-a -t 10.0.9.1:80 -r 10.0.9.3:8080 -m
-A -t 10.0.9.1:81 -s rr
-a -t 10.0.9.1:81 -r 10.251.0.2:8080 -m
-A -u 10.0.9.1:53 -s rr
-a -u 10.0.9.1:53 -r 10.251.0.2:53 -m
-a -u 10.0.9.1:53 -r 10.251.0.3:5353 -m
-A -u 10.0.9.1:69 -s rr -p 6000 -M 255.255.255.0
-a -u 10.0.9.1:69 -r 10.251.0.2:69 -m
-A -u [2001:db8::1]:53 -s rr
-a -u [2001:db8::1]:53 -r [2001:db8:2::2]:53 -m
-A -f 5 -s rr -p 6000
-a -f 5 -r 10.251.0.3:0 -m
-A --sctp-service 10.0.9.1:9 -s rr
-a --sctp-service 10.0.9.1:9 -r 10.251.0.2:9 -m
"""
IPV6_FREEBIND, IPV6_PKTINFO, IP_PKTINFO, SO_MARK = 78, 50, 8, 36
kept = []


def datagrams(service, sources, mark=0):
    """One from each source; two ports alternate."""
    family = socket.AF_INET6 if ":" in service[0] else socket.AF_INET
    senders = []
    for port in 20001, 20002:
        sender = socket.socket(family, socket.SOCK_DGRAM)
        if family == socket.AF_INET6:
            sender.setsockopt(socket.IPPROTO_IPV6, IPV6_FREEBIND, 1)
        sender.setsockopt(socket.SOL_SOCKET, SO_MARK, mark)
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sender.bind(("", port))
        senders.append(sender)
    for sender, source in zip(itertools.cycle(senders), sources):
        address = ipaddress.ip_address(source).packed
        if family == socket.AF_INET6:
            info = socket.IPPROTO_IPV6, IPV6_PKTINFO, address + struct.pack("@i", 0)
        else:
            info = socket.IPPROTO_IP, IP_PKTINFO, struct.pack("@i4s4s", 0, address, bytes(4))
        sender.sendmsg([b"x"], [info], 0, service)


def connect(service, source, protocol=socket.IPPROTO_TCP, wait=True):
    client = socket.socket(socket.AF_INET, socket.SOCK_STREAM, protocol)
    client.bind((source, 0))
    client.settimeout(10)
    client.setblocking(wait)
    try:
        client.connect(service)
    except BlockingIOError:
        pass
    kept.append(client)
    return client


def traffic():
    subprocess.run([IPVSADM, "-R"], input=RULES, text=True, check=True)
    listeners = [socket.create_server((f"10.0.9.{n}", 8080), backlog=128) for n in (2, 3)]
    for number in range(40):
        client = connect(("10.0.9.1", 80), f"10.240.{number % 3}.{number % 7 + 1}")
        ready, _, _ = select.select(listeners, [], [], 10)
        server, _ = ready[0].accept()
        kept.append(server)
        if number % 4 == 0:
            client.close()
            server.close()
    for number in range(9):
        connect(("10.0.9.1", 81), f"10.241.0.{number + 1}", wait=False)
    hosts = [f"10.242.{n % 5}.{n % 31 + 1}" for n in range(180)]
    datagrams(("10.0.9.1", 53), hosts)
    datagrams(("10.0.9.1", 69), hosts[:50])
    datagrams(("10.0.9.1", 9999), hosts[:20], mark=5)
    datagrams(("2001:db8::1", 53), [f"2001:db8:1:{n % 3}::{n % 17:x}" for n in range(1, 100)])
    for number in range(5):
        connect(("10.0.9.1", 9), f"10.243.0.{number + 1}", socket.IPPROTO_SCTP, wait=False)


# --- what the kernel says ----------------------------------------------------

Row = collections.namedtuple("Row", "protocol client service server state")
Endpoint = collections.namedtuple("Endpoint", "address port")


@functools.cache
def endpoint(address, port):
    if ":" not in address:
        address = int(address, 16)
    return Endpoint(ipaddress.ip_address(address), int(port, 16))


def raw():
    """All rows, sorted, without their time."""
    with open("/proc/net/ip_vs_conn", encoding="ascii") as file:
        return sorted({tuple(line.split()[:8]) for line in list(file)[1:]})


def parsed(lines):
    rows = {}
    for p, ca, cp, va, vp, da, dp, state in lines:
        ends = endpoint(ca, cp), endpoint(va, vp), endpoint(da, dp)
        rows[p, ends] = Row(p, *ends, state)
    return list(rows.values())


def settled(*words):
    """The answer to `words`, and the rows before and after it if they are the same."""
    for _ in range(50):
        before = raw()
        run = subprocess.run([IPVSADM, *words], capture_output=True, text=True, check=True)
        if run.stderr:
            sys.exit(f"{words}: {run.stderr}")
        if raw() == before:
            return run.stdout, parsed(before)
    sys.exit("the table never rests")


# --- what is asked -----------------------------------------------------------


def net(text):
    return lambda end: end.address in ipaddress.ip_network(text)


def at(address, port=0):
    address = ipaddress.ip_address(address)
    return lambda end: end.address == address and port in (0, end.port)


FILTERS = {
    "": lambda r: True,
    "-t 10.0.9.1:80": lambda r: r.protocol == "TCP" and at("10.0.9.1", 80)(r.service),
    "-t 10.0.9.1": lambda r: r.protocol == "TCP" and at("10.0.9.1")(r.service),
    "-u 10.0.9.1:53": lambda r: r.protocol == "UDP" and at("10.0.9.1", 53)(r.service),
    "-u 10.0.9.1:0": lambda r: r.protocol == "UDP" and at("10.0.9.1")(r.service),
    "-u [2001:db8::1]:53": lambda r: r.protocol == "UDP" and at("2001:db8::1", 53)(r.service),
    "--sctp-service 10.0.9.1:9": lambda r: r.protocol == "SCTP",
    "-t 10.9.9.9:80": lambda r: False,
    "-r 10.251.0.2": lambda r: at("10.251.0.2")(r.server),
    "-r 10.251.0.3:5353": lambda r: at("10.251.0.3", 5353)(r.server),
    "-r [2001:db8:2::2]:53": lambda r: at("2001:db8:2::2", 53)(r.server),
    "-t 10.0.9.1:80 -r 10.0.9.2": lambda r: at("10.0.9.1", 80)(r.service) and at("10.0.9.2")(r.server),
    "-r 10.0.9.2:80 -t 10.0.9.1:80": lambda r: False,
    "--client 10.242.1.2": lambda r: at("10.242.1.2")(r.client),
    "--client 10.242.1.2:20001": lambda r: at("10.242.1.2", 20001)(r.client),
    "--client 10.242.0.0/16": lambda r: net("10.242.0.0/16")(r.client),
    "--client 10.242.3.0/24:0": lambda r: net("10.242.3.0/24")(r.client) and r.client.port == 0,
    "--client 0.0.0.0/0": lambda r: r.client.address.version == 4,
    "--client ::/0": lambda r: r.client.address.version == 6,
    "--client 2001:db8:1:2::/64": lambda r: net("2001:db8:1:2::/64")(r.client),
    "--client [2001:db8:1:2::]/64:20002": lambda r: net("2001:db8:1:2::/64")(r.client)
    and r.client.port == 20002,
    "--state established": lambda r: r.state == "ESTABLISHED",
    "--state udp,SYN_RECV": lambda r: r.state in ("UDP", "SYN_RECV"),
    "--state init1,init": lambda r: r.state in ("INIT1", "INIT"),
    "--state none,assured": lambda r: r.state in ("NONE", "ASSURED"),
    "--state udp --client 10.242.0.0/20 -r 10.251.0.2 -u 10.0.9.1:53": lambda r: r.state == "UDP"
    and r.protocol == "UDP"
    and net("10.242.0.0/20")(r.client)
    and at("10.251.0.2")(r.server)
    and at("10.0.9.1", 53)(r.service),
}


def client(length=None):
    def key(row):
        address = row.client.address
        text, most = str(address), address.max_prefixlen
        if length is not None and length < most:
            network = ipaddress.ip_network((address, length), strict=False)
            address, text = network.network_address, str(network)
        return (address.version, address.packed), [text]

    return key


def shown(end):
    host = f"[{end.address}]" if end.address.version == 6 else str(end.address)
    return f"{host}:{end.port}"


def order(end):
    return end.address.version, end.address.packed, end.port


KEYS = {
    "service": lambda r: ((*order(r.service), r.protocol), [r.protocol, shown(r.service)]),
    "server": lambda r: (order(r.server), [shown(r.server)]),
    "client": client(),
    "client/24": client(24),
    "client/64": client(64),
    "client/0": client(0),
    "state": lambda r: (r.state, [r.state]),
    "protocol": lambda r: (r.protocol, [r.protocol]),
}
KEYS_AT_ONCE = [
    *KEYS,
    "service,state",
    "state,service",
    "client,server",
    "protocol,client/24,service,server,state",
]


TOPS = {"": [None, 1, 3], "-u 10.0.9.1": [None, 100_000]}


def counted(rows, keys):
    """Lines in their order: connections, templates, words."""
    counts = collections.defaultdict(lambda: [0, 0])
    for row in rows:
        parts = [KEYS[key](row) for key in keys.split(",")]
        words = tuple(itertools.chain.from_iterable(part[1] for part in parts))
        rank = tuple(part[0] for part in parts)
        counts[rank, words][row.client.port == 0] += 1
    lines = sorted(counts.items(), key=lambda item: ([-n for n in item[1]], item[0][0]))
    return [[*map(str, numbers), *words] for (_, words), numbers in lines]


def compare(words, found, wanted):
    if found != wanted:
        pairs = itertools.zip_longest(found, wanted)
        differing = [f"  {a}\n  {b}" for a, b in pairs if a != b]
        sys.exit("\n".join([f"{words}: found, wanted:", *differing[:10]]))


def total(lines):
    return [str(sum(int(line[i]) for line in lines)) for i in (0, 1)]


def check():
    answers = 0
    for words, keep in FILTERS.items():
        text, rows = settled("-Lcn", *words.split())
        rows = [row for row in rows if keep(row)]
        lines = [line.split() for line in text.splitlines()[2:]]
        ends = lambda r: [r.protocol, r.state, shown(r.client), shown(r.service), shown(r.server)]
        found = sorted([line[0], *line[2:]] for line in lines)
        compare(words, found, sorted(map(ends, rows)))
        unnamed, _ = settled("-Lc", *words.split())
        compare(words, [len(unnamed.splitlines())], [len(rows) + 2])
        document, _ = settled("-L", "-c", "--json", *words.split())
        found = [(r["client_port"], r["template"]) for r in json.loads(document)["connections"]]
        wanted = [(row.client.port, row.client.port == 0) for row in rows]
        compare(words, sorted(found), sorted(wanted))
        if not rows and words not in ("-t 10.9.9.9:80", "-r 10.0.9.2:80 -t 10.0.9.1:80"):
            sys.exit(f"{words}: there are none")
        answers += 3
    for words in "", "-u 10.0.9.1", "-t 10.9.9.9:80", "--client ::/0":
        for keys, top in itertools.product(KEYS_AT_ONCE, TOPS.get(words, [None])):
            if keys == "client/64" and words.startswith("-"):
                continue
            tops = ["--top", str(top)] if top else []
            line = ["-L", "-c", "-n", *words.split(), "--by", keys, *tops]
            text, rows = settled(*line)
            wanted = counted(filter(FILTERS.get(words, FILTERS["-u 10.0.9.1:0"]), rows), keys)
            found = [line.split() for line in text.splitlines()[1:]]
            compare(line, found.pop(), [*total(wanted), "total"])
            shown_rows, rest = wanted[:top], wanted[top:] if top else []
            if rest:
                rows_left = ["the", "rest,", str(len(rest)), "row" if len(rest) == 1 else "rows"]
                compare(line, found.pop(), [*total(rest), *rows_left])
            compare(line, found, shown_rows)
            document, _ = settled(*line, "--json")
            document = json.loads(document)
            numbers = [[str(n["connections"]), str(n["templates"])] for n in document["counts"]]
            compare(line, numbers, [row[:2] for row in shown_rows])
            compare(line, document["rest"] is None, not rest)
            compare(line, [str(n) for n in document["total"].values()], total(wanted))
            answers += 2
    print(answers, "answers")


traffic()
if sys.argv[2:] != ["--quietly"]:
    check()
