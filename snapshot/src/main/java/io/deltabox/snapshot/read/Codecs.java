package io.deltabox.snapshot.read;

import io.deltabox.snapshot.format.ChunkCodec;
import io.deltabox.snapshot.format.Domain;
import io.deltabox.snapshot.format.PageBases;
import java.security.SecureRandom;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jspecify.annotations.Nullable;

/** Codecs that are used over and over, each by one thread at a time. Thread-safe. */
public final class Codecs implements AutoCloseable {
  /** What one use has to itself. */
  public final class Use implements AutoCloseable {
    private final ChunkCodec codec = new ChunkCodec(domain, random);
    private final PageBases bases = new PageBases();

    public ChunkCodec codec() {
      return codec;
    }

    public PageBases bases() {
      return bases;
    }

    /** Gives it back. */
    @Override
    public void close() {
      if (closed) {
        codec.close();
      } else {
        idle.add(this);
      }
    }
  }

  private final Domain domain;
  private final SecureRandom random = new SecureRandom();
  private final ConcurrentLinkedQueue<Use> idle = new ConcurrentLinkedQueue<>();
  private volatile boolean closed;

  public Codecs(Domain domain) {
    this.domain = domain;
  }

  public Use use() {
    @Nullable Use found = idle.poll();
    return found == null ? new Use() : found;
  }

  @Override
  public void close() {
    closed = true;
    for (Use use = idle.poll(); use != null; use = idle.poll()) {
      use.codec.close();
    }
  }
}
