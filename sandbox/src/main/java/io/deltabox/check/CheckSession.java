package io.deltabox.check;

import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The check mode of one sandbox: remembers an image per snapshot and compares after each rollback.
 *
 * <p>Both calls must come while everything is stopped, on the thread that traces the sandbox,
 * {@link #captured} at the end of the checkpoint's window and {@link #compare} when a rollback has
 * put everything back but not thawed yet. An image takes about 24 bytes per page that is not zero.
 * Not thread-safe.
 */
public final class CheckSession {
  private final Scope scope;
  private final Oracle oracle;
  private int initPid;
  private final Map<String, Image> images = new HashMap<>();

  /**
   * @param initPid pid 1 of the sandbox, in the caller's pid namespace
   */
  public CheckSession(int initPid, Scope scope) {
    this.scope = scope;
    this.oracle = new Oracle(scope);
    this.initPid = initPid;
  }

  /** The sandbox goes on in another container. */
  public void moved(int newInitPid) {
    initPid = newInitPid;
  }

  /** Takes over the image of a snapshot that was made in another sandbox. */
  public void adopt(CheckSession other, String snapshot) {
    Image image = other.images.get(snapshot);
    if (image != null) {
      images.put(snapshot, image);
    }
  }

  /** What images of this session cover. */
  public Scope scope() {
    return scope;
  }

  /**
   * Takes and keeps the image that belongs to a snapshot; a later one of the same id replaces it.
   */
  public void captured(String snapshot) throws IOException {
    images.put(snapshot, oracle.image(initPid));
  }

  /**
   * Gives the image taken for one id to another, for a checkpoint that found nothing changed. An
   * older image of that snapshot stays: whether nothing has changed is what is to be proved.
   */
  public void rename(String from, String to) {
    Image image = images.remove(from);
    if (image != null) {
      images.putIfAbsent(to, image);
    }
  }

  /** Whether the snapshot was taken in check mode. */
  public boolean knows(String snapshot) {
    return images.containsKey(snapshot);
  }

  /**
   * Compares the present state with the image of a snapshot.
   *
   * @return the differences, empty if there are none
   * @throws IOException if the snapshot was not taken in check mode, or reading fails
   */
  public List<Difference> compare(String snapshot) throws IOException {
    Image expected = images.get(snapshot);
    if (expected == null) {
      throw new IOException("snapshot was not made with a check: snapshot=" + snapshot);
    }
    return expected.compare(oracle.image(initPid));
  }

  /** The exception a rollback ends with when {@link #compare} found something. */
  public static CheckFailedException failure(String snapshot, List<Difference> differences) {
    return new CheckFailedException(snapshot, differences);
  }

  /** What was covered at a snapshot, for reports; empty if it was not taken in check mode. */
  public String coverage(String snapshot) {
    Image image = images.get(snapshot);
    return image == null ? "" : image.toString();
  }

  /** Forgets the image of a snapshot that was removed. */
  public void forget(String snapshot) {
    images.remove(snapshot);
  }
}
