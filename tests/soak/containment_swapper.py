"""Swaps a folder and a symbolic link by RENAME_EXCHANGE, until SIGTERM. Linux and the standard library only.

usage: containment_swapper.py FOLDER LINK PATTERN SEED

PATTERN:
  constant  back and forth without a pause
  rare      there and back after a pause of up to 2 ms, with up to 20 us between
  once      there and back after a pause of 3 to 4 s, so that the folder around looks untouched before

Prints "swapping", and at the end the number of swaps; FOLDER is a folder again then.
"""

import ctypes
import os
import random
import signal
import sys
import time

FOLDER, LINK = (os.fsencode(path) for path in sys.argv[1:3])
PATTERN, SEED = sys.argv[3], int(sys.argv[4])
AT_FDCWD, RENAME_EXCHANGE = -100, 2
LIBC = ctypes.CDLL(None, use_errno=True)
BATCH = 50
PAUSES = {"constant": (0, 0, 0), "rare": (0, 0.002, 0.00002), "once": (3, 4, 0.00002)}

stopped = False
swaps = 0


def stop(*_):
    global stopped
    stopped = True


def swap():
    global swaps
    if LIBC.renameat2(AT_FDCWD, FOLDER, AT_FDCWD, LINK, RENAME_EXCHANGE) != 0:
        raise OSError(ctypes.get_errno(), "cannot swap", os.fsdecode(FOLDER))
    swaps += 1


def spin(seconds):
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


def run():
    chance = random.Random(SEED)
    shortest, longest, between = PAUSES[PATTERN]
    while not stopped:
        if longest == 0:
            for _ in range(2 * BATCH):
                swap()
            continue
        time.sleep(chance.uniform(shortest, longest))
        swap()
        spin(chance.uniform(0, between))
        swap()


signal.signal(signal.SIGTERM, stop)
print("swapping", flush=True)
run()
print(swaps)
