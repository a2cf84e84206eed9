package io.deltabox.capture.descriptors;

import java.util.random.RandomGenerator;

/**
 * The device numbers of one container, told apart from those of every other.
 *
 * <p>The kernel numbers what has no device from the lowest free number on, so that the numbers of a
 * container that has ended are those of the next one, and inode numbers of pipes, sockets and
 * memory objects begin anew at each boot. A snapshot outlives both. Therefore it holds no plain
 * number: the upper half is the mark of the container it was read in, and what two containers
 * number alike is never taken for the same. The kernel's own numbers fill the lower half (32 bits,
 * include/linux/kdev_t.h), as stat(2) lays them out.
 *
 * @param mark of the container; random, so that two share one with a chance of 1 to 2^32, which
 *     matters only when device and inode number are the same as well. Zero for {@link #PLAIN}
 */
public record Devices(int mark) {
  /** Numbers as the kernel tells them; for what is compared within one container only. */
  public static final Devices PLAIN = new Devices(0);

  private static final int SHIFT = 32;
  private static final long HALF = 0xffffffffL;

  /** Those of a new container. */
  public static Devices of(RandomGenerator random) {
    int mark = random.nextInt();
    return new Devices(mark == 0 ? 1 : mark);
  }

  /** A number as the kernel tells it, with the mark. */
  public long marked(long plain) {
    if (plain >>> SHIFT != 0) {
      throw new IllegalArgumentException("not a number of the kernel: device=" + plain);
    }
    return (long) mark << SHIFT | plain;
  }

  /** From the parts that proc(5) shows; makedev(3) for the layout. */
  public long marked(long major, long minor) {
    return marked((minor & 0xff) | (major & 0xfff) << 8 | (minor & ~0xffL) << 12);
  }

  /** True if a number is one of this container. */
  public boolean own(long device) {
    return device >>> SHIFT == (mark & HALF);
  }

  /** The same number as the kernel tells it. */
  public static long plain(long device) {
    return device & HALF;
  }

  /** The container a marked number is of. */
  static Devices markOf(long device) {
    return new Devices((int) (device >>> SHIFT));
  }
}
