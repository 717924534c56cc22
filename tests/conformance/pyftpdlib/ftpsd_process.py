"""The program serve_on_request.ts in a process of its own, and what it tells."""

import json
import pathlib
import queue
import subprocess
import threading

PROGRAM = pathlib.Path(__file__).with_name("serve_on_request.ts")
DEADLINE_SECONDS = 20


class RequestFailed(Exception):
    """The server said why it does not do what was asked."""


class FtpsdProcess:
    """A running program; it serves one server at a time. Closed by whoever made it."""

    def __init__(self, deno):
        command = [deno, "run", "--no-prompt", "--allow-net", "--allow-read", "--allow-write", str(PROGRAM)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._answers = queue.Queue()
        self._on_event = ignore
        self.errors = []
        # One thread for all tests: they complain of threads that come while they run.
        self._reader = threading.Thread(target=self._read, name="ftpsd", daemon=True)
        self._reader.start()

    def start(self, host, home, options, on_event):
        """Starts a server and tells its port. Each event until the answer to stop() is passed to on_event."""
        self._on_event = on_event
        return self._ask({"start": {"host": host, "home": home, "server": options}})["started"]["port"]

    def stop(self):
        """Stops the server. Every event has been passed on then."""
        self._ask({"stop": True})
        self._on_event = ignore

    def check(self, arguments):
        """What `ftpsd check` says about a command line: whether it is clean, findings, settings."""
        return self._ask({"check": arguments})["checked"]

    def close(self):
        """Ends the program."""
        self._process.stdin.close()
        self._reader.join(DEADLINE_SECONDS)
        self._process.stdout.close()

    def _ask(self, request):
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = self._answers.get(timeout=DEADLINE_SECONDS)
        if "failed" in answer:
            raise RequestFailed(answer["failed"])
        return answer

    def _read(self):
        for line in self._process.stdout:
            message = json.loads(line)
            if "event" not in message:
                self._answers.put(message)
                continue
            try:
                if message["event"] == "internalError":
                    raise RuntimeError(message["message"])
                self._on_event(message)
            except Exception as error:  # told to the test that runs; the thread has to go on
                self.errors.append(error)
        self._answers.put({"failed": f"serve_on_request.ts has ended with status {self._process.wait()}"})


def ignore(_event):
    """Nobody wants to know."""
