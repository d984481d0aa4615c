#!/usr/bin/env python3
"""UDP packets from ever new clients: flood.py COUNT MOST.

Prints a line when COUNT connections have been opened, and goes on, more slowly,
until there are MOST.
"""

import socket
import struct
import sys
import time

SERVICE = "10.250.0.1", 5000
PORTS = range(20000, 20010)

senders = []
for port in PORTS:
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sender.bind(("0.0.0.0", port))
    senders.append(sender)
count, most = map(int, sys.argv[1:])
for number in range(1, most + 1):
    host, port = divmod(number, len(PORTS))
    source = struct.pack("!I", 0x0AF00000 + 256 + host)
    info = struct.pack("@i4s4s", 0, source, bytes(4))
    senders[port].sendmsg([b"x"], [(socket.IPPROTO_IP, 8, info)], 0, SERVICE)
    if number == count:
        print("open", flush=True)
    if number > count and number % 20 == 0:
        time.sleep(0.01)
time.sleep(600)
