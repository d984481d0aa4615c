"""Where instructions went: blocks that count.c wrote, by symbol.

usage: profile.py BLOCKS KALLSYMS FILE@BASE...   (BASE: where FILE is mapped, hex)
"""

import bisect
import collections
import subprocess
import sys


def symbols(path, base):
    out = subprocess.run(["nm", "-C", "--defined-only", path], capture_output=True, text=True)
    if not out.stdout.strip():
        out = subprocess.run(["nm", "-CD", "--defined-only", path], capture_output=True, text=True)
    for line in out.stdout.splitlines():
        address, kind, name = line.split(" ", 2)
        if kind in "tTwWiu":
            yield base + int(address, 16), name


def main():
    blocks, kallsyms, *files = sys.argv[1:]
    table = []
    with open(kallsyms) as lines:
        for line in lines:
            address, kind, name = line.split(None, 2)
            if kind in "tTwW":
                table.append((int(address, 16), name.strip()))
    ranges = []
    for file in files:
        path, base = file.rsplit("@", 1)
        base = int(base, 16)
        found = sorted(symbols(path, base))
        table += found
        ranges.append((base, path.rsplit("/", 1)[-1]))
    table.sort()
    ranges.sort()
    starts = [address for address, _ in table]
    sums, parts = collections.Counter(), collections.Counter()
    with open(blocks) as lines:
        for line in lines:
            address, _, instructions = line.split()
            address, instructions = int(address, 16), int(instructions)
            place = bisect.bisect_right(starts, address) - 1
            name = table[place][1] if place >= 0 else "?"
            if address >> 63:
                part = "kernel"
            else:
                i = bisect.bisect_right(ranges, (address, "~")) - 1
                part = ranges[i][1] if i >= 0 else "?"
            sums[part, name] += instructions
            parts[part] += instructions
    for part, n in parts.most_common():
        print(f"{n:12} {part}")
    print()
    for (part, name), n in sums.most_common(70):
        print(f"{n:12} {part:16} {name[:100]}")


main()
