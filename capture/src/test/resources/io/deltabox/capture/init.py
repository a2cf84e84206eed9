# Pid 1 of a plain pid namespace: starts one program, reaps, and sets the next process number when the engine asks.
import os, select, signal, socket, struct, sys

engine = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
engine.connect(sys.argv[1])
last = os.open("/proc/sys/kernel/ns_last_pid", os.O_RDWR)
signal.signal(signal.SIGCHLD, lambda *_: None)
wake_r, wake_w = os.pipe2(os.O_NONBLOCK)
signal.set_wakeup_fd(wake_w)
child = os.fork()
if child == 0:
    os.close(last)
    engine.close()
    os.setsid()
    os.execv(sys.argv[2], sys.argv[2:])
while True:
    ready, _, _ = select.select([engine, wake_r], [], [])
    if wake_r in ready:
        os.read(wake_r, 4096)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            pass
    if engine in ready:
        request = engine.recv(8)
        if not request:
            sys.exit(0)
        op, value = struct.unpack("II", request)
        result = 0
        try:
            if op == 1:
                os.pwrite(last, str(value).encode(), 0)
        except OSError as e:
            result = -e.errno
        engine.send(struct.pack("iI", result, value))
