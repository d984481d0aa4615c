"""How other programs read ipvsadm, restated: one function for each of them.

Each gets its data as the program does, and what it makes of them is printed;
the test compares what is printed with the reference and with ours. README.md
says whose logic each one is.
"""

import re
import subprocess

RULES = """
-A -t 10.1.0.2:80 -s wlc
-a -t 10.1.0.2:80 -r 10.2.0.1:80 -g -w 1
-a -t 10.1.0.2:80 -r 10.2.0.2:8080 -m -w 0
-a -t 10.1.0.2:80 -r 10.2.0.3:80 -i -w 7
-A -t 10.1.0.3:443 -s sh -b sh-port,sh-fallback -p 600 -M 255.255.255.0
-a -t 10.1.0.3:443 -r 10.2.0.1:443 -g -w 100
-A -t 10.1.0.9:25 -s wrr -p 360
-A -u 10.1.0.1:53 -s rr -o
-a -u 10.1.0.1:53 -r 10.2.0.1:53 -m -w 1
-a -u 10.1.0.1:53 -r 10.2.0.2:53 -m -w 5
-A -t [2001:db8::1]:80 -s mh -b mh-port
-a -t [2001:db8::1]:80 -r [2001:db8::11]:80 -i -w 1
-A -f 10 -s lc
-a -f 10 -r 10.2.0.1 -g -w 3
-A -f 11 -6 -s lc
"""


def run(*args, stdin=""):
    """Like subprocess.run, for `ipvsadm ARGS`."""
    return subprocess.run(
        ["ipvsadm", *args], input=stdin, capture_output=True, text=True, check=False)


def output(*args):
    done = run(*args)
    assert done.returncode == 0, (args, done)
    return done.stdout


def octavia():
    """Names every value after the words of the header."""
    def words(line):
        return re.sub(r"\s+", " ", line.strip()).split(" ")

    def read(text):
        lines = text.split("\n")
        header = next(n for n, line in enumerate(lines) if "Prot" in line)
        names, server_names = words(lines[header]), words(lines[header + 1])
        if names[-1] == "Flags":
            names = names[:-1]
        else:
            server_names += names[2:]
        assert server_names.pop(0) == "->"
        listeners, current = {}, None
        for line in lines[header + 2:]:
            values = words(line)
            if values[0] in ("TCP", "UDP", "SCTP"):
                current = next(value for value in values if ":" in value)
                listeners[current] = {"listener": dict(zip(names, values)), "members": []}
            elif values[0] == "->" and current:
                listeners[current]["members"].append(dict(zip(server_names, values[1:])))
        return listeners

    table = read(output("-Ln"))
    assert table["10.1.0.1:53"]["members"][1] == {
        "RemoteAddress:Port": "10.2.0.2:53", "Forward": "Masq", "Weight": "5",
        "ActiveConn": "0", "InActConn": "0"}
    stats = read(output("-Ln", "--stats", "--exact"))
    assert stats["10.1.0.1:53"]["listener"] == {
        "Prot": "UDP", "LocalAddress:Port": "10.1.0.1:53", "Conns": "0", "InPkts": "0",
        "OutPkts": "0", "InBytes": "0", "OutBytes": "0"}
    return table, stats


def icinga():
    """Two expressions: one for the service, one for its servers."""
    text = output("-L", "-n", "-t", "10.1.0.2:80")
    service = re.search(r"(\w+)\s+([0-9.]+):(\w+)\s+(\w+)", text).groups()
    servers = re.findall(r"\s->\s([0-9.]+):(\w+)\s+(\w+)\s+(\d+)\s+(\d+)\s+(\d+)", text)
    assert service == ("TCP", "10.1.0.2", "80", "wlc"), service
    assert [server[3] for server in servers] == ["1", "0", "7"], servers
    return service, servers


def munin():
    """Lines after the service until the next one; columns for awk."""
    def after(text, vip):
        rows, inside = [], False
        for line in text.splitlines():
            words = line.split()
            if words and words[0] in ("TCP", "UDP"):
                inside = words[1] == vip
            elif inside:
                rows.append(words)
        return rows

    plain = [(row[1], row[4], row[5]) for row in after(output("-l", "-n"), "10.1.0.2:80")[:3]]
    rate = [(row[1], row[2], row[5]) for row in after(output("-l", "-n", "--rate"), "10.1.0.2:80")[:3]]
    assert plain[2] == ("10.2.0.3:80", "0", "0"), plain
    return plain, rate


def zabbix():
    """Counts lines, and discovers services and servers by their first word."""
    lines = output("-Ln").splitlines()
    services = [line.split()[1] for line in lines if line.split()[0] in ("TCP", "UDP")]
    servers = [line.split()[1] for line in lines if line.split()[0] == "->"][1:]
    assert len(lines) == 18, lines
    return services, servers


def diamond():
    """Skips three lines; the last five words are integers."""
    lines = output("--list", "--stats", "--numeric", "--exact").splitlines()[3:]
    return [(words[1], [int(word) for word in words[-5:]]) for words in map(str.split, lines)]


def salt():
    """Asks by substring what is there, and gives stderr when something fails."""
    saved = output("-S", "-n")
    asked = {
        question: question in saved
        for question in (
            "-t 10.1.0.2:80 ", "-t 10.1.0.2:80 -s wlc", "-t 10.1.0.2:80 -s rr",
            "-t 10.1.0.2:80 -r 10.2.0.1:80 -g -w 1", "-u 10.1.0.1:53 -r 10.2.0.2:53 -m -w 5")
    }
    assert list(asked.values()) == [True, True, False, True, True], asked
    failures = []
    for words in (
            "-A -t 10.1.0.2:80 -s rr", "-A -t 10.1.0.4:80 -s nosuch", "-D -t 10.1.0.4:80",
            "-a -t 10.1.0.2:80 -r 10.2.0.1:80 -g -w 1", "-d -t 10.1.0.2:80 -r 10.2.0.9:80",
            "-L -t 10.1.0.4:80 -n"):
        done = run(*words.split())
        assert done.returncode != 0, words
        failures.append((words, done.returncode, done.stderr))
    return asked, failures


def ipvsman():
    """Splits at blanks and at the last colon; integers in --stats."""
    rows = []
    for line in output("-ln").splitlines()[3:]:
        words = line.split()
        if words[0] == "->":
            address, port = words[1].rsplit(":", 1)
            rows.append((address, int(port), words[2], [int(word) for word in words[3:6]]))
    stats = [line.split() for line in output("-ln", "--stats").splitlines()[3:]]
    numbers = [[int(word) for word in words[-5:]] for words in stats if words[0] == "->"]
    return rows, numbers, output("-Sn")


def lvsm():
    """Tells lines apart by the number of their words."""
    lines = output("-L", "-n").splitlines()[3:]
    return [(len(line.split()), line.split()[:2]) for line in lines]


def opennebula():
    """Saves with names, and looks for two expressions with a blank around."""
    text = output("--save")
    marks = re.findall(r" -f (?P<fwmark>[0-9]+) ", text)
    servers = re.findall(r" -r (?P<host>[^:]+):(?P<port>[^ ]+) ", text)
    assert marks == ["10", "10", "11"], text
    return marks, servers


def sos():
    """Collects seven listings; none may fail or hang."""
    views = ("", "--persistent-conn", "--rate", "--stats", "--thresholds", "--timeout", "--connection")
    listings = {view: output("-Ln", *view.split()) for view in views}
    assert all(listings.values()), listings
    return listings


def ipvsts():
    """Every option of --help stands first in its line; -v is a version."""
    options = set()
    for line in output("--help").splitlines():
        found = re.match(r"^(--[^ ]+)[^-]*(-[^ ])* +", line.strip())
        if found:
            options.add(found.group(1))
    needed = {
        "--add-service", "--edit-service", "--delete-service", "--clear", "--restore", "--save",
        "--add-server", "--edit-server", "--delete-server", "--list", "--zero", "--set",
        "--help", "--numeric", "--stats", "--rate", "--exact"}
    assert needed <= options, needed - options
    version = re.match(r"ipvsadm v1\.31 .*\(compiled with .* and IPVS v1\.2\.1\)$", output("-v").strip())
    assert version, output("-v")


def pybal():
    """Streams commands of all kinds into one -R."""
    stream = """
-D -t 10.1.0.9:25
-A -t 10.1.0.5:80 -s wrr
-a -t 10.1.0.5:80 -r 10.2.0.1 -w 10
-a -t 10.1.0.5:80 -r 10.2.0.2 -w 10
-e -t 10.1.0.5:80 -r 10.2.0.2 -w 1
-d -t 10.1.0.5:80 -r 10.2.0.1
"""
    done = run("-R", stdin=stream)
    assert done.returncode == 0, done
    return done.stdout, done.stderr, output("-Sn")


def sunet():
    """Has only services of one kind, and wants each line back byte by byte."""
    run("-C")
    for number in (1, 2):
        service = ("-t", f"10.1.0.{number}:443")
        assert run("-A", *service, "-s", "mh").returncode == 0
        assert run("-a", *service, "-r", f"10.2.0.{number}:443", "-i", "-w", "1").returncode == 0
    seen = set()
    for line in output("--save", "--numeric").splitlines():
        fields = line.split(" ")
        if len(fields) == 5:
            command, kind, address, scheduler, name = fields
            again = f"{command} {kind} {address} {scheduler} {name}"
            assert (command, kind, scheduler, name) == ("-A", "-t", "-s", "mh"), line
        else:
            again = "-a -t {} -r {} -i -w 1 --tun-type ipip".format(fields[2], fields[4])
        assert again == line, (again, line)
        assert again not in seen, line
        seen.add(again)
    return sorted(seen)


def k0s():
    """Saves, and looks for substrings; an empty output is an empty table."""
    saved = output("--save", "-n")
    assert "-a -t 10.1.0.1:443 -r 10.2.0.1" in saved
    run("--clear")
    assert output("--save", "-n") == ""


def main():
    done = run("-R", stdin=RULES)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), done
    for client in (
            octavia, icinga, munin, zabbix, diamond, salt, ipvsman, lvsm, opennebula, sos,
            ipvsts, pybal, sunet, k0s):
        print(client.__name__, client())


main()
