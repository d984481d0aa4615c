"""Both ends of the demo's connections.

traffic.py serve PORT NAME          answer every connection with NAME
traffic.py connect HOST PORT COUNT  make COUNT connections, one after another,
                                    and print how often each NAME answered
"""

import collections
import socket
import sys


def serve(port, name):
    with socket.create_server(("", int(port)), backlog=128) as server:
        while True:
            connection, _ = server.accept()
            with connection:
                connection.recv(100)
                connection.sendall(name.encode() + b"\n")
                connection.recv(100)


def connect(host, port, count):
    answers = collections.Counter(ask(host, port) for _ in range(int(count)))
    for name, times in sorted(answers.items()):
        print(name, times)
    failed = sum(times for name, times in answers.items() if name.startswith("error:"))
    sys.exit(1 if failed else 0)


# The client closes first: it then keeps the port to itself for a minute, and no
# two connections have the same.
def ask(host, port):
    try:
        with socket.create_connection((host, port), timeout=10) as connection:
            connection.sendall(b"who is there?")
            return connection.makefile().readline().strip()
    except OSError as error:
        return f"error:{error.strerror or error}".replace(" ", "-")


{"serve": serve, "connect": connect}[sys.argv[1]](*sys.argv[2:])
