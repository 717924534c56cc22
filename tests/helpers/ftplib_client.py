"""Python's ftplib, told what to do by a JSON job and telling what came of it. Standard library only.

usage: ftplib_client.py JOB

JOB: {"host", "port", "protection": "explicit" | "implicit" | "clear", "caFile": PATH or null, "user", "password",
"offerSession": whether data connections offer the TLS session of the control connection, "active": whether to use
active mode (may be left out),
"steps": [[NAME, ARGUMENT, ...], ...]}, each step one of:
  store LOCAL REMOTE [REST]      STOR in TYPE I, from the byte REST of the local file on
  retrieve REMOTE LOCAL [REST]   RETR in TYPE I, onto the end of what the local file has if REST is given
  nlst [PATH], mlsd [PATH]       names in a folder; mlsd: with the facts type and size
  size REMOTE                    SIZE in TYPE I
  rename FROM TO; make_folder, remove_folder, delete PATH
  abort REMOTE                   RETR, some bytes, then ABOR as urgent data where the connection is clear
  pwd

Prints {"results": [what each step returned], "farewell": reply to QUIT,
"connections": [{"version", "reused"} of each data connection]}.
"""

import ftplib
import json
import socket
import ssl
import sys

JOB = json.loads(sys.argv[1])
CONNECTIONS = []


class Client(ftplib.FTP_TLS):
    """FTP_TLS with implicit TLS and resumption of sessions."""

    def connect(self, host, port, timeout):
        if JOB["protection"] != "implicit":
            return super().connect(host, port, timeout)
        # As ftplib does, with TLS before the greeting.
        self.host, self.port, self.timeout = host, port, timeout
        connection = socket.create_connection((host, port), timeout)
        self.af = connection.family
        self.sock = self.context.wrap_socket(connection, server_hostname=host)
        self.file = self.sock.makefile("r", encoding=self.encoding)
        self.welcome = self.getresp()
        return self.welcome

    def ntransfercmd(self, command, rest=None):
        # FTP's, which makes the TCP connection; the handshake is ours.
        connection, size = ftplib.FTP.ntransfercmd(self, command, rest)
        if self._prot_p:
            session = self.sock.session if JOB["offerSession"] else None
            connection = self.context.wrap_socket(connection, server_hostname=self.host, session=session)
            CONNECTIONS.append({"version": connection.version(), "reused": connection.session_reused})
        return connection, size


def connect():
    if JOB["protection"] == "clear":
        client = ftplib.FTP(timeout=20)
    else:
        client = Client(timeout=20, context=ssl.create_default_context(cafile=JOB["caFile"]))
    client.connect(JOB["host"], JOB["port"], 20)
    client.login(JOB["user"], JOB["password"])
    if JOB["protection"] != "clear":
        client.prot_p()
    client.set_pasv(not JOB.get("active"))
    return client


def store(client, local, remote, rest=None):
    with open(local, "rb") as file:
        file.seek(rest or 0)
        return client.storbinary(f"STOR {remote}", file, rest=rest)


def retrieve(client, remote, local, rest=None):
    with open(local, "ab" if rest else "wb") as file:
        return client.retrbinary(f"RETR {remote}", file.write, rest=rest)


def nlst(client, *path):
    return client.nlst(*path)


def mlsd(client, path=""):
    return [[name, facts["type"], int(facts["size"])] for name, facts in client.mlsd(path, ["type", "size"])]


def size(client, remote):
    client.voidcmd("TYPE I")
    return client.size(remote)


def rename(client, old, new):
    return client.rename(old, new)


def make_folder(client, path):
    return client.mkd(path)


def remove_folder(client, path):
    return client.rmd(path)


def delete(client, path):
    return client.delete(path)


def abort(client, remote):
    client.voidcmd("TYPE I")
    connection = client.transfercmd(f"RETR {remote}")
    connection.recv(1000)
    replies = [client.abort()]
    connection.close()
    if replies[0].startswith("426"):
        replies.append(client.voidresp())
    return replies


def pwd(client):
    return client.pwd()


FUNCTIONS = (store, retrieve, nlst, mlsd, size, rename, make_folder, remove_folder, delete, abort, pwd)
STEPS = {function.__name__: function for function in FUNCTIONS}

with connect() as ftp:
    results = [STEPS[name](ftp, *arguments) for name, *arguments in JOB["steps"]]
    farewell = ftp.quit()
print(json.dumps({"results": results, "farewell": farewell, "connections": CONNECTIONS}))
