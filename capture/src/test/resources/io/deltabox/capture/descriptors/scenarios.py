"""Programs that set descriptors up, have them disturbed, and check them after a rollback.

Used with and without memory going back: a check must not need what a disturbance remembered. Raw calls throughout, so that no
buffer of Python's own is involved."""
import ctypes, fcntl, mmap, os, select, signal, socket, struct, sys, termios, time, traceback

S = {}
libc = ctypes.CDLL(None, use_errno=True)


def put(name, data=b"0123456789"):
    fd = os.open(name, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o644)
    os.write(fd, data)
    os.close(fd)


def at(fd, number):
    """Moves a descriptor to a number."""
    if fd != number:
        os.dup2(fd, number, inheritable=False)
        os.close(fd)
    return number


def syscall(number, *args):
    result = libc.syscall(number, *args)
    if result < 0:
        raise OSError(ctypes.get_errno(), "syscall %d" % number)
    return result


def timerfd_create(clock, flags=0):
    return syscall(283, clock, flags | 0o2000000)


def timerfd_set(fd, flags, value, interval):
    spec = struct.pack("qqqq", int(interval), round(interval % 1 * 1e9), int(value), int(value % 1 * 1e9))
    syscall(286, fd, flags, spec, None)


def timerfd_get(fd):
    spec = ctypes.create_string_buffer(32)
    syscall(287, fd, spec)
    i, ins, v, vns = struct.unpack("qqqq", spec)
    return v + vns / 1e9, i + ins / 1e9


def signalfd_set(fd, signals):
    mask = sum(1 << (s - 1) for s in signals)
    return syscall(289, fd, struct.pack("Q", mask), 8, 0o2000000)


def epoll_ctl(fd, op, member, events, data):
    syscall(233, fd, op, member, struct.pack("<IQ", events & 0xFFFFFFFF, data))


def epoll_wait(fd):
    events = ctypes.create_string_buffer(120)
    n = syscall(232, fd, events, 10, 0)
    return [struct.unpack_from("<IQ", events, 12 * i) for i in range(n)]


def is_open(fd):
    try:
        fcntl.fcntl(fd, fcntl.F_GETFD)
        return True
    except OSError:
        return False


def eq(found, expected):
    assert found == expected, "found=%r expected=%r" % (found, expected)


def nonblocking(fd):
    return bool(fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_NONBLOCK)


class regular:
    def setup():
        put("a")
        at(os.open("a", os.O_RDWR | os.O_APPEND), 10)
        at(os.open("a", os.O_RDONLY | os.O_NONBLOCK), 11)
        os.lseek(10, 3, 0), os.lseek(11, 7, 0)

    def disturb():
        os.lseek(10, 0, 2), os.read(11, 1)
        fcntl.fcntl(10, fcntl.F_SETFL, os.O_NONBLOCK)
        fcntl.fcntl(11, fcntl.F_SETFL, 0)

    def check():
        eq(os.lseek(10, 0, 1), 3), eq(os.read(11, 2), b"78")
        assert fcntl.fcntl(10, fcntl.F_GETFL) & os.O_APPEND and not nonblocking(10) and nonblocking(11)


class reopened:
    def setup():
        put("a"), put("b", b"bbbbbb")
        at(os.open("a", os.O_RDWR), 10)
        at(os.open("b", os.O_RDONLY), 11)
        os.lseek(10, 4, 0), os.lseek(11, 2, 0)

    def disturb():
        os.close(10), os.close(11)
        at(os.open("b", os.O_RDONLY), 10)
        at(os.open("a", os.O_RDONLY), 12)
        # another inode under the old name: what the files part leaves behind when it re-makes a file
        put("c"), os.rename("c", "a")

    def check():
        eq(os.read(10, 3), b"456"), os.write(10, b"X")
        eq(os.read(11, 9), b"bbbb")
        eq(os.fstat(10).st_ino, os.stat("a").st_ino)
        assert not is_open(12)


class shared:
    def setup():
        put("a")
        at(os.open("a", os.O_RDWR), 10)
        os.dup2(10, 11), os.dup2(10, 12, False)
        os.lseek(10, 2, 0)

    def disturb():
        os.close(10), os.close(11)
        at(os.open("a", os.O_RDWR), 11)
        at(os.open("a", os.O_RDWR), 20)

    def check():
        eq(os.read(10, 1), b"2"), eq(os.read(11, 1), b"3"), eq(os.read(12, 1), b"4")
        assert os.get_inheritable(11) and not os.get_inheritable(12) and not is_open(20)


class unshared:
    def setup():
        put("a")
        at(os.open("a", os.O_RDWR), 10)
        at(os.open("a", os.O_RDWR), 11)
        os.lseek(10, 2, 0), os.lseek(11, 2, 0)

    def disturb():
        os.dup2(10, 11)

    def check():
        eq(os.read(10, 1), b"2"), eq(os.read(11, 2), b"23"), eq(os.read(10, 1), b"3")


class numbers:
    """Descriptors change places, so that each must be moved before its number is overwritten."""

    def setup():
        for i, n in enumerate((3, 4, 5, 6, 7, 30)):
            if is_open(n):
                os.close(n)
        for n in (3, 4, 5, 6, 7, 30):
            put("f%d" % n, b"%d" % n)
            at(os.open("f%d" % n, os.O_RDONLY), n)

    def disturb():
        os.dup2(3, 40), os.dup2(4, 3), os.dup2(5, 4), os.dup2(40, 5), os.close(40)
        os.close(6), os.close(7), os.close(30)

    def check():
        for n in (3, 4, 5, 6, 7, 30):
            eq(os.read(n, 9), b"%d" % n)


class cloexec:
    def setup():
        put("a")
        at(os.open("a", os.O_RDONLY), 10)
        at(os.open("a", os.O_RDONLY), 11)
        os.set_inheritable(10, True)

    def disturb():
        os.set_inheritable(10, False), os.set_inheritable(11, True)

    def check():
        assert os.get_inheritable(10) and not os.get_inheritable(11)


class orphan:
    """A file without a name, changed since: bytes, holes, size, offset; held by two descriptors."""

    def setup():
        at(os.open("gone", os.O_CREAT | os.O_RDWR), 10)
        os.write(10, b"hello")
        os.pwrite(10, b"far", 100000)
        at(os.open("gone", os.O_RDONLY), 11)
        os.unlink("gone"), os.lseek(10, 5, 0)

    def disturb():
        os.write(10, b"HELLO" * 4000), os.ftruncate(10, 300000)

    def check():
        eq(os.fstat(10).st_size, 100003), eq(os.pread(11, 5, 0), b"hello"), eq(os.pread(10, 3, 100000), b"far")
        eq(os.pread(10, 20000, 5), bytes(20000)), eq(os.lseek(10, 0, 1), 5)


class orphan_gone:
    def setup():
        orphan.setup()

    def disturb():
        os.close(10), os.close(11)

    def check():
        orphan.check()
        eq(os.fstat(10).st_nlink, 0), eq(os.fstat(10).st_ino, os.fstat(11).st_ino)
        os.write(10, b"more"), eq(os.pread(11, 4, 5), b"more")


class directory:
    def setup():
        os.mkdir("d"), os.mkdir("e")
        at(os.open("d", os.O_RDONLY | os.O_DIRECTORY), 10)
        at(os.open("e", os.O_PATH), 11)

    def disturb():
        os.close(10), os.close(11)
        at(os.open("e", os.O_RDONLY), 10)

    def check():
        eq(os.fstat(10).st_ino, os.stat("d").st_ino), eq(os.fstat(11).st_ino, os.stat("e").st_ino)
        put("d/x"), eq(os.listdir(10), ["x"])


class devices:
    def setup():
        for n, name in enumerate(("null", "zero", "full", "random", "urandom")):
            at(os.open("/dev/" + name, os.O_RDWR), 10 + n)

    def disturb():
        for n in range(4):
            os.close(10 + n)
        os.dup2(14, 11)

    def check():
        for n, name in enumerate(("null", "zero", "full", "random", "urandom")):
            eq(os.fstat(10 + n).st_rdev, os.stat("/dev/" + name).st_rdev)
        eq(os.read(11, 3), b"\0\0\0"), eq(os.read(10, 3), b"")


class pipe:
    def setup():
        r, w = os.pipe()
        at(r, 10), at(w, 11)
        os.write(11, b"queued")

    def disturb():
        eq(os.read(10, 3), b"que"), os.write(11, b"other")

    def check():
        eq(os.read(10, 99), b"queued"), os.write(11, b"on"), eq(os.read(10, 99), b"on")


class pipe_gone:
    def setup():
        pipe.setup()
        fcntl.fcntl(10, fcntl.F_SETFL, os.O_NONBLOCK)
        fcntl.fcntl(11, 1031, 1 << 17)

    def disturb():
        os.close(10), os.close(11)

    def check():
        pipe.check()
        assert nonblocking(10) and not nonblocking(11)
        eq(fcntl.fcntl(10, 1032), 1 << 17)
        os.close(11), eq(os.read(10, 9), b"")


class pipe_end:
    """Only one end was closed: what is made again must be that end of the same pipe."""

    def setup():
        pipe.setup()

    def disturb():
        os.close(11), eq(os.read(10, 99), b"queued"), eq(os.read(10, 9), b"")

    def check():
        pipe.check()


class pipe_full:
    def setup():
        pipe.setup()
        os.set_blocking(11, False)
        S["n"] = 6
        try:
            while True:
                S["n"] += os.write(11, b"y" * 1000)
        except BlockingIOError:
            pass

    def disturb():
        os.read(10, 30000)

    def check():
        data = os.read(10, 1 << 20)
        eq(len(data), S["n"]), assert_true(data.startswith(b"queuedyyy") and set(data[6:]) == {ord("y")})


def assert_true(value):
    assert value


class pipe_packets:
    def setup():
        r, w = os.pipe2(os.O_DIRECT)
        at(r, 10), at(w, 11)
        os.write(11, b"one"), os.write(11, b"second"), os.write(11, b"3")

    def disturb():
        os.read(10, 99), os.read(10, 99), os.write(11, b"new")

    def check():
        eq([os.read(10, 99), os.read(10, 99), os.read(10, 99)], [b"one", b"second", b"3"])


class fifo:
    def setup():
        os.mkfifo("q")
        at(os.open("q", os.O_RDWR), 12)
        at(os.open("q", os.O_RDONLY | os.O_NONBLOCK), 10)
        at(os.open("q", os.O_WRONLY), 11)
        os.close(12), os.write(11, b"in the fifo")

    def disturb():
        os.read(10, 4), os.close(11), os.close(10)

    def check():
        eq(os.read(10, 99), b"in the fifo"), os.write(11, b"x"), eq(os.read(10, 9), b"x")


def eventfd_raw(count, flags=0):
    return os.eventfd(count, flags | os.EFD_CLOEXEC)


class eventfd:
    def setup():
        at(eventfd_raw(7), 10)
        at(eventfd_raw(3, os.EFD_SEMAPHORE | os.EFD_NONBLOCK), 11)
        at(eventfd_raw(0, os.EFD_NONBLOCK), 12)
        at(eventfd_raw(5), 13)

    def disturb():
        os.eventfd_read(10), os.eventfd_read(11), os.eventfd_write(12, 9), os.close(13)

    def check():
        eq(os.eventfd_read(10), 7), eq(os.eventfd_read(13), 5)
        eq([os.eventfd_read(11) for _ in range(3)], [1, 1, 1])
        for fd in (11, 12):
            try:
                os.eventfd_read(fd)
                assert False
            except BlockingIOError:
                pass


class memfd:
    def setup():
        at(os.memfd_create("first"), 10)
        at(os.memfd_create("second", os.MFD_ALLOW_SEALING | os.MFD_CLOEXEC), 11)
        os.write(10, b"a" * 9000), os.write(11, b"sealed")
        fcntl.fcntl(11, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW)
        at(os.open("/proc/self/fd/10", os.O_RDONLY), 12)

    def disturb():
        os.pwrite(10, b"b" * 100, 50), os.ftruncate(10, 20000)
        os.close(11)

    def check():
        eq(os.pread(12, 99999, 0), b"a" * 9000), eq(os.lseek(10, 0, 1), 9000)
        eq(os.pread(11, 99, 0), b"sealed")
        eq(fcntl.fcntl(11, fcntl.F_GET_SEALS), fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW)


class memfd_mapped:
    """The descriptor was closed, but a mapping of the same file lives on."""

    def setup():
        at(os.memfd_create("mapped"), 10)
        os.ftruncate(10, 8192)
        S["map"] = mmap.mmap(10, 8192)
        S["map"][:5] = b"hello"

    def disturb():
        # the mapping holds a descriptor of its own in Python
        for fd in range(3, 40):
            if is_open(fd):
                os.close(fd)
        S["map"][:5] = b"other"

    def check():
        eq(os.pread(10, 5, 0), b"hello"), eq(S["map"][:5], b"hello")
        os.pwrite(10, b"again", 4096), eq(S["map"][4096:4101], b"again")


class many:
    """More than one message of descriptors, in scattered numbers."""

    def setup():
        import resource
        resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
        put("a")
        for n in range(600):
            fd = os.open("a", os.O_RDONLY)
            os.lseek(fd, n % 10, 0)
            os.dup2(fd, 1000 + (n * 7) % 600), os.close(fd)

    def disturb():
        os.closerange(1000, 1599)

    def check():
        for n in range(600):
            eq(os.read(1000 + (n * 7) % 600, 1), b"%d" % (n % 10))


class forked:
    """Parent and child share an offset and a pipe; both have lost them."""

    def setup():
        put("a")
        at(os.open("a", os.O_RDWR), 10)
        r, w = os.pipe()
        at(r, 11), at(w, 12), os.write(12, b"both")
        down, up = os.pipe(), os.pipe()
        if os.fork() == 0:
            os.close(down[1]), os.close(up[0]), os.close(0), os.close(1), os.close(11)
            serve(down[0], up[1], {"disturb": forked.child_disturb, "check": forked.child_check})
        os.close(down[0]), os.close(up[1]), os.close(12)
        S["down"], S["up"] = down[1], up[0]
        os.lseek(10, 1, 0)

    def child_disturb():
        os.close(10), os.close(12)

    def child_check():
        eq(os.read(10, 2), b"12"), os.write(12, b"+child")

    def tell(word):
        os.write(S["down"], word.encode() + b"\n")
        eq(os.read(S["up"], 999), b"done\n")

    def disturb():
        forked.tell("disturb")
        eq(os.read(11, 99), b"both"), eq(os.read(11, 99), b"")
        os.close(10), os.close(11)

    def check():
        forked.tell("check")
        eq(os.read(10, 1), b"3"), eq(os.read(11, 99), b"both+child")


class outside:
    """A command closes its own output; the reader is outside and still there."""

    def setup():
        at(os.dup(1), 10)

    def disturb():
        say("disturbed")
        os.close(1), os.close(10)

    def check():
        eq(os.fstat(1).st_ino, os.fstat(10).st_ino)


class timerfd:
    TIMERS = ((10, 1, 0, 5000, 0), (11, 1, 1, 7000, 250), (12, 7, 0, 0, 0), (13, 0, 1, 9000, 0))

    def setup():
        for fd, clock, flags, ms, every in timerfd.TIMERS:
            at(timerfd_create(clock), fd)
            base = time.clock_gettime(clock) if flags else 0
            if ms:
                timerfd_set(fd, flags, base + ms / 1000, every / 1000)
        at(timerfd_create(1, 0o4000), 14)
        timerfd_set(14, 0, 0.0001, 0.0005)
        select.select([14], [], [])
        timerfd_set(14, 0, 60, 0)
        at(timerfd_create(1), 15)
        timerfd_set(15, 0, 0.0001, 0)
        select.select([15], [], [])

    def disturb():
        for fd in (10, 11, 12, 13):
            timerfd_set(fd, 0, 300, 3)
        timerfd_set(14, 0, 0.0001, 0), select.select([14], [], [])
        os.close(13), os.read(15, 8)

    def check():
        for fd, clock, flags, ms, every in timerfd.TIMERS:
            left, interval = timerfd_get(fd)
            assert ms / 1000 - 3 < left <= ms / 1000 + 0.001, (fd, left)
            eq(interval, every / 1000)
        try:
            os.read(14, 8)
            assert False
        except BlockingIOError:
            pass
        assert 50 < timerfd_get(14)[0] <= 60
        eq(os.read(15, 8), struct.pack("Q", 1))


class signalfd:
    def setup():
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1, signal.SIGUSR2])
        at(signalfd_set(-1, [signal.SIGUSR1]), 10)
        at(signalfd_set(-1, [signal.SIGUSR2]), 11)

    def disturb():
        signalfd_set(10, [signal.SIGUSR2]), os.close(11)

    def check():
        os.kill(os.getpid(), signal.SIGUSR2), os.kill(os.getpid(), signal.SIGUSR1)
        eq(struct.unpack_from("I", os.read(10, 128))[0], signal.SIGUSR1)
        eq(struct.unpack_from("I", os.read(11, 128))[0], signal.SIGUSR2)


class epoll:
    def setup():
        r, w = os.pipe()
        at(r, 10), at(w, 11)
        at(eventfd_raw(0), 12)
        e = select.epoll()
        at(os.dup(e.fileno()), 13)
        e.close()
        epoll_ctl(13, 1, 10, select.EPOLLIN | select.EPOLLET, 77)
        epoll_ctl(13, 1, 12, select.EPOLLIN, 1 << 40)

    def disturb():
        epoll_ctl(13, 2, 12, 0, 0)
        epoll_ctl(13, 3, 10, select.EPOLLOUT, 5)
        epoll_ctl(13, 1, 11, select.EPOLLOUT, 6)

    def check():
        eq(epoll_wait(13), [])
        os.write(11, b"x"), eq(epoll_wait(13), [(select.EPOLLIN, 77)]), eq(epoll_wait(13), [])
        os.eventfd_write(12, 1), eq(epoll_wait(13), [(select.EPOLLIN, 1 << 40)])


class epoll_edge:
    """The set is as it was, but an edge was told that the program must be told again."""

    def setup():
        epoll.setup()
        os.write(11, b"x")

    def disturb():
        eq(epoll_wait(13), [(select.EPOLLIN, 77)]), eq(epoll_wait(13), [])

    def check():
        eq(epoll_wait(13), [(select.EPOLLIN, 77)])


class epoll_member:
    """A member was replaced under its number: its entry is gone with it."""

    def setup():
        epoll.setup()

    def disturb():
        os.close(12), at(os.open("/dev/null", os.O_RDONLY), 12)

    def check():
        epoll.check()


class epoll_gone:
    def setup():
        epoll.setup()
        os.dup2(13, 14)
        f = select.epoll()
        at(os.dup(f.fileno()), 15)
        f.close()
        epoll_ctl(15, 1, 13, select.EPOLLIN, 99)

    def disturb():
        os.close(13), os.close(14), os.close(10)

    def check():
        epoll.check()
        os.eventfd_write(12, 1), eq(epoll_wait(15), [(select.EPOLLIN, 99)])
        eq(epoll_wait(14), [(select.EPOLLIN, 1 << 40)])


class pidfd:
    def setup():
        at(os.pidfd_open(os.getpid()), 10)

    def disturb():
        os.close(10)

    def check():
        signal.pidfd_send_signal(10, 0)


class inotify:
    def setup():
        os.mkdir("d"), os.mkdir("e"), os.mkdir("f")
        at(libc.inotify_init1(0o2004000), 10)
        S["d"] = libc.inotify_add_watch(10, b"d", 0x100)
        S["e"] = libc.inotify_add_watch(10, b"e", 0x100)

    def disturb():
        libc.inotify_rm_watch(10, S["e"])
        libc.inotify_add_watch(10, b"f", 0x100)
        put("d/1")

    def check():
        put("f/2"), put("e/3")
        wd, mask, _, size = struct.unpack_from("iIII", os.read(10, 4096))
        eq((wd, mask), (S["e"], 0x100))
        put("d/4"), eq(struct.unpack_from("i", os.read(10, 4096))[0], S["d"])


class inotify_gone:
    def setup():
        inotify.setup()

    def disturb():
        os.close(10)

    def check():
        inotify.check()


class surroundings:
    def setup():
        os.mkdir("d"), os.mkdir("e"), os.chdir("d"), os.umask(0o027)
        S["d"] = os.getcwd()

    def disturb():
        os.chdir("../e"), os.umask(0o077)
        # another inode under the old name
        os.rmdir("../d"), os.mkdir("../d")

    def check():
        eq(os.getcwd(), S["d"]), eq(os.stat(".").st_ino, os.stat(S["d"]).st_ino), eq(os.umask(0), 0o027)


class locks:
    """A record lock, lost because a second descriptor of the file was closed, and a flock, released."""

    def setup():
        put("a"), put("b")
        at(os.open("a", os.O_RDWR), 10), at(os.open("b", os.O_RDWR), 11)
        fcntl.lockf(10, fcntl.LOCK_EX | fcntl.LOCK_NB, 4, 2)
        fcntl.lockf(10, fcntl.LOCK_SH | fcntl.LOCK_NB, 0, 100)
        fcntl.flock(11, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def disturb():
        os.close(os.open("a", os.O_RDONLY))
        fcntl.lockf(10, fcntl.LOCK_EX | fcntl.LOCK_NB, 10, 20)
        fcntl.flock(11, fcntl.LOCK_UN)

    def check():
        found = [l.split()[2:] for l in open("/proc/self/fdinfo/10") if l.startswith("lock:")]
        eq(sorted((l[0], l[2], l[5], l[6]) for l in found), [("POSIX", "READ", "100", "EOF"), ("POSIX", "WRITE", "2", "5")])
        try:
            fcntl.flock(os.open("b", os.O_RDWR), fcntl.LOCK_SH | fcntl.LOCK_NB)
            assert False
        except BlockingIOError:
            pass


class pty:
    def setup():
        m, s = os.openpty()
        at(m, 10), at(s, 11)
        mode = termios.tcgetattr(11)
        mode[3] &= ~termios.ECHO
        mode[6][termios.VINTR] = b"\x05"
        termios.tcsetattr(11, termios.TCSANOW, mode)
        fcntl.ioctl(10, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 90, 0, 0))

    def disturb():
        mode = termios.tcgetattr(11)
        mode[3] |= termios.ECHO
        mode[6][termios.VINTR] = b"\x03"
        termios.tcsetattr(11, termios.TCSANOW, mode)
        fcntl.ioctl(10, termios.TIOCSWINSZ, struct.pack("HHHH", 3, 9, 0, 0))

    def check():
        mode = termios.tcgetattr(11)
        eq(mode[3] & termios.ECHO, 0), eq(mode[6][termios.VINTR], b"\x05")
        eq(struct.unpack("HHHH", fcntl.ioctl(11, termios.TIOCGWINSZ, bytes(8)))[:2], (30, 90))
        os.write(10, b"typed\n"), eq(os.read(11, 99), b"typed\n"), os.write(11, b"out"), eq(os.read(10, 99), b"out")


class pty_gone:
    def setup():
        pty.setup()

    def disturb():
        os.close(10), os.close(11)

    def check():
        pty.check()


class pty_queued:
    """Lines typed and shown since, which nobody has read: they belong to a time that is gone."""

    def setup():
        pty.setup()

    def disturb():
        os.write(10, b"late\n"), os.write(11, b"shown")
        select.select([11], [], []), select.select([10], [], [])

    def check():
        eq(select.select([10, 11], [], [], 0)[0], [])
        pty.check()


class pty_session:
    """A session on a pty of the sandbox: foreground group, /dev/tty."""

    def setup():
        m, s = os.openpty()
        at(m, 10)
        down, up = os.pipe(), os.pipe()
        if os.fork() == 0:
            os.setsid(), at(s, 11), fcntl.ioctl(11, termios.TIOCSCTTY, 0)
            at(os.open("/dev/tty", os.O_RDWR), 12)
            for fd in (0, 1, 10, down[1], up[0]):
                os.close(fd)
            signal.signal(signal.SIGTTOU, signal.SIG_IGN)
            S["sleeper"] = os.fork()
            if S["sleeper"] == 0:
                os.setpgid(0, 0)
                os.read(down[0], 0), serve(os.pipe()[0], 1, {})
            while os.getpgid(S["sleeper"]) == os.getpgid(0):
                pass
            os.tcsetpgrp(11, os.getpgid(0))
            serve(down[0], up[1], {"disturb": pty_session.child_disturb, "check": pty_session.child_check})
        os.close(s), os.close(down[0]), os.close(up[1])
        S["down"], S["up"] = down[1], up[0]
        while os.tcgetpgrp(10) == 0:
            pass

    def child_disturb():
        os.tcsetpgrp(11, S["sleeper"]), os.close(12)

    def child_check():
        eq(os.tcgetpgrp(11), os.getpgid(0)), eq(os.tcgetpgrp(12), os.getpgid(0))

    def disturb():
        forked.tell("disturb")

    def check():
        forked.tell("check")


def pair(kind, extra=0):
    a, b = socket.socketpair(socket.AF_UNIX, kind | extra)
    at(a.detach(), 10), at(b.detach(), 11)


def send(fd, data):
    socket.socket(fileno=os.dup(fd)).send(data, socket.MSG_DONTWAIT)


def recv(fd):
    try:
        return socket.socket(fileno=os.dup(fd)).recv(1 << 20, socket.MSG_DONTWAIT)
    except BlockingIOError:
        return None


class unix_stream:
    def setup():
        pair(socket.SOCK_STREAM)
        send(10, b"first"), send(10, b"second"), send(11, b"back")

    def disturb():
        eq(recv(11), b"firstsecond"), send(10, b"new"), recv(10)

    def check():
        eq(recv(11), b"firstsecond"), eq(recv(10), b"back"), eq(recv(10), None)
        send(10, b"on"), eq(recv(11), b"on")


class unix_stream_gone:
    def setup():
        unix_stream.setup()
        socket.socket(fileno=os.dup(10)).setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        os.set_blocking(11, False)

    def disturb():
        os.close(10), os.close(11)

    def check():
        eq(socket.socket(fileno=os.dup(10)).getsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED), 1)
        assert nonblocking(11) and not nonblocking(10)
        unix_stream.check()


class unix_stream_end:
    """One end was closed since: the other one, still there, is of no use."""

    def setup():
        unix_stream.setup()

    def disturb():
        os.close(10)

    def check():
        unix_stream.check()


class unix_stream_half:
    """The other end was closed before the checkpoint; what it sent is still to be read."""

    def setup():
        pair(socket.SOCK_STREAM)
        send(10, b"last words"), os.close(10)

    def disturb():
        eq(recv(11), b"last words"), eq(recv(11), b"")

    def check():
        eq(recv(11), b"last words"), eq(recv(11), b"")


class unix_shut:
    def setup():
        pair(socket.SOCK_STREAM)
        send(10, b"end"), socket.socket(fileno=os.dup(10)).shutdown(socket.SHUT_WR)
        send(11, b"answer")

    def disturb():
        eq(recv(11), b"end"), eq(recv(11), b""), eq(recv(10), b"answer")

    def check():
        eq(recv(11), b"end"), eq(recv(11), b""), eq(recv(10), b"answer"), send(11, b"on"), eq(recv(10), b"on")


class unix_dgram:
    KIND = socket.SOCK_DGRAM

    def setup():
        pair(socket.SOCK_DGRAM)
        send(10, b"one"), send(10, b""), send(10, b"three")

    def disturb():
        eq(recv(11), b"one"), send(10, b"x")

    def check():
        eq([recv(11) for _ in range(4)], [b"one", b"", b"three", None])
        send(11, b"on"), eq(recv(10), b"on")


class unix_seqpacket:
    def setup():
        pair(socket.SOCK_SEQPACKET)
        send(10, b"one"), send(10, b"three")

    def disturb():
        os.close(11)

    def check():
        eq([recv(11) for _ in range(3)], [b"one", b"three", None])
        send(11, b"on"), eq(recv(10), b"on")


class unix_forked:
    """The ends of a pair are in two processes, and both have closed them."""

    def setup():
        pair(socket.SOCK_STREAM)
        down, up = os.pipe(), os.pipe()
        if os.fork() == 0:
            for fd in (0, 1, 10, down[1], up[0]):
                os.close(fd)
            serve(down[0], up[1], {"disturb": lambda: os.close(11), "check": unix_forked.child_check})
        os.close(down[0]), os.close(up[1]), os.close(11)
        S["down"], S["up"] = down[1], up[0]
        send(10, b"over the fork")

    def child_check():
        eq(recv(11), b"over the fork"), send(11, b"thanks")

    def disturb():
        forked.tell("disturb"), os.close(10)

    def check():
        forked.tell("check")
        eq(recv(10), b"thanks")


class unix_listening:
    def setup():
        s = socket.socket(socket.AF_UNIX)
        s.bind(os.path.abspath("sock"))
        os.chmod("sock", 0o600)
        s.listen(7)
        at(s.detach(), 10)
        s = socket.socket(socket.AF_UNIX)
        s.bind("\0deltabox-test-%d" % os.getpid())
        s.listen(3)
        at(s.detach(), 11)

    def disturb():
        os.close(10), os.close(11)

    def check():
        for fd, address in ((10, os.path.abspath("sock")), (11, "\0deltabox-test-%d" % os.getpid())):
            c = socket.socket(socket.AF_UNIX)
            c.connect(address), c.send(b"hi")
            s, _ = socket.socket(fileno=os.dup(fd)).accept()
            eq(s.recv(9), b"hi")
        eq(os.stat("sock").st_mode & 0o777, 0o600)


class unix_waiting:
    """Still listening, but a connection of the time since waits to be accepted."""

    def setup():
        unix_listening.setup()

    def disturb():
        c = socket.socket(socket.AF_UNIX)
        c.connect(os.path.abspath("sock"))
        S["c"] = c.detach()

    def check():
        assert not is_open(S["c"]) if "c" in S else True
        unix_listening.check()


class tcp_listening:
    def setup():
        for fd, family, address in ((10, socket.AF_INET, "127.0.0.1"), (11, socket.AF_INET6, "::1")):
            s = socket.socket(family)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            s.bind((address, 0)), s.listen(9)
            S[fd] = s.getsockname()
            at(s.detach(), fd)
        at(socket.socket(socket.AF_INET).detach(), 12)

    def disturb():
        c = socket.create_connection(S[10][:2])
        s, _ = socket.socket(fileno=os.dup(10)).accept()
        s.close(), c.close()
        os.close(10), os.close(11), os.close(12)

    def check():
        for fd in (10, 11):
            c = socket.create_connection(S[fd][:2])
            c.send(b"hi")
            s, _ = socket.socket(fileno=os.dup(fd)).accept()
            eq(s.recv(9), b"hi")
        socket.socket(fileno=os.dup(12)).connect(S[10])


class tcp_connected:
    """A connection inside the sandbox: bytes were read and written since, both ends live."""

    def setup():
        l = socket.socket()
        l.bind(("127.0.0.1", 0)), l.listen(1)
        c = socket.create_connection(l.getsockname())
        s, _ = l.accept()
        l.close()
        at(c.detach(), 10), at(s.detach(), 11)
        send(10, b"queued"), select.select([11], [], [])

    def disturb():
        eq(recv(11), b"queued"), send(10, b"later"), send(11, b"back"), select.select([10], [], [])

    def check():
        select.select([11], [], [])
        eq(recv(11), b"queued"), eq(recv(10), None)
        send(11, b"on"), select.select([10], [], []), eq(recv(10), b"on")


class tcp_gone:
    """Both ends were closed since, and the port is taken by the one who listens."""

    FAMILY, HOST = socket.AF_INET, "127.0.0.1"

    @classmethod
    def setup(c):
        l = socket.socket(c.FAMILY)
        l.bind((c.HOST, 0)), l.listen(4)
        a = socket.create_connection(l.getsockname()[:2])
        b, _ = l.accept()
        S["names"] = a.getsockname(), b.getsockname()
        at(a.detach(), 10), at(b.detach(), 11), at(l.detach(), 12)
        send(10, b"queued" * 1000), select.select([11], [], [])

    def disturb():
        os.close(10), os.close(11)

    def check():
        select.select([11], [], [])
        eq(recv(11), b"queued" * 1000), eq(recv(10), None)
        eq(tuple(socket.socket(fileno=os.dup(fd)).getsockname() for fd in (10, 11)), S["names"])
        for a, b in ((10, 11), (11, 10)):
            data = b""
            send(a, b"z" * 50000)
            while len(data) < 50000:
                select.select([b], [], [])
                data += recv(b)
        c = socket.create_connection(S["names"][1][:2])
        socket.socket(fileno=os.dup(12)).accept()
        os.close(10), select.select([11], [], []), eq(recv(11), b"")


class tcp_end(tcp_gone):
    """One end was closed since, the other one has seen the end of the stream."""

    FAMILY, HOST = socket.AF_INET6, "::1"

    def disturb():
        os.close(10), recv(11), select.select([11], [], [])


class udp:
    def setup():
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.bind(("127.0.0.1", 0))
        S["a"] = s.getsockname()
        at(s.detach(), 10)
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.connect(S["a"])
        at(s.detach(), 11)

    def disturb():
        os.close(10), os.close(11)

    def check():
        send(11, b"hi"), select.select([10], [], []), eq(recv(10), b"hi")


class refused:
    def disturb():
        pass

    def check():
        pass


class in_flight(refused):
    """A descriptor on its way, which must still arrive after it was looked at."""

    def setup():
        pair(socket.SOCK_STREAM)
        socket.send_fds(socket.socket(fileno=os.dup(10)), [b"with"], [0])

    def check():
        data, fds, _, _ = socket.recv_fds(socket.socket(fileno=os.dup(11)), 9, 1)
        eq((data, len(fds)), (b"with", 1))


class waiting(refused):
    def setup():
        s = socket.socket()
        s.bind(("127.0.0.1", 0)), s.listen(2)
        S["c"] = socket.create_connection(s.getsockname())
        at(s.detach(), 10)


class lease(refused):
    def setup():
        put("a")
        at(os.open("a", os.O_RDONLY), 10)
        fcntl.fcntl(10, fcntl.F_SETLEASE, fcntl.F_RDLCK)


class epoll_stale(refused):
    def setup():
        epoll.setup()
        os.dup2(12, 14), os.close(12)


class packet_socket(refused):
    def setup():
        at(socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0).detach(), 10)


class unsupported:
    def setup():
        at(os.open("/proc/self/ns/net", os.O_RDONLY), 10)

    def disturb():
        os.close(10)

    def check():
        assert not is_open(10)


def say(word):
    os.write(1, word.encode() + b"\n")


def line(fd):
    text = b""
    while not text.endswith(b"\n"):
        c = os.read(fd, 1)
        if not c:
            os._exit(0)
        text += c
    return text.decode().strip()


def serve(src, dst, actions):
    while True:
        word = line(src)
        try:
            actions[word]()
            os.write(dst, b"done\n")
        except BaseException:
            os.write(dst, ("FAILED " + traceback.format_exc().replace("\n", "|") + "\n").encode())


def main():
    scenario = globals()[sys.argv[1]]
    os.set_blocking(0, True)
    scenario.setup()
    say("ready")
    answers = {"disturb": "disturbed", "check": "ok"}
    while True:
        word = line(0)
        try:
            getattr(scenario, word)()
            if not (word == "disturb" and scenario is outside):
                say(answers[word])
        except BaseException:
            say("FAILED " + traceback.format_exc().replace("\n", "|"))


main()
