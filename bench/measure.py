"""Measures two ipvsadms against each other; runs in the lab's machine.

See bench, which calls it. Where count.c is loaded into the machine a cost is a
number of executed instructions (in millions); where it is not, a time (in ms).
"""

import argparse
import collections
import ctypes
import os
import platform
import re
import socket
import statistics
import struct
import subprocess
import sys
import time

REFERENCE = "/sbin/ipvsadm"
OURS = "/tmp/ours/ipvsadm"
PROGRAMS = REFERENCE, OURS
COMMANDS = 100

# Counters are off in fresh_network, which is a warning, and all else is sound.
CHECKED = """\
link add bench type dummy
link set bench up
addr add 10.200.0.1/8 dev bench
route add local 10.0.0.0/16 dev lo
"""

Run = collections.namedtuple("Run", "cost user memory")


class Bench:
    def __init__(self, options):
        self.options = options
        self.counted = os.path.exists(options.counts)
        self.results = []
        self.notes = []

    def launch(self, program, *words, times=1, rules="/dev/null", output="/dev/null", tries=3, status=0):
        """What one run costs: of all, or of user space alone; its memory in KiB."""
        launch = [self.options.launch, "-c", self.options.counts, "-n", str(times), "-i", rules]
        launch += ["-o", output, program, *words]
        for _ in range(tries):
            line = subprocess.run(launch, check=True, capture_output=True, text=True).stdout
            ended, time, memory, user, kernel = map(int, line.split())
            if ended == status:
                break
            # The reference fails now and then while nothing is wrong.
            print(f"{program} {' '.join(words)}: status {ended}", file=sys.stderr)
        else:
            sys.exit("giving up")
        if self.counted:
            return Run((user + kernel) / times / 1e6, user / times / 1e6, memory)
        return Run(time / times / 1e6, 0, memory)

    def measure(
        self, name, *words, theirs=None, reference=None, before=None, own_before=None, rounds=None, **how
    ):
        """Both programs in turn, `before` each run of each. `theirs` are the words
        for the reference where it does not know ours, `reference` what it has cost
        already, and `own_before` goes before ours where it needs another table.
        Returns the costs of both."""
        runs = {program: [] for program in PROGRAMS}
        if reference:
            runs[REFERENCE].append(reference)
        for _ in range(rounds or self.options.rounds):
            for program in PROGRAMS[1:] if reference else PROGRAMS:
                is_reference = program == REFERENCE
                prepare = before if is_reference else own_before or before
                if prepare:
                    prepare()
                said = theirs if theirs and is_reference else words
                runs[program].append(self.launch(program, *said, **how))
        medians = [Run(*map(statistics.median, zip(*runs[p]))) for p in PROGRAMS]
        self.results.append((name, *medians))
        print(f"  {name}: {medians[0].cost / medians[1].cost:.2f}", file=sys.stderr, flush=True)
        return medians

    def sample(self, name, *words):
        """What one more refresh costs a program of ours that watches, and how that
        compares with the command measured last."""

        def cost(samples):
            watch = ["--watch", "0.01", "--samples", str(samples)]
            runs = (self.launch(OURS, *words, *watch).cost for _ in range(self.options.rounds))
            return statistics.median(runs)

        one = (cost(6) - cost(1)) / 5
        last, _, ours = self.results[-1]
        quotient = number(one / ours.cost)
        self.notes.append(f"One more refresh of {name} --watch: {number(one)}, {quotient} times {last}.")

    def same(self, *words):
        """Both must do the same work; the reference's order is not stable."""
        lines = []
        for program in PROGRAMS:
            self.launch(program, *words, output="/tmp/output")
            with open("/tmp/output", encoding="ascii") as output:
                lines.append(sorted(re.sub(r" \d+:\d\d ", " ", line) for line in output))
        if lines[0] != lines[1]:
            sys.exit(f"{' '.join(words)}: the outputs differ")

    def commands(self):
        """What health checkers run all day."""
        clear()
        self.measure("-Z", "-Z", times=COMMANDS)
        self.measure("-A", "-A", "-t", "10.9.0.@:80", "-s", "wlc", times=COMMANDS, before=clear)
        some = lambda: restore(f"-A -t 10.9.0.{i + 1}:80\n" for i in range(COMMANDS))
        self.measure("-D", "-D", "-t", "10.9.0.@:80", times=COMMANDS, before=some)
        wrr = ["-A", "-t", "10.9.0.@:80", "-s", "wrr"]
        self.measure("-A -s wrr", *wrr, times=COMMANDS, before=clear)
        # What C ipvsadm does not have, against what it does instead.
        def instead(name, plain, *more, **how):
            self.measure(name, *plain, *more, theirs=plain, times=COMMANDS, **how)

        subprocess.run(["ip", "netns", "add", "bench"], check=True)
        instead("-Z --netns", ["-Z"], "--netns", "bench")
        subprocess.run(["ip", "netns", "delete", "bench"], check=True)
        add = ["-A", "-t", "10.9.0.@:80", "-s", "wlc"]
        instead("-A --ensure, service present", add, "--ensure", before=clear, own_before=some)
        server = ["-t", "10.9.0.@:80", "-r", "10.9.1.1:80", "-m"]
        full = lambda: (some(), self.launch(OURS, "-a", *server, times=COMMANDS))
        self.measure("-a", "-a", *server, times=COMMANDS, before=some)
        instead("-a --ensure, server present", ["-a", *server], "--ensure", before=some, own_before=full)
        self.measure("-e", "-e", *server, "-w", "@", times=COMMANDS, before=full)
        instead("-e --keep", ["-e", *server, "-w", "@"], "--keep", before=full)

    def tables(self, services):
        name = f"{services:,} x 4"
        path = f"/tmp/rules.{services}"
        with open(path, "w", encoding="ascii") as file:
            file.writelines(rules(services))
        self.measure(f"-R {name}", "-R", rules=path, before=fresh_network)
        fresh_network()
        self.launch(OURS, "-R", rules=path)
        for words in [["-Ln"], ["-Sn"], ["-Ln", "--stats"]]:
            self.same(*words)
            self.measure(f"{' '.join(words)} {name}", *words)
        for words in [["-Ln", "--stats"], ["-Ln", "--rate"], ["-Sn"]]:
            self.sample(" ".join(words), *words)
        for words in [["-L", "--json"], ["-L", "--openmetrics"]]:
            self.measure(f"{' '.join(words)} {name}", *words, theirs=["-Ln", "--stats"])
        os.unlink(path)
        self.check(name)
        fresh_network()

    def check(self, name):
        """--check, which only ours has, where every address has a way."""
        for words in CHECKED.splitlines():
            subprocess.run(["ip", *words.split()], check=True)
        with open("/proc/sys/net/ipv4/ip_forward", "w", encoding="ascii") as forward:
            forward.write("1")
        runs = [self.launch(OURS, "--check", status=1) for _ in range(self.options.rounds)]
        median = Run(*map(statistics.median, zip(*runs)))
        print(f"  --check {name}: {median.cost:.0f}, {median.user:.0f} user", file=sys.stderr, flush=True)

    def hosts(self, services):
        """A host that is in every service, against the commands that a script would
        need instead: all of them are ours."""
        if open_connections(10_000, ports=10) < 10_000:
            sys.exit("too few connections")
        host, idle = "10.251.0.8", "10.251.0.9"
        with open("/tmp/rules.hosts", "w", encoding="ascii") as file:
            for line in rules(services):
                server = re.sub(r"-r 10\.1\.\S+", f"-r {host}:80", line)
                file.write(re.sub(r"-r 10\.2\.\S+", f"-r {idle}:80", server))
        self.launch(OURS, "-R", rules="/tmp/rules.hosts")
        quiet = ["-e", "--all", "-r", host, "--keep", "-w", "0"]
        edits = subprocess.run([OURS, *quiet, "--dry-run"], capture_output=True, check=False).stdout
        with open("/tmp/rules.edits", "wb") as file:
            file.write(edits)
        back = lambda: subprocess.run([OURS, *quiet[:-1], "1"], check=True)
        cost = lambda *words, **how: self.launch(OURS, *words, **how).cost
        listing = cost("-Ln")
        self.compare(f"-Ln -r {host}", cost("-Ln", "-r", host), "-Ln", listing, 1.05)
        edit = cost(*quiet)
        back()
        lines = cost("-R", rules="/tmp/rules.edits")
        self.compare(" ".join(quiet), edit, "-Ln and -R of the edits", listing + lines, 1.1)
        # Nobody is connected to a host when two looks have found that. After one reading
        # of the servers, a look is one of the connections, which is made for those that
        # have closed, and one of the servers; without any connections it is the latter.
        def drain(server):
            words = [*quiet[:3], server, *quiet[4:]]
            cost(*words)
            return cost(*words, "--drain", "100", tries=1) - cost(*words)

        count = drain(idle) / 2
        close_connections(host, 2500)
        rows = cost("-Lcn")
        look = (drain(host) - count) / 2
        self.compare("a look of a drain", look, "-Lcn and -Ln", rows + listing, 1.1)

    def compare(self, name, cost, other, others, limit):
        """Two costs of ours, one of which is not to be more than `limit` of the other."""
        share = cost / others
        note = f"{name}: {number(cost)}, {share:.2f} of {other} ({number(others)}); the limit is {limit}."
        print(f"  {note}", file=sys.stderr, flush=True)
        self.notes.append(note)
        if self.counted and share > limit:
            sys.exit(f"{name} costs too much")

    def connections(self, count):
        table = self.open(count, ports=10)
        self.measure(f"-Lc --json {count:,}", "-Lc", "--json", **table)
        # Nothing of the table, and something for each client in it.
        for words in [["--client", "192.0.2.1"], ["--by", "client"], ["--by", "client", "--top", "20"]]:
            self.measure(f"-Lcn {' '.join(words)} {count:,}", "-Lcn", *words, **table)

    def clients(self, count):
        """As many clients as connections: what --by has to keep of each."""
        fresh_network()
        table = self.open(count, ports=1, of=f" of {count:,} clients")
        rows = self.results[-1][2]
        name = f"-Lcn --by client {count:,} of {count:,} clients"
        _, counts = self.measure(name, "-Lcn", "--by", "client", **table)
        kept = (counts.memory - rows.memory) * 1024 / count
        note = f"{name} takes {kept:.0f} bytes for each client"
        if self.counted:
            note += f", and {counts.user / rows.user:.2f} times the user instructions of -Lcn"
        self.notes.append(f"{note}.")

    def open(self, count, ports, of=""):
        """Opens connections and measures what it costs to list them; how to
        measure more of them."""
        made = open_connections(count, ports)
        if made < count:
            sys.exit(f"only {made} connections of {count}")
        self.same("-Lcn")
        # The old kernel reads the table once for each page.
        rounds = 1 if count > 20_000 else None
        reference, _ = self.measure(f"-Lcn {count:,}{of}", "-Lcn", rounds=rounds)
        return {"rounds": rounds, "reference": reference}


def fresh_network():
    """A network namespace that IPVS has not been used in, for all that follows.

    Clearing the table is not enough: for minutes the kernel keeps the servers
    that were in it, and looks through all of them when it adds one.
    """
    CLONE_NEWNET = 0x40000000
    if ctypes.CDLL(None).unshare(CLONE_NEWNET):
        sys.exit("no network namespace")
    # Without a local address every address is a wrong one.
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    # Its timer would count for whoever happens to be measured.
    with open("/proc/sys/net/ipv4/vs/run_estimation", "w", encoding="ascii") as estimation:
        estimation.write("0")
    # The namespace before this one is taken down in the background.
    while busy() > 0.1:
        pass


def busy():
    """What part of half a second the processor has work for."""
    before = idle()
    time.sleep(0.5)
    return 1 - (idle() - before) / (0.5 * os.sysconf("SC_CLK_TCK"))


def idle():
    with open("/proc/stat", encoding="ascii") as stat:
        return int(stat.readline().split()[4])


def clear():
    subprocess.run([OURS, "-C"], check=True)


def restore(lines):
    clear()
    subprocess.run([OURS, "-R"], input="".join(lines), text=True, check=True)


def rules(services):
    """Addresses that spread over the kernel's hash, whose key is their low bits."""
    for i in range(services):
        high, low = i >> 8, i & 255
        service = f"-t 10.0.{high}.{low}:80"
        yield f"-A {service} -s wlc\n"
        for server in range(4):
            yield f"-a {service} -r 10.{server + 1}.{high}.{low}:80 -m -w {server + 1}\n"


# --- connections -------------------------------------------------------------

SERVICE = "10.250.0.1", 5000


def open_connections(count, ports):
    """A packet from each of so many client addresses and ports, until there are so
    many connections; how many there are."""
    if not connected():
        ip = ["link add bench type dummy", "link set bench up", "link set lo up"]
        ip += ["addr add 10.251.0.1/16 dev bench", f"addr add {SERVICE[0]}/32 dev lo"]
        ip += ["route add local 10.240.0.0/13 dev lo"]
        for words in ip:
            subprocess.run(["ip", *words.split()], check=True)
        service = f"-u {SERVICE[0]}:{SERVICE[1]}"
        servers = (f"-a {service} -r 10.251.0.{i}:5000 -m\n" for i in range(2, 6))
        restore([f"-A {service} -s rr\n", *servers, "--set 0 0 86400\n"])
    senders = []
    for port in range(ports):
        sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sender.bind(("0.0.0.0", 20000 + port))
        senders.append(sender)
    for made in range(connected(), count):
        number, port = divmod(made, ports)
        source = struct.pack("!I", 0x0AF00000 + 256 + number)
        info = struct.pack("@i4s4s", 0, source, bytes(4))
        senders[port].sendmsg([b"x"], [(socket.IPPROTO_IP, 8, info)], 0, SERVICE)
    return connected()


def close_connections(server, count):
    """So many connections of a service of its own, which both ends have closed: the
    kernel takes a SYN and a FIN for that."""
    service, port = SERVICE[0], 5001
    at = f"-t {service}:{port}"
    rules = f"-A {at} -s rr\n-a {at} -r {server} -g\n"
    subprocess.run([OURS, "-R"], input=rules, text=True, check=True)
    sender = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)
    source = struct.pack("@i4s4s", 0, socket.inet_aton("10.240.0.1"), bytes(4))
    for client in range(count):
        for flags in 2, 1:
            header = struct.pack("!HHIIBBHHH", 1024 + client, port, 0, 0, 0x50, flags, 0, 0, 0)
            sender.sendmsg([header], [(socket.IPPROTO_IP, 8, source)], 0, (service, 0))
    # They count as open for five seconds.
    time.sleep(7)


def connected():
    """How many connections there have been in this namespace."""
    # The sums over all processors lag behind; there is only one.
    with open("/proc/net/ip_vs_stats_percpu", encoding="ascii") as stats:
        return int(stats.read().splitlines()[2].split()[1], 16)


def reads_once():
    """Whether the kernel goes on where a read ended; up to 6.12 it starts over."""
    return tuple(map(int, platform.release().split(".")[:2])) > (6, 12)


# --- results -----------------------------------------------------------------

HEAD = "command", "C ipvsadm", "ours", "ratio", "user, C", "ours", "ratio", "KiB, C", "ours"


def ratio(a, b):
    return f"{a / b:.2f}" if a / b < 10 else f"{a / b:.1f}"


def number(value):
    return f"{value:,.2f}" if value < 10 else f"{value:,.0f}"


def rows(results, counted):
    yield [word for i, word in enumerate(HEAD) if counted or not 4 <= i < 7]
    for name, theirs, ours in results:
        row = [name, number(theirs.cost), number(ours.cost), ratio(theirs.cost, ours.cost)]
        if counted:
            row += [number(theirs.user), number(ours.user), ratio(theirs.user, ours.user)]
        yield row + [f"{theirs.memory:,.0f}", f"{ours.memory:,.0f}"]


def table(lines):
    widths = [max(map(len, column)) for column in zip(*lines)]
    for first, *rest in lines:
        cells = (cell.rjust(width) for cell, width in zip(rest, widths[1:]))
        yield "  ".join([first.ljust(widths[0]), *cells])


def markdown(lines):
    head, *body = lines
    yield f"| {' | '.join(head)} |"
    yield "|---|" + "---:|" * (len(head) - 1)
    for first, *rest in body:
        yield f"| {first} | {' | '.join(rest)} |"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--launch", required=True)
    parser.add_argument("--counts", required=True)
    parser.add_argument("--ours", required=True)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--million", action="store_true")
    parser.add_argument("--only", default="commands,tables,connections,hosts")
    parser.add_argument("--out", required=True)
    options = parser.parse_args()
    # From memory, as the reference comes after its first run.
    os.makedirs(os.path.dirname(OURS), exist_ok=True)
    subprocess.run(["cp", options.ours, OURS], check=True)
    subprocess.run([OURS, "-Ln"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run([REFERENCE, "-Ln"], check=True, stdout=subprocess.DEVNULL)
    fresh_network()
    bench = Bench(options)
    if "commands" in options.only:
        bench.commands()
    if "tables" in options.only:
        for services in 1_000, 10_000:
            bench.tables(services)
    if "connections" in options.only:
        for count in [10_000, 100_000] + [1_000_000] * (options.million and reads_once()):
            bench.connections(count)
        bench.clients(100_000)
    if "hosts" in options.only:
        fresh_network()
        bench.hosts(10_000)
    what = "millions of executed instructions" if bench.counted else "wall clock, ms"
    lines = list(rows(bench.results, bench.counted))
    rounds = f"Medians of {options.rounds} runs (from 100,000 connections on: one), in {what}."
    title = f"Linux {platform.release()}"
    print(title, rounds, *table(lines), *bench.notes, sep="\n")
    with open(options.out, "w", encoding="utf-8") as out:
        notes = (f"- {note}" for note in bench.notes)
        print(f"## {title}\n", f"{rounds}\n", *markdown(lines), "", *notes, "", sep="\n", file=out)


main()
