"""Runs a program whose standard error fails: python3 failing_stderr.py nonblocking|terminal PROGRAM [ARGUMENT ...]

nonblocking: a write that finds no room in the pipe fails with EAGAIN.
terminal: lines come here until one has "Ctrl-C stops" in it; then the terminal is gone, and a write fails with EIO.
"""

import fcntl
import os
import pty
import signal
import sys

kind, program = sys.argv[1], sys.argv[2:]

if kind == "nonblocking":
    fcntl.fcntl(2, fcntl.F_SETFL, fcntl.fcntl(2, fcntl.F_GETFL) | os.O_NONBLOCK)
    os.execvp(program[0], program)

outside, inside = pty.openpty()
child = os.fork()
if child == 0:
    os.close(outside)
    os.dup2(inside, 2)
    os.execvp(program[0], program)
os.close(inside)
for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR2):
    signal.signal(number, lambda number, _: os.kill(child, number))
text = b""
while b"Ctrl-C stops" not in text or not text.endswith(b"\n"):
    piece = os.read(outside, 65536)
    os.write(2, piece.replace(b"\r\n", b"\n"))
    text += piece
os.close(outside)
os.write(2, b"the terminal is gone\n")
_, status = os.waitpid(child, 0)
sys.exit(os.waitstatus_to_exitcode(status))
