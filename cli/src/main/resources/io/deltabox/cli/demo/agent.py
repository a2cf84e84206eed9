"""An agent's program: agent.py SOCKET MEGABYTES. Keeps live objects and five threads, and answers questions over a Unix socket.

One question per connection, one line each way:
  digest       over all objects and buffers, what the threads hold, and the counters
  threads      thread ids of all five, asked from each thread itself
  work SEED    changes some thousand objects here and there
  wreck SEED   throws a part of everything away, fills in new things, ends one thread and starts another
"""
import gc
import hashlib
import marshal
import os
import queue
import random
import socket
import sys
import threading
import time

MEGABYTE = 1 << 20
path, megabytes = sys.argv[1], int(sys.argv[2])
state = {"steps": 0, "notes": []}
ticks = 0


def make_block(rng, size):
    return [{"id": rng.randrange(1 << 30), "name": "n%08x" % rng.randrange(1 << 32), "list": [i, i + 1.5]} for i in range(size)]


def build(rng):
    """Half of it small objects, half of it buffers. Blocks, so that reading one object does not touch the count of each."""
    blocks = [make_block(rng, 1000) for _ in range(megabytes * MEGABYTE // 2 // 390_000)]
    buffers = [bytearray(rng.randbytes(MEGABYTE)) for _ in range(megabytes // 2)]
    return blocks, buffers


class Worker(threading.Thread):
    def __init__(self, name):
        super().__init__(name=name, daemon=True)
        self.inbox = queue.SimpleQueue()
        self.held = 0

    def run(self):
        while True:
            item, answer = self.inbox.get()
            if item is None:
                return
            self.held += item
            answer.put((self.name, threading.get_native_id(), self.held))

    def ask(self, item):
        answer = queue.SimpleQueue()
        self.inbox.put((item, answer))
        return answer.get(timeout=10)


def tick():
    """The fifth thread never stands still for long."""
    global ticks
    while True:
        ticks += 1
        time.sleep(0.002)


def digest():
    h = hashlib.sha256()
    for block in blocks:
        h.update(marshal.dumps(block, 2))
    for buffer in buffers:
        h.update(buffer)
    h.update(repr((state, [(w.name, w.held) for w in workers])).encode())
    return h.hexdigest()[:32]


def threads():
    found = ["main=%d" % threading.get_native_id(), "ticker=%d" % ticker.native_id]
    found += ["%s=%d:%d" % worker.ask(0) for worker in workers]
    before = ticks
    while ticks == before:
        time.sleep(0.001)
    return " ".join(found)


def work(seed):
    rng = random.Random(seed)
    state["steps"] += 1
    state["notes"].append("step %d seed %d" % (state["steps"], seed))
    for _ in range(600):
        blocks[rng.randrange(len(blocks))][rng.randrange(1000)]["name"] = "w%08x" % rng.randrange(1 << 32)
        buffer = buffers[rng.randrange(len(buffers))]
        buffer[rng.randrange(len(buffer))] = rng.randrange(256)
    for worker in workers:
        worker.ask(rng.randrange(1000))
    return "step %d" % state["steps"]


def wreck(seed):
    rng = random.Random(seed)
    part = len(blocks) // 24
    at = rng.randrange(len(blocks) - part)
    blocks[at : at + part] = [make_block(rng, 1000) for _ in range(part // 2)]
    for buffer in buffers[::24]:
        buffer[:] = b"\0" * len(buffer)
    del buffers[-4:]
    ending = workers.pop(rng.randrange(len(workers)))
    ending.inbox.put((None, None))
    ending.join()
    started = Worker("stray")
    started.start()
    workers.append(started)
    state["steps"] = -1
    return "wrecked"


def answer(words):
    if words[0] == "digest":
        return digest()
    if words[0] == "threads":
        return threads()
    if words[0] == "work":
        return work(int(words[1]))
    if words[0] == "wreck":
        return wreck(int(words[1]))
    return "unknown question: %r" % words


zombie = os.fork()
if not zombie:
    os._exit(7)  # nobody waits for it
blocks, buffers = build(random.Random(1))
workers = [Worker("worker%d" % i) for i in range(3)]
for w in workers:
    w.start()
ticker = threading.Thread(target=tick, daemon=True)
ticker.start()
gc.freeze()
server = socket.socket(socket.AF_UNIX)
server.bind(path)
server.listen(8)
print("ready", os.getpid(), flush=True)
while True:
    peer, _ = server.accept()
    with peer:
        line = peer.makefile().readline()
        try:
            text = answer(line.split())
        except Exception as e:
            text = "failed: %r" % e
        peer.sendall((text + "\n").encode())
