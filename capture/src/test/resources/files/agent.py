"""The other side of the file tests: processes that change a tree, and an independent walk over it.

Knows nothing of the code under test. Commands, one a line on standard input; each answer ends with a line "." or "!".
"""
import ctypes, hashlib, mmap, os, random, shutil, signal, stat, sys, time, traceback

libc = ctypes.CDLL(None, use_errno=True)
HIDDEN = b".cover"


def syscall(number, *args):
    result = libc.syscall(number, *args)
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return result


def extents(fd, size):
    at, out = 0, []
    while at < size:
        try:
            start = os.lseek(fd, at, os.SEEK_DATA)
        except OSError:
            break
        end = os.lseek(fd, start, os.SEEK_HOLE)
        out.append("%d-%d" % (start, end))
        at = end
    return ",".join(out)


def describe(path):
    st = os.lstat(path)
    mode = st.st_mode
    kind = {stat.S_IFREG: "f", stat.S_IFDIR: "d", stat.S_IFLNK: "l", stat.S_IFIFO: "p", stat.S_IFCHR: "c", stat.S_IFBLK: "b", stat.S_IFSOCK: "s"}[stat.S_IFMT(mode)]
    parts = [kind, "mode=%o" % stat.S_IMODE(mode), "owner=%d:%d" % (st.st_uid, st.st_gid), "mtime=%d" % st.st_mtime_ns]
    if kind == "f":
        fd = os.open(path, os.O_RDONLY | os.O_NOATIME)
        data = b""
        while True:
            part = os.read(fd, 1 << 20)
            if not part:
                break
            data += part
        parts += ["size=%d" % st.st_size, "data=" + hashlib.sha1(data).hexdigest()[:16], "extents=" + extents(fd, st.st_size)]
        os.close(fd)
    elif kind == "l":
        parts.append("target=" + os.readlink(path).hex())
    elif kind in "cb":
        parts.append("device=%d" % st.st_rdev)
    names = sorted(n for n in os.listxattr(path, follow_symlinks=False))
    parts += ["x:%s=%s" % (n, os.getxattr(path, n, follow_symlinks=False).hex()) for n in names]
    return kind, (st.st_dev, st.st_ino), " ".join(parts)


def walk(root):
    groups = {}
    out = []
    root = os.fsencode(root) + b"/."
    _, _, text = describe(root)
    out.append("/ " + text)

    def below(directory, rel):
        for name in sorted(os.listdir(directory)):
            path, r = directory + b"/" + name, rel + b"/" + name
            if r == b"/" + HIDDEN:
                continue
            kind, ident, text = describe(path)
            out.append(r.hex() + " " + text)
            if kind == "d":
                below(path, r)
            else:
                groups.setdefault(ident, []).append(r.hex())

    below(root, b"")
    for names in groups.values():
        if len(names) > 1:
            out.append("group:" + names[0] + " " + " ".join(names))
    return out


class Victim:
    """A process that changes the tree for ever, through paths and through what it holds."""

    def __init__(self, root, seed, hold):
        self.root, self.rnd, self.hold = root, random.Random(seed), hold
        self.fds, self.dirs, self.maps = [], [], []
        self.tag = "p%d_%d" % (seed % 1000, 0)

    def refresh(self):
        self.files = [os.path.join(d, f) for d, _, ff in os.walk(self.tree) for f in ff]
        self.folders = [d for d, _, _ in os.walk(self.tree)]

    def run(self):
        os.chdir(self.root)
        self.tree = "t"
        i = 0
        while True:
            i += 1
            self.tag = "p%d_%d" % (self.hold, i)
            if i % 20 == 1:
                self.refresh()
                if len(self.files) > 320:
                    for f in self.rnd.sample(self.files, 120):
                        self.attempt(lambda: os.unlink(f))
                    continue
                if len(self.files) < 20 or len(self.folders) < 5:
                    for j in range(30):
                        self.attempt(lambda: self.seed_file(j))
                    continue
            self.attempt(self.step)
            if i % 4 == 0:
                time.sleep(0.0015)
            if len(self.fds) > 15:
                os.close(self.fds.pop(0))

    def seed_file(self, j):
        d = "%s/N%s_%d" % (self.tree, self.tag, j % 4)
        os.makedirs(d, exist_ok=True)
        open("%s/x%d" % (d, j), "w").write(self.tag * self.rnd.randrange(2000))

    @staticmethod
    def attempt(fn):
        try:
            fn()
        except (OSError, ValueError, IndexError):
            pass

    def step(self):
        rnd, tag, fds, root = self.rnd, self.tag, self.fds, self.tree
        r, f, d = rnd.random() * 1.40, rnd.choice(self.files), rnd.choice(self.folders)
        files, folders = self.files, self.folders
        if r < .14: open(f, "a").write(tag)
        elif r < .2: os.unlink(f)
        elif r < .3: q = "%s/n%s" % (d, tag); open(q, "w").write(tag * rnd.randrange(3000)); files.append(q)
        elif r < .38: q = d + "/r" + tag; os.rename(f, q); files.append(q)
        elif r < .41: os.rename(f, rnd.choice(files))
        elif r < .44: q = d + "/d" + tag; os.mkdir(q); folders.append(q); open(q + "/in", "w").write(tag); files.append(q + "/in")
        elif r < .455 and d != root: shutil.rmtree(d)
        elif r < .48 and d != root: shutil.rmtree(d); os.mkdir(d); open(d + "/again", "w").write(tag)
        elif r < .54 and d != root: q = rnd.choice(folders) + "/D" + tag; os.rename(d, q); folders.append(q)
        elif r < .56: syscall(316, -100, f.encode(), -100, rnd.choice(files).encode(), 2)
        elif r < .57 and d != root: syscall(316, -100, d.encode(), -100, rnd.choice(folders).encode(), 2)
        elif r < .60: os.chmod(f, rnd.choice((0o600, 0o755, 0o4755, 0)))
        elif r < .62: os.chmod(d, rnd.choice((0o700, 0o755, 0o1777)))
        elif r < .64: os.chown(f, rnd.randrange(3), rnd.randrange(3), follow_symlinks=False)
        elif r < .66: os.setxattr(f, "user.k%d" % rnd.randrange(3), tag.encode())
        elif r < .67: os.removexattr(f, "user.k%d" % rnd.randrange(3))
        elif r < .68: os.setxattr(d, "user.d", tag.encode())
        elif r < .72: q = d + "/h" + tag; os.link(f, q, follow_symlinks=False); files.append(q)
        elif r < .74: os.symlink(tag, d + "/s" + tag)
        elif r < .75: os.mknod(d + "/ff" + tag, stat.S_IFIFO | 0o644)
        elif r < .76: os.mknod(d + "/cc" + tag, stat.S_IFCHR | 0o600, os.makedev(1, 3))
        elif r < .80: os.truncate(f, rnd.choice((0, 2, 5000, 100000)))
        elif r < .83: os.utime(f, ns=(1, rnd.randrange(10**18)))
        elif r < .84: os.utime(d, ns=(1, rnd.randrange(10**18)))
        elif r < .90:
            if stat.S_ISREG(os.lstat(f).st_mode):
                fds.append(os.open(f, rnd.choice((os.O_RDWR, os.O_RDONLY, os.O_RDWR | os.O_APPEND))))
            if len(fds) > 12:
                os.close(fds.pop(rnd.randrange(len(fds))))
        elif r < 1.0 and fds: os.pwrite(rnd.choice(fds), tag.encode() * 50, rnd.randrange(90000))
        elif r < 1.02 and fds: os.ftruncate(rnd.choice(fds), rnd.randrange(150000))
        elif r < 1.04 and fds: syscall(285, rnd.choice(fds), rnd.choice((3, 0, 0x10)), ctypes.c_long(4096 * rnd.randrange(20)), ctypes.c_long(8192))
        elif r < 1.05 and fds: os.fchmod(rnd.choice(fds), 0o640)
        elif r < 1.07 and fds:
            x = rnd.choice(fds)
            n = os.fstat(x).st_size
            if n > 8192:
                self.maps.append(mmap.mmap(x, n))
            if len(self.maps) > 4:
                self.maps.pop(0).close()
        elif r < 1.17 and self.maps:
            x = rnd.choice(self.maps)
            o = rnd.randrange(4000)
            x[o:o + 20] = os.urandom(20)
        elif r < 1.19:
            self.dirs.append(os.open(d, os.O_RDONLY | os.O_DIRECTORY))
            if len(self.dirs) > 4:
                os.close(self.dirs.pop(0))
        elif r < 1.23 and self.dirs: os.close(os.open("via" + tag, os.O_CREAT | os.O_RDWR, 0o644, dir_fd=rnd.choice(self.dirs)))
        elif r < 1.25 and self.dirs: os.unlink(rnd.choice(os.listdir(rnd.choice(self.dirs))), dir_fd=rnd.choice(self.dirs))
        elif r < 1.28:
            x = os.open(d, 0o20200000 | os.O_RDWR, 0o600)
            os.write(x, b"tmpf" + tag.encode())
            os.link("/proc/self/fd/%d" % x, d + "/tf" + tag, follow_symlinks=True)
            os.close(x)
        elif r < 1.31:
            x = os.open(d + "/sp" + tag, os.O_CREAT | os.O_RDWR)
            os.ftruncate(x, 100000)
            os.pwrite(x, b"hole", 40960 * rnd.randrange(3))
            fds.append(x)
            files.append(d + "/sp" + tag)
        elif r < 1.33:
            here = os.open(".", os.O_RDONLY)
            os.chdir(d)
            open("cwd" + tag, "w").write("c")
            os.fchdir(here)
            os.close(here)
        elif r < 1.345 and len(fds) > 1:
            x, y = rnd.choice(fds), rnd.choice(fds)
            os.lseek(x, rnd.randrange(9000), 0)
            os.sendfile(x, y, 0, rnd.randrange(20000))
        elif r < 1.36: shutil.copy2(f, d + "/c" + tag, follow_symlinks=False)
        elif r < 1.37: os.rename(f, b"t/\xff\xfe" + tag.encode())
        elif r < 1.40: import socket; s = socket.socket(socket.AF_UNIX); s.bind(d + "/k" + tag); s.close()


def shared(root, seed):
    """Changes names behind /dev/shm."""
    os.chdir(root)
    rnd = random.Random(seed)
    i = 0
    while True:
        i += 1
        tag = "s%d" % i
        names = [n for n in os.listdir(".")]
        try:
            if len(names) > 20 or (names and rnd.random() < .5):
                n = rnd.choice(names)
                rnd.choice((lambda: os.unlink(n), lambda: open(n, "a").write(tag), lambda: os.rename(n, "r" + tag), lambda: os.chmod(n, 0o640), lambda: os.link(n, "h" + tag)))()
            elif rnd.random() < .1:
                os.mkdir("d" + tag)
                open("d" + tag + "/x", "w").write(tag)
            else:
                open(tag, "w").write(tag * rnd.randrange(500))
        except OSError:
            pass
        time.sleep(0.002)


def mapper(root, index):
    os.chdir(root)
    f = os.open("mapped%d" % index, os.O_RDWR)
    m = mmap.mmap(f, 65536)
    os.close(f)
    i = 0
    while True:
        i += 1
        o = (i * 4099) % 65500
        m[o:o + 4] = (i & 0xffffffff).to_bytes(4, "little")
        if i % 64 == 0:
            time.sleep(0.001)


class Agent:
    def __init__(self):
        self.pids = []
        self.space = {"os": os, "mmap": mmap, "syscall": syscall, "stat": stat, "shutil": shutil, "ctypes": ctypes}

    def spawn(self, fn):
        pid = os.fork()
        if pid == 0:
            libc.prctl(1, 9)
            os.dup2(2, 1)
            try:
                fn()
            except BaseException:
                traceback.print_exc()
            os._exit(1)
        self.pids.append(pid)
        return [str(pid)]

    def mutate(self, root, seed, index):
        return self.spawn(lambda: Victim(root, int(seed) * 100 + int(index), int(index)).run())

    def map(self, root, index):
        return self.spawn(lambda: mapper(root, int(index)))

    def mutate_shared(self, root, seed):
        return self.spawn(lambda: shared(root, int(seed)))

    def stop(self):
        for p in self.pids:
            os.kill(p, signal.SIGSTOP)
        for p in self.pids:
            while open("/proc/%d/stat" % p).read().rpartition(")")[2].split()[0] not in "TtZ":
                pass
        return [str(p) for p in self.pids]

    def go(self):
        for p in self.pids:
            os.kill(p, signal.SIGCONT)
        return []

    def kill(self):
        for p in self.pids:
            os.kill(p, 9)
        for p in self.pids:
            os.waitpid(p, 0)
        self.pids = []
        return []

    def walk(self, root):
        return walk(root)

    def py(self, code):
        exec(bytes.fromhex(code).decode(), self.space)
        result = self.space.pop("result", None)
        return [] if result is None else [str(result)]

    def main(self):
        for line in sys.stdin:
            word, *args = line.split()
            try:
                answer = getattr(self, word)(*args)
                sys.stdout.write("".join(a + "\n" for a in answer) + ".\n")
            except BaseException:
                sys.stdout.write(traceback.format_exc() + "!\n")
            sys.stdout.flush()


if __name__ == "__main__":
    Agent().main()
