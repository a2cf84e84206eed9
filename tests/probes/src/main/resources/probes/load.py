"""A Python program under load: objects made and dropped, threads born and ended, locks. Questions on standard input, one word per line."""
import gc
import hashlib
import os
import random
import sys
import threading
import time

megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else 20
random.seed(7)
sys.setswitchinterval(0.0005)
data = [{"id": i, "s": "x%09d" % i, "v": [i, i + 1]} for i in range(megabytes * 1000000 // 330)]
lock = threading.Lock()
cond = threading.Condition(lock)
total = 0
per = [0] * 64
log = []
stop = [False] * 64
extra = []
threads = {}
next_worker = 0


def worker(k):
    global total
    while True:
        with cond:
            if stop[k]:
                return
            total += 1
            per[k] += 1
            log.append((k, per[k]))
            if len(log) > 50000:
                del log[:25000]
            j = (total * 7919) % len(data)
            data[j]["v"][0] += 1
        if total % 64 == 0:
            time.sleep(0.001)


def start():
    global next_worker
    k = next_worker % 64
    next_worker += 1
    stop[k] = False
    t = threading.Thread(target=worker, args=(k,), daemon=True)
    t.start()
    threads[k] = t  # started: until then it is not alive


def end():
    k = min(threads)
    with cond:
        stop[k] = True
    threads.pop(k).join()


def churn(rng):
    """Allocates and frees in all sizes, so that arenas are mapped and unmapped."""
    for _ in range(rng.randrange(1, 4)):
        extra.append([("y%d" % j) * rng.randrange(1, 5) for j in range(3000)])
    extra.append(bytearray(rng.randrange(1, 3 << 20)))
    while len(extra) > 12:
        extra.pop(rng.randrange(len(extra)))
    for i in range(rng.randrange(97), len(data), 97):
        data[i]["v"] = [i * 2, i]


def invariant():
    with lock:
        if total != sum(per):
            return "BAD total %d sum %d" % (total, sum(per))
        last = {}
        for k, c in log:
            if k in last and c != last[k] + 1:
                return "BAD log of %d" % k
            last[k] = c
        for i in range(0, len(data), 101):
            if data[i]["s"] != "x%09d" % data[i]["id"]:
                return "BAD object %d" % i
        for t in threads.values():
            if not t.is_alive():
                return "BAD thread ended by itself"
    return "ok"


def digest():
    with lock:
        h = hashlib.md5(repr((total, per, len(log), len(extra), sorted(threads))).encode())
        for d in data:
            h.update(b"%d %d" % (d["id"], d["v"][0]))
        return h.hexdigest()


for _ in range(4):
    start()


def live():
    """Goes on by itself, so that every moment is another state."""
    rng = random.Random(11)
    while True:
        churn(rng)
        if rng.randrange(4) == 0:
            start()
            end()
        gc.collect(0)
        time.sleep(0.003)


threading.Thread(target=live, daemon=True).start()
print("ready", flush=True)
while True:
    line = os.read(0, 100).decode()
    if not line:
        os._exit(0)
    for word in line.split():
        if word == "check":
            print(invariant(), flush=True)
        elif word == "digest":
            print(digest(), flush=True)
