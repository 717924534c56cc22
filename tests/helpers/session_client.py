"""TLS data connections as ftplib makes them. Standard library only.

usage: session_client.py HOST CONTROL_PORT DATA_PORT TLSv1.2|TLSv1.3 COUNT [reuse]

Makes a control connection (TLS at once) and reads a line from it. Then makes COUNT data connections, downloads and uploads
in turn, each ended by unwrap() as ftplib does; with "reuse", each offers the session of the control connection.
Prints how many data connections resumed a session and how many were unwrapped both ways.
"""

import socket
import ssl
import sys

HOST, CONTROL_PORT, DATA_PORT = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
VERSION, COUNT, REUSE = ssl.TLSVersion[sys.argv[4].replace(".", "_")], int(sys.argv[5]), sys.argv[6:] == ["reuse"]

context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
context.minimum_version = context.maximum_version = VERSION


def connect(port, session):
    raw = socket.create_connection((HOST, port), timeout=20)
    return context.wrap_socket(raw, server_hostname="localhost", session=session)


control = connect(CONTROL_PORT, None)
control.recv(100)
resumed = unwrapped = 0
for i in range(COUNT):
    data = connect(DATA_PORT, control.session if REUSE else None)
    resumed += data.session_reused
    if i % 2 == 0:
        while data.recv(65536):
            pass
    else:
        data.sendall(b"x" * 100_000)
    try:
        data.unwrap()
        unwrapped += 1
    except OSError as error:
        print("unwrap failed:", repr(error), file=sys.stderr)
    data.close()
control.close()
print(resumed, unwrapped)
