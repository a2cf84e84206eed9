"""The measured program in Python: workload.py RSS_BYTES THREADS DIRECTORY, with the words of workload.c.

Memory is live objects and one array of bytes that fills it up to RSS_BYTES; "dirty N F" stores into N distinct pages of the array, uniformly
spread, and writes F small files.
"""
import hashlib
import math
import os
import random
import sys
import threading
import time

PAGE = 4096
size = int(sys.argv[1])
threads = int(sys.argv[2])
directory = sys.argv[3]
sys.setswitchinterval(0.0005)
rng = random.Random(5)
objects = [{"id": i, "name": "n%09d" % i, "list": [i, i + 1]} for i in range(size // 2 // 330)]
memory = bytearray(os.urandom(1 << 20) * max(1, size // 2 >> 20))
pages = len(memory) // PAGE
gap = 0
work = 0
stop = None


def witness():
    global gap
    last = time.monotonic_ns()
    while True:
        now = time.monotonic_ns()
        if now - last > gap:
            gap = now - last
        last = now


def run():
    global work
    while True:
        work += 1


def dirty(count):
    step = rng.randrange(1, pages)
    while math.gcd(step, pages) != 1:
        step = rng.randrange(1, pages)
    at = rng.randrange(pages)
    for _ in range(min(count, pages)):
        memory[at * PAGE + rng.randrange(PAGE)] = rng.randrange(256)
        at = (at + step) % pages


def write_files(count):
    for i in range(count):
        with open("%s/file%d" % (directory, i), "wb") as f:
            f.write(rng.randbytes(1024))


def say(text):
    os.write(1, (text + "\n").encode())


def answer(words):
    global gap, stop
    if words[0] == "dirty":
        write_files(int(words[2]))
        dirty(int(words[1]))
        say("ready")
    elif words[0] == "gap":
        say("gap %d" % gap)
    elif words[0] == "reset":
        gap = 0
        say("reset")
    elif words[0] == "digest":
        h = hashlib.blake2b(memory, digest_size=8)
        h.update(repr(objects[:: max(1, len(objects) // 5000)]).encode())
        say("digest " + h.hexdigest())
    elif words[0] == "thread+":
        stop = threading.Event()
        threading.Thread(target=stop.wait, daemon=True, name="extra").start()
        say("done")
    elif words[0] == "thread-":
        stop.set()
        for t in threading.enumerate():
            if t.name == "extra":
                t.join()
        say("done")
    else:
        say("BAD unknown: %s" % words)


for k in range(1, threads):
    target = witness if k == 1 else run if k == 2 else threading.Event().wait
    threading.Thread(target=target, daemon=True).start()
say("ready")
buffer = b""
while True:
    data = os.read(0, 4096)
    if not data:
        os._exit(0)
    buffer += data
    while b"\n" in buffer:
        line, buffer = buffer.split(b"\n", 1)
        answer(line.decode().split())
