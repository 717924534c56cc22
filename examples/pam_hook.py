#!/usr/bin/env python3
"""A hook for accounts (docs/accounts.md) that asks PAM: users of this host log in with the password that they have here.

It needs no more than Python, and has to run as root (or in the group shadow), for nobody else may check passwords of others:

    openssl rand -hex 32 > hook.token && chmod 600 hook.token
    python3 pam_hook.py hook.token 8080

It listens on the loopback address alone. /etc/pam.d/ftpsd says who may come in, for example:

    auth    required pam_unix.so
    account required pam_unix.so
    account required pam_succeed_if.so quiet uid >= 1000 user ingroup ftpusers
"""

import ctypes
import hmac
import http.server
import json
import re
import sys

TOKEN = open(sys.argv[1]).read().strip()
PORT = int(sys.argv[2])
SERVICE = b"ftpsd"

pam = ctypes.CDLL("libpam.so.0")
libc = ctypes.CDLL("libc.so.6")
libc.calloc.restype = libc.strdup.restype = ctypes.c_void_p


class Message(ctypes.Structure):
    _fields_ = [("style", ctypes.c_int), ("text", ctypes.c_char_p)]


class Response(ctypes.Structure):
    _fields_ = [("text", ctypes.c_void_p), ("code", ctypes.c_int)]


Converse = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.c_int, ctypes.POINTER(ctypes.POINTER(Message)), ctypes.POINTER(ctypes.c_void_p), ctypes.c_void_p
)


class Conversation(ctypes.Structure):
    _fields_ = [("function", Converse), ("data", ctypes.c_void_p)]


def may_log_in(name, password, address):
    """Whether PAM lets the user in: the password is right, and the account may be used."""

    def answer(count, messages, responses, _data):
        memory = libc.calloc(count, ctypes.sizeof(Response))  # which PAM frees
        array = ctypes.cast(memory, ctypes.POINTER(Response))
        for index in range(count):
            if messages[index].contents.style == 1:  # a question whose answer is not shown
                array[index].text = libc.strdup(password)
        responses[0] = memory
        return 0

    handle = ctypes.c_void_p()
    conversation = Conversation(Converse(answer), None)
    if pam.pam_start(SERVICE, name, ctypes.byref(conversation), ctypes.byref(handle)) != 0:
        return False
    try:
        pam.pam_set_item(handle, 4, ctypes.c_char_p(address))  # PAM_RHOST
        # No empty password (PAM_DISALLOW_NULL_AUTHTOK), and then: not expired, not locked.
        return pam.pam_authenticate(handle, 1) == 0 and pam.pam_acct_mgmt(handle, 1) == 0
    finally:
        pam.pam_end(handle, 0)


class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        if not hmac.compare_digest(self.headers.get("authorization", ""), f"Bearer {TOKEN}"):
            return self.reply(500)
        asked = json.loads(self.rfile.read(min(int(self.headers["content-length"]), 65536)))
        name, password = asked["username"], asked["password"]
        if not re.fullmatch(r"[a-z_][a-z0-9_.-]{0,31}", name) or "\0" in password:  # which no host has
            name = "nobody"
        if may_log_in(name.encode(), password.encode(), asked["address"].encode()):
            return self.reply(200, {"home": name, "permissions": "elradfmw"})
        return self.reply(403)

    def reply(self, status, entry=None):
        body = b"" if entry is None else json.dumps(entry).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments):
        """The server's log has who has logged in."""


http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Hook).serve_forever()
