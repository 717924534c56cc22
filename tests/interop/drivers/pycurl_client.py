"""PycURL, which is libcurl with GnuTLS; for its arguments see driver.ts."""

import io
import os
import sys
from urllib.parse import quote

import pycurl

host, port, protection, ca_file, mode, user, password, *steps = sys.argv[1:]
scheme = "ftps" if protection == "implicit" else "ftp"
authority = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
curl = pycurl.Curl()


def perform(path, options):
    curl.reset()
    curl.setopt(pycurl.URL, f"{scheme}://{authority}/{quote(path)}")
    curl.setopt(pycurl.USERPWD, f"{user}:{password}")
    curl.setopt(pycurl.USE_SSL, pycurl.USESSL_ALL)
    curl.setopt(pycurl.TIMEOUT, 20)
    if ca_file:
        curl.setopt(pycurl.CAINFO, ca_file)
    for option, value in options.items():
        curl.setopt(option, value)
    curl.perform()


def quoted(*commands):
    perform("", {pycurl.QUOTE: commands, pycurl.NOBODY: True})


def listing(path, _):
    names = io.BytesIO()
    perform(path, {pycurl.DIRLISTONLY: True, pycurl.WRITEDATA: names})
    sys.stdout.write(names.getvalue().decode())


def get(path, local, offset=0):
    with open(local, "ab" if offset else "wb") as file:
        perform(path, {pycurl.WRITEDATA: file, pycurl.RESUME_FROM: offset})


def put(path, local, offset=0):
    with open(local, "rb") as file:
        options = {pycurl.UPLOAD: True, pycurl.READDATA: file, pycurl.RESUME_FROM: offset}
        if offset:
            options[pycurl.SEEKFUNCTION] = lambda position, origin: file.seek(position, origin) and 0
        perform(path, options)


OPERATIONS = {
    "list": listing,
    "get": get,
    "put": put,
    "resumeGet": lambda path, local: get(path, local, os.path.getsize(local)),
    # libcurl asks for the size that the server has.
    "resumePut": lambda path, local: put(path, local, -1),
    "rename": lambda old, new: quoted(f"RNFR {old}", f"RNTO {new}"),
    "mkdir": lambda path, _: quoted(f"MKD {path}"),
    "rmdir": lambda path, _: quoted(f"RMD {path}"),
    "delete": lambda path, _: quoted(f"DELE {path}"),
}

for operation, remote, other in zip(*[iter(steps)] * 3):
    OPERATIONS[operation](remote, other)
