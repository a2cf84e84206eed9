package io.deltabox.capture.descriptors;

/**
 * Identity of a file, pipe or socket.
 *
 * @param dev device number as stat(2) gives it
 * @param ino inode number
 */
public record FileKey(long dev, long ino) {
  /** From the parts that proc(5) shows; makedev(3) for the layout. */
  public static FileKey of(long major, long minor, long ino) {
    return new FileKey(
        (minor & 0xff) | (major & 0xfff) << 8 | (minor & ~0xffL) << 12 | (major & ~0xfffL) << 32,
        ino);
  }

  public long major() {
    return (dev >>> 8 & 0xfff) | (dev >>> 32 & ~0xfffL);
  }

  public long minor() {
    return (dev & 0xff) | (dev >>> 12 & ~0xffL);
  }
}
