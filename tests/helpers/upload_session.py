"""Logs in and uploads file after file, each ended in a chosen way, without ever reading from a data connection.
Standard library only. The uploads of upload_client.py have no control connection beside them.

usage: upload_session.py PORT clear|TLSv1.2|TLSv1.3 ENDING COUNT BYTES WORKERS [resume]

ENDING:
  close_notify  whole, then TLS close_notify and FIN
  fin           whole, then FIN without close_notify
  reset         half, then RST
  kill          half, then the client is killed with both its connections; every other one has its data connection
                closed by the kernel before its control connection

Byte i of an upload is i % 251. With "resume" data connections offer the TLS session of the control connection.
Prints one line for each upload: its name, the code of its final reply (0 for a killed client), and whether the TLS
session was resumed (True or False).
"""

import concurrent.futures
import fcntl
import ftplib
import os
import signal
import socket
import ssl
import struct
import sys
import termios
import time

HOST, PORT, PROTOCOL, ENDING = "127.0.0.1", int(sys.argv[1]), sys.argv[2], sys.argv[3]
COUNT, SIZE, WORKERS = (int(argument) for argument in sys.argv[4:7])
RESUME = "resume" in sys.argv[7:]
DATA = (bytes(range(251)) * (SIZE // 251 + 1))[:SIZE]
HALF = DATA[: SIZE // 2]


def tls_context():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version = context.maximum_version = ssl.TLSVersion[PROTOCOL.replace(".", "_")]
    return context


CONTEXT = None if PROTOCOL == "clear" else tls_context()


class Client(ftplib.FTP_TLS if CONTEXT else ftplib.FTP):
    """Logged in, with data connections protected where there is TLS."""

    def __init__(self):
        super().__init__(timeout=60, **({"context": CONTEXT} if CONTEXT else {}))
        self.connect(HOST, PORT)
        self.login("user", "12345")
        if CONTEXT:
            self.prot_p()
        self.voidcmd("TYPE I")

    def begin(self, name):
        """The data connection of an upload, its handshake made."""
        connection, _ = ftplib.FTP.ntransfercmd(self, f"STOR {name}")
        if not CONTEXT:
            return connection
        session = self.sock.session if RESUME else None
        return CONTEXT.wrap_socket(connection, server_hostname=HOST, session=session)

    def final_code(self):
        try:
            return self.getresp()[:3]
        except (ftplib.error_temp, ftplib.error_perm) as error:
            return str(error)[:3]


def is_resumed(connection):
    return CONTEXT is not None and connection.session_reused


def send_close_notify(connection):
    connection.setblocking(False)
    try:
        connection.unwrap()
    except ssl.SSLWantReadError:
        pass  # ours is sent, and nobody waits for the server's


def wait_until_acknowledged(connection):
    """More than one receive window: the server must have accepted the connection, and read from it."""
    while struct.unpack("i", fcntl.ioctl(connection, termios.TIOCOUTQ, b"1234"))[0] > 0:
        time.sleep(0.001)


def upload(client, name):
    with client.begin(name) as connection:
        resumed = is_resumed(connection)
        if ENDING == "reset":
            connection.sendall(HALF)
            wait_until_acknowledged(connection)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            connection.sendall(DATA)
        if ENDING == "close_notify":
            send_close_notify(connection)
    return name, client.final_code(), resumed


def upload_killed(index):
    name = f"upload-{index}"
    sent, report = os.pipe()
    child = os.fork()
    if child == 0:
        lower = os.open(os.devnull, os.O_RDONLY)
        client = Client()
        if index % 2 == 0:
            os.close(lower)  # The data connection gets this number, and the kernel closes in the order of numbers.
        connection = client.begin(name)
        connection.sendall(HALF)
        os.write(report, b"1" if is_resumed(connection) else b"0")
        signal.pause()
    os.close(report)
    resumed = os.read(sent, 1) == b"1"
    os.close(sent)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return name, 0, resumed


def work(worker):
    indices = range(worker, COUNT, WORKERS)
    if ENDING == "kill":
        return [upload_killed(index) for index in indices]
    client = Client()
    results = [upload(client, f"upload-{index}") for index in indices]
    client.quit()
    return results


with concurrent.futures.ProcessPoolExecutor(WORKERS) as pool:
    for results in pool.map(work, range(WORKERS)):
        for result in results:
            print(*result)
