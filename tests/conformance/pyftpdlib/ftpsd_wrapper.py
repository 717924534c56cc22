"""The stand-in for the class that pyftpdlib's tests start their server with."""

import os
import types

from settings import translate

# Attribute of pyftpdlib's handler that is called for an event; the arguments come from the event.
CALLBACKS = {
    "connected": ("on_connect", lambda event: ()),
    "disconnected": ("on_disconnect", lambda event: ()),
    "loginSucceeded": ("on_login", lambda event: (event["username"],)),
    # No event has a password.
    "loginFailed": ("on_login_failed", lambda event: (event["username"], None)),
    "loggedOut": ("on_logout", lambda event: (event["username"],)),
    "fileSent": ("on_file_sent", lambda event: (event["path"],)),
    "fileReceived": ("on_file_received", lambda event: (event["path"],)),
}


def make_wrapper(process, suite):
    """A class with the interface of the suite's own whose servers are ftpsd's, run by the given process."""

    class FtpdWrapper:
        handler = suite.FTPHandler

        def __init__(self, addr=None):
            self.host = "127.0.0.1" if addr is None else addr[0]
            self.port = None
            # Where the tests set limits and callbacks. Nothing else of a server is there to be reached.
            self.server = types.SimpleNamespace(max_cons=0, max_cons_per_ip=0, handler=self.handler)
            self.handler.auth_failed_timeout = 0.001

        def start(self):
            options = translate(self.handler, self.server)
            self.port = process.start(self.host, os.getcwd(), options, callback_caller(self.server.handler))

        def stop(self):
            process.stop()
            suite.reset_server_opts()

    return FtpdWrapper


def callback_caller(handler_class):
    """Calls the methods that a test's handler class has for events."""
    handler = handler_class.__new__(handler_class)

    def on_event(event):
        name, arguments = callback_of(event)
        if name in vars(handler_class):
            getattr(handler, name)(*arguments)

    return on_event


def callback_of(event):
    if event["event"] == "transferIncomplete":
        direction = "sent" if event["command"] == "RETR" else "received"
        return f"on_incomplete_file_{direction}", (event["path"],)
    name, arguments = CALLBACKS.get(event["event"], (None, None))
    return name, () if name is None else arguments(event)
