"""Changes file trees at random for ever, in several processes that keep descriptors, working directories and mappings.

files.py SEED ROOT [BASE...]: works in ROOT, which it fills first, in the given directories of the base, and with the given files of the base, which may
be names of one another.
"""
import ctypes
import mmap
import os
import random
import shutil
import stat
import sys
import time

libc = ctypes.CDLL(None, use_errno=True)
AT_FDCWD = -100
SYS_RENAMEAT2 = 316
SYS_FALLOCATE = 285
O_TMPFILE = 0o20200000
seed = int(sys.argv[1])
ROOT = sys.argv[2]
BASES = [d for d in sys.argv[3:] if os.path.isdir(d)]
BASE_FILES = [f for f in sys.argv[3:] if os.path.isfile(f)]
MAPPED = 3


def call(number, *args):
    if libc.syscall(number, *args) < 0:
        e = ctypes.get_errno()
        raise OSError(e, os.strerror(e))


def fill():
    for i in range(120):
        d = "%s/d%d/e%d" % (ROOT, i % 8, i % 5)
        os.makedirs(d, exist_ok=True)
        with open(d + "/f%d" % i, "w") as f:
            f.write("b%d" % i * (1 + i * 7 % 900))
    for i in range(6):
        os.symlink("x%d" % i, "%s/d%d/sy%d" % (ROOT, i, i))
    for i in range(MAPPED):
        with open("%s/mapped%d" % (ROOT, i), "wb") as f:
            f.write(os.urandom(65536))


class Mutator:
    def __init__(self, k, root, files_max):
        self.k = k
        self.root = root
        self.files_max = files_max
        self.rnd = random.Random(seed * 100 + k)
        self.fds = []
        self.dfds = []
        self.maps = []
        self.private = []
        self.files = []
        self.dirs = []
        self.i = 0
        self.actions = [
            (14, self.append), (6, self.unlink), (10, self.create), (8, self.rename), (3, self.rename_over), (3, self.mkdir),
            (1.5, self.rmtree), (2.5, self.rmtree_again), (6, self.rename_dir), (2, self.exchange), (1, self.exchange_dirs), (3, self.chmod),
            (2, self.chmod_dir), (2, self.chown), (2, self.setxattr), (1, self.removexattr), (1, self.setxattr_dir), (4, self.link),
            (2, self.symlink), (1, self.fifo), (1, self.device), (4, self.truncate), (3, self.utime), (1, self.utime_dir), (6, self.keep_fd),
            (10, self.pwrite), (2, self.ftruncate), (2, self.fallocate), (1, self.fchmod), (2, self.map), (10, self.store), (2, self.keep_dir),
            (4, self.create_at), (2, self.unlink_at), (3, self.tmpfile), (3, self.sparse), (2, self.cwd), (1.5, self.sendfile), (1.5, self.copy),
            (1, self.odd_name), (1, self.delete_open), (1, self.lock), (1, self.range_lock), (1, self.splice), (1, self.copy_range),
            (1.5, self.map_private), (6, self.store_private), (1, self.unmap), (0.5, self.open_path), (1, self.leave_directory),
        ]
        self.weights = [w for w, _ in self.actions]

    def scan(self):
        self.files = [os.path.join(d, f) for d, _, ff in os.walk(self.root) for f in ff]
        self.dirs = [d for d, _, _ in os.walk(self.root)]
        if len(self.files) > self.files_max:
            for f in self.rnd.sample(self.files, self.files_max // 3):
                try:
                    os.unlink(f)
                except OSError:
                    pass
            self.files = [f for f in self.files if os.path.lexists(f)]
        if len(self.files) < 20 or len(self.dirs) < 5:
            for j in range(30):
                d = "%s/N%s_%d" % (self.root, self.tag, j % 4)
                os.makedirs(d, exist_ok=True)
                with open(d + "/x%d" % j, "w") as f:
                    f.write(self.tag * self.rnd.randrange(2000))
            self.files = [os.path.join(d, f) for d, _, ff in os.walk(self.root) for f in ff]
            self.dirs = [d for d, _, _ in os.walk(self.root)]

    def f(self):
        return self.rnd.choice(self.files)

    def d(self):
        return self.rnd.choice(self.dirs)

    def below(self):
        """A directory that is not the root itself."""
        d = self.d()
        if d == self.root:
            raise OSError("root")
        return d

    def fd(self):
        return self.rnd.choice(self.fds)

    def append(self):
        p = self.f()
        if stat.S_ISREG(os.lstat(p).st_mode):
            with open(p, "a") as f:
                f.write(self.tag)

    def unlink(self):
        os.unlink(self.f())

    def create(self):
        p = "%s/n%s" % (self.d(), self.tag)
        with open(p, "w") as f:
            f.write(self.tag * self.rnd.randrange(3000))
        self.files.append(p)

    def rename(self):
        p = "%s/r%s" % (self.d(), self.tag)
        os.rename(self.f(), p)
        self.files.append(p)

    def rename_over(self):
        os.rename(self.f(), self.f())

    def mkdir(self):
        p = "%s/d%s" % (self.d(), self.tag)
        os.mkdir(p)
        self.dirs.append(p)
        with open(p + "/in", "w") as f:
            f.write(self.tag)
        self.files.append(p + "/in")

    def rmtree(self):
        shutil.rmtree(self.below())

    def rmtree_again(self):
        d = self.below()
        shutil.rmtree(d)
        os.mkdir(d)
        with open(d + "/again", "w") as f:
            f.write(self.tag)

    def rename_dir(self):
        p = "%s/D%s" % (self.d(), self.tag)
        os.rename(self.below(), p)
        self.dirs.append(p)

    def exchange(self):
        call(SYS_RENAMEAT2, AT_FDCWD, self.f().encode(), AT_FDCWD, self.f().encode(), 2)

    def exchange_dirs(self):
        call(SYS_RENAMEAT2, AT_FDCWD, self.below().encode(), AT_FDCWD, self.d().encode(), 2)

    def chmod(self):
        os.chmod(self.f(), self.rnd.choice((0o600, 0o755, 0o4755, 0)))

    def chmod_dir(self):
        os.chmod(self.below(), self.rnd.choice((0o700, 0o755, 0o1777)))

    def chown(self):
        os.chown(self.f(), self.rnd.randrange(3), self.rnd.randrange(3), follow_symlinks=False)

    def setxattr(self):
        os.setxattr(self.f(), "user.k%d" % self.rnd.randrange(3), self.tag.encode())

    def removexattr(self):
        os.removexattr(self.f(), "user.k%d" % self.rnd.randrange(3))

    def setxattr_dir(self):
        os.setxattr(self.d(), "user.d", self.tag.encode())

    def link(self):
        p = "%s/h%s" % (self.d(), self.tag)
        os.link(self.f(), p, follow_symlinks=False)
        self.files.append(p)

    def symlink(self):
        os.symlink(self.tag, "%s/s%s" % (self.d(), self.tag))

    def fifo(self):
        os.mknod("%s/ff%s" % (self.d(), self.tag), stat.S_IFIFO | 0o644)

    def device(self):
        os.mknod("%s/cc%s" % (self.d(), self.tag), stat.S_IFCHR | 0o600, os.makedev(1, 3))

    def truncate(self):
        os.truncate(self.f(), self.rnd.choice((0, 2, 5000, 100000)))

    def utime(self):
        os.utime(self.f(), ns=(1, self.rnd.randrange(10**18)), follow_symlinks=False)

    def utime_dir(self):
        os.utime(self.d(), ns=(1, self.rnd.randrange(10**18)))

    def keep_fd(self):
        p = self.f()
        if stat.S_ISREG(os.lstat(p).st_mode):
            self.fds.append(os.open(p, self.rnd.choice((os.O_RDWR, os.O_RDONLY, os.O_RDWR | os.O_APPEND))))

    def pwrite(self):
        os.pwrite(self.fd(), self.tag.encode() * 50, self.rnd.randrange(90000))

    def ftruncate(self):
        os.ftruncate(self.fd(), self.rnd.randrange(150000))

    def fallocate(self):
        call(SYS_FALLOCATE, self.fd(), self.rnd.choice((3, 0, 1, 0x10, 0x11)), ctypes.c_long(4096 * self.rnd.randrange(20)), ctypes.c_long(8192))

    def fchmod(self):
        os.fchmod(self.fd(), 0o640)

    def map(self):
        x = self.fd()
        n = os.fstat(x).st_size
        if n > 8192:
            self.maps.append(mmap.mmap(x, n))
        if len(self.maps) > 4:
            self.maps.pop(0).close()

    def store(self):
        """Only the first page: files never get shorter than that under a mapping without a fault to be expected."""
        m = self.rnd.choice(self.maps)
        if m.size() > 8192:
            o = self.rnd.randrange(4000)
            m[o:o + 20] = bytes(self.rnd.randrange(256) for _ in range(20))

    def keep_dir(self):
        self.dfds.append(os.open(self.d(), os.O_RDONLY | os.O_DIRECTORY))
        if len(self.dfds) > 4:
            os.close(self.dfds.pop(0))

    def create_at(self):
        os.close(os.open("via%s" % self.tag, os.O_CREAT | os.O_RDWR, 0o644, dir_fd=self.rnd.choice(self.dfds)))

    def unlink_at(self):
        d = self.rnd.choice(self.dfds)
        os.unlink(self.rnd.choice(os.listdir(d)), dir_fd=d)

    def tmpfile(self):
        d = self.d()
        x = os.open(d, O_TMPFILE | os.O_RDWR, 0o600)
        try:
            os.write(x, b"tmpf" + self.tag.encode())
            os.link("/proc/self/fd/%d" % x, d + "/tf" + self.tag, follow_symlinks=True)
        finally:
            os.close(x)

    def sparse(self):
        p = self.d() + "/sp" + self.tag
        x = os.open(p, os.O_CREAT | os.O_RDWR)
        os.ftruncate(x, 100000)
        os.pwrite(x, b"hole", 40960 * self.rnd.randrange(3))
        self.fds.append(x)
        self.files.append(p)

    def cwd(self):
        os.chdir(self.d())
        with open("cwd%s" % self.tag, "w") as f:
            f.write("c")
        if self.rnd.randrange(2):
            os.chdir("/")

    def sendfile(self):
        x, y = self.fd(), self.fd()
        os.lseek(x, self.rnd.randrange(9000), 0)
        os.sendfile(x, y, 0, self.rnd.randrange(20000))

    def copy(self):
        p = self.f()
        if not stat.S_ISFIFO(os.lstat(p).st_mode):
            shutil.copy2(p, self.d() + "/c" + self.tag, follow_symlinks=False)

    def odd_name(self):
        p = os.fsencode(self.d()) + b"/" + self.rnd.choice((b"sp ace", b"new\nline", b"\xff\xfe", b"\xc3\xa9", b"-rf", b"x" * 255, b"back\\slash"))
        with open(p, "ab") as f:
            f.write(b"o")

    def delete_open(self):
        p = "%s/gone%s" % (self.d(), self.tag)
        x = os.open(p, os.O_CREAT | os.O_RDWR, 0o644)
        os.write(x, self.tag.encode() * 300)
        os.unlink(p)
        self.fds.append(x)

    def lock(self):
        import fcntl
        fcntl.flock(self.fd(), fcntl.LOCK_EX | fcntl.LOCK_NB)

    def range_lock(self):
        import fcntl
        start = self.rnd.randrange(100)
        fcntl.lockf(self.fd(), self.rnd.choice((fcntl.LOCK_EX, fcntl.LOCK_SH, fcntl.LOCK_UN)) | fcntl.LOCK_NB, 10, start)

    def splice(self):
        """Makes no event before the file is closed, as sendfile does."""
        r, w = os.pipe()
        try:
            os.write(w, self.tag.encode() * 20)
            os.splice(r, self.fd(), 100, offset_dst=self.rnd.randrange(50000))
        finally:
            os.close(r)
            os.close(w)

    def copy_range(self):
        os.copy_file_range(self.fd(), self.fd(), self.rnd.randrange(20000), 0, self.rnd.randrange(20000))

    def map_private(self):
        x = self.fd()
        n = os.fstat(x).st_size
        if n > 8192:
            self.private.append(mmap.mmap(x, n, access=mmap.ACCESS_COPY))
        if len(self.private) > 4:
            self.private.pop(0).close()

    def store_private(self):
        m = self.rnd.choice(self.private)
        if m.size() > 8192:
            o = self.rnd.randrange(4000)
            m[o:o + 20] = bytes(self.rnd.randrange(256) for _ in range(20))

    def unmap(self):
        maps = self.rnd.choice((self.maps, self.private))
        maps.pop(self.rnd.randrange(len(maps))).close()

    def open_path(self):
        p = self.f()
        if stat.S_ISREG(os.lstat(p).st_mode):
            self.fds.append(os.open(p, os.O_PATH))

    def leave_directory(self):
        """Works and stays in a directory that is removed, or holds it open."""
        d = "%s/left%s" % (self.d(), self.tag)
        os.mkdir(d)
        if self.rnd.randrange(2):
            os.chdir(d)
        if self.rnd.randrange(2):
            self.dfds.append(os.open(d, os.O_RDONLY | os.O_DIRECTORY))
            if len(self.dfds) > 4:
                os.close(self.dfds.pop(0))
        os.rmdir(d)

    def run(self):
        while True:
            self.i += 1
            self.tag = "p%d_%d" % (self.k, self.i)
            try:
                if self.i % 20 == 1:
                    self.scan()
                self.rnd.choices(self.actions, self.weights)[0][1]()
            except (OSError, ValueError, IndexError, shutil.Error):
                pass
            while len(self.fds) > 15:
                os.close(self.fds.pop(self.rnd.randrange(len(self.fds))))
            if self.i % 4 == 0:
                time.sleep(0.0015)


class Names(Mutator):
    """Changes files of the base that have several names there, and takes them away and back."""

    def __init__(self, k, root):
        super().__init__(k, root, 100)
        os.makedirs(root)
        self.actions.append((30, self.home))
        self.weights.append(30)

    def scan(self):
        super().scan()
        self.files = [f for f in BASE_FILES if os.path.lexists(f)] * 4 + self.files

    def home(self):
        f, to = self.f(), self.rnd.choice(BASE_FILES)
        if self.rnd.randrange(2):
            os.rename(f, to)
        else:
            os.link(f, to, follow_symlinks=False)


def store_for_ever(k):
    """Stores through a shared mapping of a file whose name may come and go."""
    f = os.open("%s/mapped%d" % (ROOT, k), os.O_RDWR)
    m = mmap.mmap(f, 65536)
    os.close(f)
    i = 0
    while True:
        i += 1
        o = (i * 4099) % 65500
        m[o:o + 4] = (i & 0xFFFFFFFF).to_bytes(4, "little")
        if i % 64 == 0:
            time.sleep(0.001)


def child(run):
    pid = os.fork()
    if pid == 0:
        libc.prctl(1, 9)
        try:
            run()
        except BaseException as e:
            os.write(1, ("BAD %r\n" % e).encode())
        os._exit(1)
    return pid


def main():
    os.makedirs(ROOT, exist_ok=True)
    fill()
    tree = ROOT + "/t"
    os.makedirs(tree)
    for name in sorted(os.listdir(ROOT)):
        if name.startswith("d"):
            os.rename(ROOT + "/" + name, tree + "/" + name)
    for k in range(3):
        child(Mutator(k, tree, 320).run)
    for k, base in enumerate(BASES):
        child(Mutator(10 + k, base, 100000).run)
    if BASE_FILES:
        child(Names(20, ROOT + "/names").run)
    for k in range(MAPPED):
        child(lambda k=k: store_for_ever(k))
    os.write(1, b"ready\n")
    while os.read(0, 100):
        pass
    os._exit(0)


main()
