# Answers questions on stdin/stdout about a heap that threads keep changing.
import hashlib, sys, threading, time

heap = [bytearray(i % 251 for i in range(3000)) for _ in range(int(sys.argv[1]))]
counter = [0, 0, 0]
stop = [False]
extra = []


def spin(which):
    while not stop[0]:
        counter[which] += 1
        time.sleep(0.0005)


for which in range(3):
    threading.Thread(target=spin, args=(which,), daemon=True).start()


def digest():
    h = hashlib.sha256()
    for block in heap:
        h.update(block)
    h.update(str(len(extra)).encode())
    return h.hexdigest()


sys.stdout.write("ready\n")
sys.stdout.flush()
for line in sys.stdin:
    word, _, rest = line.strip().partition(" ")
    if word == "digest":
        answer = digest()
    elif word == "mutate":
        seed = int(rest)
        for i in range(0, len(heap), 7):
            heap[i] = bytearray((seed + i) % 256 for _ in range(3000))
        extra.append(bytearray(4 << 20))
        answer = digest()
    elif word == "thread":
        t = threading.Thread(target=spin, args=(0,), daemon=True)
        t.start()
        answer = str(threading.active_count())
    elif word == "threads":
        answer = str(threading.active_count())
    elif word == "count":
        answer = str(sum(counter))
    sys.stdout.write(answer + "\n")
    sys.stdout.flush()
