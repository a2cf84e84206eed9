"""Programs that set descriptors up, have them disturbed, and check them after a rollback.

Only descriptors go back in this test, not memory: what a scenario keeps in variables it still knows afterwards. Raw calls throughout, so that no
buffer of Python's own is involved."""
import errno, fcntl, os, select, signal, socket, struct, sys, traceback

S = {}


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
    for word, answer in (("disturb", "disturbed"), ("check", "ok")):
        try:
            eq(line(0), word)
            getattr(scenario, word)()
            if not (word == "disturb" and scenario is outside):
                say(answer)
        except BaseException:
            say("FAILED " + traceback.format_exc().replace("\n", "|"))
    line(0)


main()
