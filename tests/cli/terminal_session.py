"""Runs a program in a terminal of its own, waits for a text, sends it a key or a signal, and tells how it has left the terminal.

usage: terminal_session.py TEXT KEY|SIGTERM PROGRAM ARGUMENT...
"""
import fcntl
import json
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time

text, how, *command = sys.argv[1:]
ours, its = pty.openpty()
fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
before = termios.tcgetattr(its)
process = subprocess.Popen(command, stdin=its, stdout=its, stderr=its, start_new_session=True)
shown = b""


def read_until(is_done, seconds):
    global shown
    end = time.time() + seconds
    while not is_done() and time.time() < end:
        if select.select([ours], [], [], 0.1)[0]:
            shown += os.read(ours, 65536)


read_until(lambda: text.encode() in shown, 20)
if how == "SIGTERM":
    process.send_signal(signal.SIGTERM)
else:
    os.write(ours, how.encode())
read_until(lambda: process.poll() is not None, 10)
read_until(lambda: False, 0.3)
status = process.poll()
if status is None:
    process.kill()
after = termios.tcgetattr(its)
print(json.dumps({"status": status, "isRestored": after == before, "shown": shown.decode(errors="replace")}))
