package io.deltabox.snapshot.table;

import io.deltabox.store.ChunkId;
import java.util.List;
import java.util.Optional;

/** Finds single pages of one map of a snapshot. */
public final class PageLookup {
  /**
   * A page in a chunk.
   *
   * @param page which of the chunk
   */
  public record Place(ChunkId chunk, int page) {}

  private final List<PageRuns> downward;

  PageLookup(List<PageRuns> downward) {
    this.downward = List.copyOf(downward);
  }

  /** Whether a page has content. */
  public boolean has(long page) {
    for (PageRuns runs : downward) {
      int run = runs.find(page);
      if (run >= 0) {
        return !runs.gone(run);
      }
    }
    return false;
  }

  /** Which chunk has a page; empty if it has no content or is zero. */
  public Optional<Place> place(long page) {
    for (PageRuns runs : downward) {
      int run = runs.find(page);
      if (run >= 0) {
        return runs.inChunk(run)
            ? Optional.of(new Place(runs.chunk(run), runs.at(run) + (int) (page - runs.first(run))))
            : Optional.empty();
      }
    }
    return Optional.empty();
  }
}
