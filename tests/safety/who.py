#!/usr/bin/env python3
"""Who is connected: real traffic from many addresses, and a count of our own.

who.py IPVSADM opens connections through virtual services that it sets up, asks
IPVSADM for some of them in many ways, and compares each answer with what
/proc/net/ip_vs_conn says, read here by other code: called as it is, from another
network namespace with --netns, and with --watch. Prints how many answers were
right; the exit status is 1 at the first that is not. With --quietly it asks
nothing.
"""

import collections
import functools
import ipaddress
import itertools
import json
import os
import re
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
-A -t 10.0.9.1:21 -s rr
-a -t 10.0.9.1:21 -r 10.0.9.2:21 -m
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


def passive_ftp():
    """A server that waits for the data connection of a client: the kernel does
    not know the client's port yet."""
    with socket.create_server(("10.0.9.2", 21)) as listener:
        client = connect(("10.0.9.1", 21), "10.244.0.1")
        server, _ = listener.accept()
    kept.append(server)
    # The kernel passes over the first packets.
    server.sendall(b"220 Who is there?\r\n")
    client.recv(100)
    client.sendall(b"PASV\r\n")
    server.recv(100)
    server.sendall(b"227 Entering Passive Mode (10,0,9,2,19,137).\r\n")
    if b"(10,0,9,1,19,137)" not in client.recv(100):
        sys.exit("the kernel does not know FTP")


def traffic():
    subprocess.run(["modprobe", "ip_vs_ftp"], check=True)
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
    passive_ftp()


# --- what the kernel says ----------------------------------------------------

class Row(collections.namedtuple("Row", "protocol client service server state")):
    def is_template(self):
        return self.state in ("NONE", "ASSURED") and self.client.port == 0


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


def plainly(words):
    return [IPVSADM, *words], lambda said: [said]


def from_elsewhere(words):
    netns = f"/proc/{os.getpid()}/ns/net"
    return ["unshare", "--net", IPVSADM, *words, "--netns", netns], lambda said: [said]


def twice(words):
    """Two listings, each after its time and before an empty line; or two lines."""

    def listings(said):
        if said.startswith("{"):
            return said.splitlines()
        return [text.removesuffix("\n") for text in re.split(r"(?m)^20\S+Z\n", said)[1:]]

    return [IPVSADM, *words, "--watch", "0.01", "--samples", "2"], listings


HOWS = plainly, from_elsewhere, twice


def settled(*words, how=plainly):
    """The answers to `words`, and the rows before and after them if they are the same."""
    line, answers = how(words)
    for _ in range(50):
        before = raw()
        run = subprocess.run(line, capture_output=True, text=True, check=True)
        if run.stderr:
            sys.exit(f"{line}: {run.stderr}")
        if raw() == before:
            found = answers(run.stdout)
            if len(found) != (2 if how is twice else 1):
                sys.exit(f"{line}: {run.stdout}")
            return found, parsed(before)
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
    "--client 10.242.7.7/16": lambda r: net("10.242.0.0/16")(r.client),
    "--client 10.242.3.0/24:0": lambda r: net("10.242.3.0/24")(r.client) and r.client.port == 0,
    "--client 0.0.0.0/0": lambda r: r.client.address.version == 4,
    "--client ::/0": lambda r: r.client.address.version == 6,
    "--client 2001:db8:1:2::7/64": lambda r: net("2001:db8:1:2::/64")(r.client),
    "--client [2001:db8:1:2::]/64:20002": lambda r: net("2001:db8:1:2::/64")(r.client)
    and r.client.port == 20002,
    "--state established": lambda r: r.state == "ESTABLISHED",
    "--state udp,SYN_RECV": lambda r: r.state in ("UDP", "SYN_RECV"),
    "--state init1,init": lambda r: r.state in ("INIT1", "INIT"),
    "--state none,assured": lambda r: r.state in ("NONE", "ASSURED"),
    "--state listen": lambda r: r.state == "LISTEN",
    "--state udp --client 10.242.0.0/20 -r 10.251.0.2 -u 10.0.9.1:53": lambda r: r.state == "UDP"
    and r.protocol == "UDP"
    and net("10.242.0.0/20")(r.client)
    and at("10.251.0.2")(r.server)
    and at("10.0.9.1", 53)(r.service),
}

# Those that let nothing through.
EMPTY = "-t 10.9.9.9:80", "-r 10.0.9.2:80 -t 10.0.9.1:80"


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


TOPS = {
    "": [None, 1, 3],
    "-u 10.0.9.1:0": [None, 100_000],
    "-t 10.9.9.9:80": [None],
    "--client ::/0": [None],
}


def counted(rows, keys):
    """Lines in their order: connections, templates, words."""
    counts = collections.defaultdict(lambda: [0, 0])
    for row in rows:
        parts = [KEYS[key](row) for key in keys.split(",")]
        words = tuple(itertools.chain.from_iterable(part[1] for part in parts))
        rank = tuple(part[0] for part in parts)
        counts[rank, words][row.is_template()] += 1
    lines = sorted(counts.items(), key=lambda item: ([-n for n in item[1]], item[0][0]))
    return [[*map(str, numbers), *words] for (_, words), numbers in lines]


def compare(words, found, wanted):
    if found != wanted:
        pairs = itertools.zip_longest(found, wanted)
        differing = [f"  {a}\n  {b}" for a, b in pairs if a != b]
        sys.exit("\n".join([f"{words}: found, wanted:", *differing[:10]]))


def told(keys, document):
    """The rows of a document, as the words of `counted`."""

    def end(row, name):
        return shown(endpoint_of(row, name))

    def words(row, key):
        key = key.split("/")[0]
        if key == "client":
            length = row["client_prefix_length"]
            return [row["client_address"] + (f"/{length}" if length is not None else "")]
        if key == "service":
            return [row["protocol"].upper(), end(row, "virtual")]
        return [{"server": lambda: end(row, "server")}.get(key, lambda: row[key].upper())()]

    for row in document["counts"]:
        parts = (words(row, key) for key in keys.split(","))
        yield [str(row["connections"]), str(row["templates"]), *itertools.chain(*parts)]


def endpoint_of(row, name):
    return Endpoint(ipaddress.ip_address(row[f"{name}_address"]), row[f"{name}_port"])


def rows_of(document):
    for row in document["connections"]:
        ends = (endpoint_of(row, name) for name in ("client", "virtual", "server"))
        yield Row(row["protocol"].upper(), *ends, row["state"]), row["template"]


def total(lines):
    return [str(sum(int(line[i]) for line in lines)) for i in (0, 1)]


def check_rows(words, keep, how):
    def ask(*options):
        answers, rows = settled(*options, *words.split(), how=how)
        rows = [row for row in rows if keep(row)]
        if not rows and words not in EMPTY:
            sys.exit(f"{words}: there are none")
        return answers, rows

    ends = lambda r: [r.protocol, r.state, shown(r.client), shown(r.service), shown(r.server)]
    texts, rows = ask("-Lcn")
    for text in texts:
        lines = [line.split() for line in text.splitlines()[2:]]
        found = sorted([line[0], *line[2:]] for line in lines)
        compare(words, found, sorted(map(ends, rows)))
    unnamed, rows = ask("-Lc")
    compare(words, [len(text.splitlines()) for text in unnamed], [len(rows) + 2] * len(texts))
    documents, rows = ask("-L", "-c", "--json")
    for document in documents:
        found = sorted(rows_of(json.loads(document)), key=str)
        compare(words, found, sorted([(row, row.is_template()) for row in rows], key=str))
    return 3 * len(texts)


def check_counts(words, keys, top, how):
    line = ["-L", "-c", "-n", *words.split(), "--by", keys, *(["--top", str(top)] if top else [])]

    def ask(*options):
        answers, rows = settled(*line, *options, how=how)
        wanted = counted(filter(FILTERS[words], rows), keys)
        return answers, wanted[:top], wanted[top:] if top else [], total(wanted)

    texts, largest, rest, all_of_them = ask()
    for text in texts:
        found = [line.split() for line in text.splitlines()[1:]]
        compare(line, found.pop(), [*all_of_them, "total"])
        if rest:
            rows_left = ["the", "rest,", str(len(rest)), "row" if len(rest) == 1 else "rows"]
            compare(line, found.pop(), [*total(rest), *rows_left])
        compare(line, found, largest)
    documents, largest, rest, all_of_them = ask("--json")
    for document in map(json.loads, documents):
        compare(line, list(told(keys, document)), largest)
        numbers = [str(n) for n in (document["rest"] or {}).values()]
        compare(line, numbers, [str(len(rest)), *total(rest)] if rest else [])
        compare(line, [str(n) for n in document["total"].values()], all_of_them)
    return 2 * len(texts)


def check():
    answers = 0
    for words, keep in FILTERS.items():
        answers += sum(check_rows(words, keep, how) for how in HOWS)
    for words in TOPS:
        for keys, top in itertools.product(KEYS_AT_ONCE, TOPS[words]):
            # Longer than an address of that service, which is refused.
            if keys == "client/64" and "10." in words:
                continue
            answers += check_counts(words, keys, top, plainly)
    for keys in KEYS_AT_ONCE:
        for how in HOWS[1:]:
            answers += check_counts("", keys, 3, how)
    print(answers, "answers")


traffic()
if sys.argv[2:] != ["--quietly"]:
    check()
