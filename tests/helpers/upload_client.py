"""Uploads over one TCP or TLS connection each, ended in a chosen way. Standard library only.

usage: upload_client.py HOST PORT clear|TLSv1.2|TLSv1.3 ENDING COUNT BYTES CONCURRENCY

ENDING, always without reading anything behind the handshake, except unwrap:
  close_notify  whole, then TLS close_notify and FIN
  unwrap        whole, then close_notify both ways, as ftplib does; clear: as close_notify
  fin           whole, then FIN without close_notify
  reset         half, then RST
  kill          half, then the sending process is killed
  partial       half, then FIN inside a TLS record

Byte i of an upload is i % 251. The last two bytes are a TLS record of their own, as long as a close_notify is in TLS 1.3.
Prints how many uploads did all they should.
"""

import concurrent.futures
import fcntl
import os
import signal
import socket
import ssl
import struct
import sys
import termios
import time

HOST, PORT, PROTOCOL, ENDING = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
COUNT, SIZE, CONCURRENCY = (int(argument) for argument in sys.argv[5:8])
DATA = bytes(i % 251 for i in range(251)) * (SIZE // 251 + 1)
DATA, HALF = DATA[:SIZE], DATA[: SIZE // 2]


def tls_context():
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if PROTOCOL != "clear":
        version = ssl.TLSVersion[PROTOCOL.replace(".", "_")]
        context.minimum_version = context.maximum_version = version
    return context


CONTEXT = tls_context()


def connect():
    raw = socket.create_connection((HOST, PORT), timeout=20)
    return raw if PROTOCOL == "clear" else CONTEXT.wrap_socket(raw)


def send_whole(connection):
    connection.sendall(DATA[:-2])
    connection.sendall(DATA[-2:])


def send_close_notify(connection):
    connection.setblocking(False)
    try:
        connection.unwrap()
    except ssl.SSLWantReadError:
        pass  # ours is sent, and nobody waits for the server's


def whole():
    with connect() as connection:
        send_whole(connection)
        if PROTOCOL != "clear" and ENDING == "close_notify":
            send_close_notify(connection)
        elif PROTOCOL != "clear" and ENDING == "unwrap":
            connection.unwrap()


def wait_until_acknowledged(connection):
    """More than one receive window: the server must have accepted the connection, and read from it."""
    while struct.unpack("i", fcntl.ioctl(connection, termios.TIOCOUTQ, b"1234"))[0] > 0:
        time.sleep(0.001)


def reset():
    connection = connect()
    connection.sendall(HALF)
    wait_until_acknowledged(connection)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def kill():
    sent, report = os.pipe()
    child = os.fork()
    if child == 0:
        connection = connect()
        connection.sendall(HALF)
        os.write(report, b"x")
        signal.pause()
    os.close(report)
    os.read(sent, 1)
    os.close(sent)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def partial():
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = CONTEXT.wrap_bio(incoming, outgoing)
    with socket.create_connection((HOST, PORT), timeout=20) as raw:
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                raw.sendall(outgoing.read())
                incoming.write(raw.recv(65536))
        tls.write(HALF)
        raw.sendall(outgoing.read()[:-100])


def upload(_):
    {"reset": reset, "kill": kill, "partial": partial}.get(ENDING, whole)()


# Processes for kill, which forks; threads for the rest.
Pool = concurrent.futures.ProcessPoolExecutor if ENDING == "kill" else concurrent.futures.ThreadPoolExecutor
with Pool(CONCURRENCY) as pool:
    done = 0
    for future in [pool.submit(upload, i) for i in range(COUNT)]:
        try:
            future.result()
            done += 1
        except OSError as error:
            print("failed:", repr(error), file=sys.stderr)
print(done)
