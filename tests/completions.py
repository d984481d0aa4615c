#!/usr/bin/env python3
"""The completions, driven in the real shells, with live services.

Needs root, a kernel with IPVS and an empty table, bash (with and without
bash-completion), zsh and fish:

    tests/lab/lab run -- tests/completions.py [DIRECTORY OF THE PROGRAMS]

Without a directory it is the ipvsadm of $PATH that is asked for the services.
Prints `ok` or `FAILED` for each check; the exit status is 1 if any failed.
"""

import os
import pathlib
import pty
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time

REPO = pathlib.Path(__file__).resolve().parent.parent
COMPLETIONS = REPO / "completions"

RULES = """\
-A -t 10.0.0.1:80 -s rr
-a -t 10.0.0.1:80 -r 10.0.1.1:80 -m
-a -t 10.0.0.1:80 -r 10.0.1.2:8080 -m
-A -t 10.0.0.2:443 -s wlc
-a -t 10.0.0.2:443 -r 10.0.1.3:443 -g
-A -t [2001:db8::1]:80 -s rr
-a -t [2001:db8::1]:80 -r [2001:db8::11]:80 -m
-A -u 10.0.0.1:53 -s rr
-a -u 10.0.0.1:53 -r 10.0.1.4:53 -m
-A --sctp-service 10.0.0.1:9 -s rr
-A -f 7 -s rr
-a -f 7 -r 10.0.1.5:0 -g
-A -f 7 -6 -s rr
-a -f 7 -6 -r [2001:db8::12]:0 -g
"""
# Network namespaces, one of them with a table of its own.
NAMESPACES = [
    "ip netns add blue",
    "ip netns add red",
    "ip -n red link set lo up",
    "ip netns exec red ipvsadm -A -t 10.0.7.1:80",
    "ip netns exec red ipvsadm -a -t 10.0.7.1:80 -r 10.0.7.2:80",
]
TCP = "10.0.0.1:80 10.0.0.2:443 [2001:db8::1]:80"
VIPS = "10.0.0.1 10.0.0.2 2001:db8::1"
HOSTS = "10.0.1.1 10.0.1.2 10.0.1.3 10.0.1.4 10.0.1.5 2001:db8::11 2001:db8::12"
SCHEDULERS = "rr wrr lc wlc lblc lblcr dh sh sed nq fo ovf mh"

# A line, and what can be its last word.
CASES = [
    ("ipvsadm -D -t ", TCP),
    ("ipvsadm -E -t ", TCP),
    ("ipvsadm -a -t ", TCP),
    ("ipvsadm -e -t ", TCP),
    ("ipvsadm -d -t ", TCP),
    ("ipvsadm -L -t ", TCP),
    ("ipvsadm -Z -t ", TCP),
    ("ipvsadm -Ln -t ", TCP),
    ("ipvsadm -Lnt ", TCP),
    ("ipvsadm --delete-service --tcp-service ", TCP),
    ("ipvsadm -D -t 10.0.0.1", "10.0.0.1:80"),
    ("ipvsadm -D -t 10.0.0.1:", "10.0.0.1:80"),
    ("ipvsadm -D -t 10.9", ""),
    ("ipvsadm -A -t ", ""),
    ("ipvsadm -D -u ", "10.0.0.1:53"),
    ("ipvsadm -D --sctp-service ", "10.0.0.1:9"),
    ("ipvsadm -D -f ", "7"),
    ("ipvsadm -D -f 0x", "0x7"),
    ("ipvsadm -D --fwmark-service=0x", "--fwmark-service=0x7"),
    ("ipvsadm -A -f 0x", ""),
    ("ipvsadm -d -t 10.0.0.1:80 -r ", "10.0.1.1:80 10.0.1.2:8080"),
    ("ipvsadm -d -t 10.0.0.1:80 -r 10.0.1.2:", "10.0.1.2:8080"),
    ("ipvsadm -dt 10.0.0.1:80 -r ", "10.0.1.1:80 10.0.1.2:8080"),
    ("ipvsadm -e --tcp-service=10.0.0.2:443 -r ", "10.0.1.3:443"),
    ("ipvsadm -e -t 10.0.0.2:443 --real-server ", "10.0.1.3:443"),
    ("ipvsadm -e -t [2001:db8::1]:80 -r ", "[2001:db8::11]:80"),
    ("ipvsadm -d -u 10.0.0.1:53 -r ", "10.0.1.4:53"),
    ("ipvsadm -d -f 7 -r ", "10.0.1.5:0"),
    ("ipvsadm -d -f 7 -6 -r ", "[2001:db8::12]:0"),
    ("ipvsadm -d -f 0x7 -r ", "10.0.1.5:0"),
    ("ipvsadm -d -f 0X07 -6 -r ", "[2001:db8::12]:0"),
    ("ipvsadm -d --fwmark-service=0x7 -r ", "10.0.1.5:0"),
    ("ipvsadm -d -t 10.0.0.9:80 -r ", ""),
    ("ipvsadm -L -c -r 10.0.1.1", "10.0.1.1"),
    ("ipvsadm -Lcn -t 10.0.0.1:80 -r ", "10.0.1.1 10.0.1.2"),
    ("ipvsadm -Ln -r ", HOSTS),
    ("ipvsadm -S -r 10.0.1.", "10.0.1.1 10.0.1.2 10.0.1.3 10.0.1.4 10.0.1.5"),
    ("ipvsadm --check -r 2001:db8::1", "2001:db8::11 2001:db8::12"),
    ("ipvsadm -e --all -r ", HOSTS),
    ("ipvsadm -d --all --real-server ", HOSTS),
    ("ipvsadm -d --vip 10.0.0.1 -r 10.0.1.4", "10.0.1.4"),
    ("ipvsadm -d --vip=10.0.0.1 -r 10.0.1.4", "10.0.1.4"),
    ("ipvsadm -L --vip ", VIPS),
    ("ipvsadm -S --vip=10.0.0.2", "--vip=10.0.0.2"),
    ("ipvsadm --check --vip 2001:db8", "2001:db8::1"),
    ("ipvsadm -R --replace --vip ", VIPS),
    ("ipvsadm -L --netns red --vip ", "10.0.7.1"),
    ("ipvsadm -L --netns red -r ", "10.0.7.2"),
    ("ipvstop --vip ", VIPS),
    ("ipvstop -r 10.0.1.", "10.0.1.1 10.0.1.2 10.0.1.3 10.0.1.4 10.0.1.5"),
    ("ipvsadm -Lc --state UDP,EST", "UDP,ESTABLISHED"),
    ("ipvsadm -Lc --by client,sta", "client,state"),
    ("ipvsadm --check --ignore no-ser", "no-servers"),
    ("ipvsadm --check --ignore no-servers,table-", "no-servers,table-small"),
    ("ipvsadm -a -t 10.0.0.1:80 -r ", ""),
    ("ipvsadm -A -t 10.0.0.9:80 -s ", SCHEDULERS),
    ("ipvsadm -E -t 10.0.0.1:80 --scheduler w", "wrr wlc"),
    ("ipvsadm -A -u 10.0.0.9:5060 -p 60 --pe ", "sip"),
    ("ipvsadm -A -t 10.0.0.9:80 -s sh -b sh-f", "sh-fallback"),
    ("ipvsadm -A -t 10.0.0.9:80 -s sh -b sh-fallback,sh-p", "sh-fallback,sh-port"),
    ("ipvsadm -a -t 10.0.0.1:80 -r 10.0.1.9 -i --tun-type ", "ipip gue gre"),
    ("ipvsadm --start-daemon ", "master backup"),
    ("ipvsadm --stop-daemon ", "master backup"),
    ("ipvsadm --start-daemon master --mcast-interface ", None),
    ("ipvsadm --st", "--start-daemon --stop-daemon"),
    ("ipvsadm --start-daemon backup --mcast-", "--mcast-interface --mcast-group --mcast-port --mcast-ttl"),
    ("ipvsadm -L --st", "--state --stats"),
    ("ipvsadm -S --", "--tcp-service --udp-service --sctp-service --fwmark-service --ipv6 --real-server"
        " --vip --numeric --all --watch --samples --netns"),
    ("ipvsadm -R --", "--tcp-service --udp-service --sctp-service --fwmark-service --ipv6 --vip --json"
        " --ensure --replace --dry-run --netns"),
    ("ipvsadm -L --netns ", "blue red"),
    ("ipvsadm -L --netns=r", "--netns=red"),
    ("ipvsadm -D --netns red -t ", "10.0.7.1:80"),
    ("ipvsadm -d --netns=red -t 10.0.7.1:80 -r ", "10.0.7.2:80"),
    ("ipvsadm -D --netns blue -t ", ""),
    ("ipvsadm --net", "--netns"),
    ("ipvsadm --netns ", "blue red"),
    ("ipvsadm --netns=r", "--netns=red"),
    ("ipvsadm --netns red --st", "--start-daemon --stop-daemon"),
    ("ipvsadm --netns=red --st", "--start-daemon --stop-daemon"),
    ("ipvsadm --netns red -D -t ", "10.0.7.1:80"),
    ("ipvsadm --netns=red -d -t 10.0.7.1:80 -r ", "10.0.7.2:80"),
    ("ipvsadm-save --netns ", "blue red"),
    ("ipvsadm-restore --netns ", "blue red"),
    ("ipvstop -N ", "blue red"),
    ("ipvsadm -d -t 10.0.0.1:80 -r 10.0.1.1:80 --d", "--drain --dry-run"),
    ("ipvsadm -C -", "--netns"),
    ("ipvsadm-save -", "-n --all --netns"),
    ("ipvstop --s", "--samples"),
    ("ipvsadm-restore --", "--replace --dry-run --netns"),
]


def wanted(words):
    """The words; the network interfaces for None."""
    if words is None:
        return {p.name for p in pathlib.Path("/sys/class/net").iterdir() if p.is_dir()}
    return set(words.split())


class Terminal:
    """An interactive shell on a terminal of its own.

    `all_matches` are the keys that put every candidate on the line, `dump`
    those that write the line to self.dump_file.
    """

    def __init__(self, argv, setup, directory, user=None):
        self.dump_file = pathlib.Path(directory, "line")
        self.output = b""
        if user:
            os.chmod(directory, 0o777)
            argv = ["setpriv", f"--reuid={user}", "--clear-groups", *argv]
        pid, self.fd = pty.fork()
        if pid == 0:
            os.environ.update(TERM="dumb", PS1="$ ", HOME=directory, DUMP=str(self.dump_file))
            os.execvp(argv[0], argv)
        for line in setup:
            self.send(line + "\n")
        ready = pathlib.Path(directory, "ready")
        self.send(f"touch {ready}\n")
        self.wait_for(ready)
        self.output = b""

    def send(self, keys):
        os.write(self.fd, keys.encode())

    def wait_for(self, path, seconds=30):
        end = time.monotonic() + seconds
        while not path.exists():
            if time.monotonic() > end:
                raise TimeoutError(f"the shell does not answer: {self.output.decode(errors='replace')}")
            if select.select([self.fd], [], [], 0.02)[0]:
                self.output += os.read(self.fd, 65536)

    def complete(self, line):
        """The line after its candidates were put on it."""
        self.dump_file.unlink(missing_ok=True)
        self.output = b""
        self.send(line + "\x18a\x18p")
        self.wait_for(self.dump_file)
        time.sleep(0.02)
        text = self.dump_file.read_text().removesuffix("\n")
        self.send("\x01\x0b")
        return text


def candidates(line, after, typed):
    """The candidates, from the line before and after they were put on it.

    `typed` is what stands on the line of each of them already.
    """
    if after == line:
        return set()
    head = line[: len(line) - len(line.split(" ")[-1])] + typed
    assert after.startswith(head), (line, after)
    return {typed + word.replace("\\", "") for word in after[len(head):].split()}


def bash_setup(directory, completion):
    rows = [
        # The candidates would be cut at the width of the terminal otherwise.
        "stty columns 1000; bind 'set enable-bracketed-paste off'",
        r"""bind '"\C-xa": insert-completions'""",
        r"""bind -x '"\C-xp": printf "%s\n" "$READLINE_LINE" >$DUMP.new; mv $DUMP.new $DUMP'""",
    ]
    if completion:
        user = pathlib.Path(directory, "bash/completions")
        user.mkdir(parents=True)
        for name in ["ipvsadm", "ipvsadm-save", "ipvsadm-restore", "ipvstop"]:
            shutil.copy(COMPLETIONS / "ipvsadm.bash", user / name)
        return rows + [
            f"BASH_COMPLETION_USER_DIR={directory}/bash",
            ". /usr/share/bash-completion/bash_completion",
        ]
    return rows + [f". {COMPLETIONS}/ipvsadm.bash"]


class Bash(Terminal):
    def __init__(self, directory, completion, user=None):
        argv = ["bash", "--norc", "--noprofile", "-i"]
        super().__init__(argv, bash_setup(directory, completion), directory, user)

    def words(self, line):
        last = line.split(" ")[-1]
        typed = last[: max(last.rfind(":"), last.rfind("=")) + 1]
        return candidates(line, self.complete(line), typed)


class Zsh(Terminal):
    SETUP = [
        "stty columns 1000; PS1='$ '; unsetopt prompt_sp; unset zle_bracketed_paste",
        # The rest of zsh's completions takes long to load in an emulated machine.
        f"fpath=({COMPLETIONS} /usr/share/zsh/functions/Completion{{,/Base}})",
        "autoload -Uz compinit; compinit -D -u",
        "every() { _main_complete; compstate[insert]=all; compstate[list]= }",
        "zle -C every complete-word every; bindkey -e; bindkey '^Xa' every",
        "dump() { print -r -- $BUFFER >$DUMP.new; mv $DUMP.new $DUMP }",
        "zle -N dump; bindkey '^Xp' dump",
    ]

    def __init__(self, directory, user=None):
        super().__init__(["zsh", "-f", "-i"], self.SETUP, directory, user)

    def words(self, line):
        # zsh proposes the sign that can follow, and takes it back if need be.
        return {word.rstrip("=,") for word in candidates(line, self.complete(line), "")}


class Fish:
    def __init__(self, user=None):
        self.user = ["setpriv", f"--reuid={user}", "--clear-groups"] if user else []
        self.output = b""

    def words(self, line):
        script = f"source {COMPLETIONS}/ipvsadm.fish; complete -C $argv[1]"
        command = [*self.user, "fish", "--no-config", "-c", script, line]
        done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "HOME": "/tmp"})
        self.output = done.stderr.encode()
        found = {row.split("\t")[0] for row in done.stdout.splitlines()}
        # fish 4 prints what merely contains the letters, too, and offers it only
        # where nothing begins with them.
        typed = line.rpartition(" ")[2]
        return {word for word in found if word.startswith(typed)} or found


failed = 0


def report(good, what, why=""):
    global failed
    failed += not good
    print(f"ok      {what}" if good else f"FAILED  {what}\n        {why}", flush=True)


def run_cases(name, shell):
    start = time.monotonic()
    for line, words in CASES:
        try:
            found = shell.words(line)
        except (TimeoutError, AssertionError) as error:
            found = {str(error)}
        want = wanted(words)
        report(found == want, f"{name}: {line!r}", f"wanted {sorted(want)}, found {sorted(found)}")
    print(f"        {name}: {len(CASES)} lines in {time.monotonic() - start:.0f} s")


def silent(name, shell, why):
    """Nothing is offered, printed or waited for."""
    start = time.monotonic()
    found = shell.words("ipvsadm -D -t ")
    took = time.monotonic() - start
    noise = re.search(rb"ermission|nitialize|ipvsadm:", shell.output)
    report(not found and not noise, f"{name}: silent {why}", f"{found}, {shell.output}")
    report(took < 5, f"{name}: quick {why}", f"{took:.1f} s")


def shells(directory, user=None):
    """Each shell with a name, in a directory of its own."""
    def own(name):
        path = pathlib.Path(directory, f"{name}-{user}")
        path.mkdir()
        return str(path)

    yield "bash", Bash(own("bash"), False, user)
    yield "bash with bash-completion", Bash(own("bash-completion"), True, user)
    yield "zsh", Zsh(own("zsh"), user)
    yield "fish", Fish(user)


def use_copies(directory, programs):
    """Where they are, those who are not root may see nothing: in /root, say."""
    global COMPLETIONS
    os.chmod(directory, 0o755)
    COMPLETIONS = shutil.copytree(COMPLETIONS, pathlib.Path(directory, "completions"))
    if programs:
        path = pathlib.Path(directory, "bin")
        path.mkdir()
        for name in "ipvsadm", "ipvsadm-save", "ipvsadm-restore", "ipvstop":
            shutil.copy(pathlib.Path(programs, name), path)
        os.environ["PATH"] = f"{path}:{os.environ['PATH']}"


def main():
    # Words are cut at blanks alone, whatever the machine's language.
    os.environ.update(LC_ALL="C.UTF-8")
    with tempfile.TemporaryDirectory() as directory:
        use_copies(directory, sys.argv[1] if len(sys.argv) > 1 else None)
        loaded = os.path.exists("/proc/net/ip_vs")
        if not loaded:
            path = pathlib.Path(directory, "early")
            path.mkdir()
            for name, shell in shells(path):
                silent(name, shell, "without IPVS")
            report(not os.path.exists("/proc/net/ip_vs"), "completion does not load IPVS")
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        subprocess.run(["ipvsadm", "-R"], input=RULES, text=True, check=True)
        for command in NAMESPACES:
            subprocess.run(command.split(), check=True)
        for name, shell in shells(directory):
            run_cases(name, shell)
        for name, shell in shells(directory, user="nobody"):
            silent(name, shell, "without root")
        subprocess.run(["ip", "netns", "exec", "red", "ipvsadm", "-C"], check=True)
        subprocess.run(["ip", "-all", "netns", "delete"], check=True)
        subprocess.run(["ipvsadm", "-C"], check=True)
    print(f"{failed} FAILED" if failed else "all ok")
    sys.exit(failed > 0)


main()
