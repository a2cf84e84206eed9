package io.deltabox.capture;

import java.util.BitSet;
import org.jspecify.annotations.Nullable;

/**
 * Makes the content of one shared memory object what a snapshot holds, page by page where it
 * differs.
 */
final class ObjectFill {
  private static final int SHIFT = 12;

  private final Tracer tracer;
  private final int file;
  private final ObjectState wanted;
  private final PageStore store;
  private int result;

  ObjectFill(Tracer tracer, int file, ObjectState wanted, PageStore store) {
    this.tracer = tracer;
    this.file = file;
    this.wanted = wanted;
    this.store = store;
  }

  /**
   * @param now what the object holds, or null for a new one
   * @return 0 or the negated error number
   */
  int run(WindowRecords.@Nullable ObjectBlock now) {
    if (now == null || now.size() != wanted.size()) {
      result = tracer.calls.dbx_object_resize(file, wanted.size());
    }
    BitSet seen = new BitSet();
    if (now != null) {
      long address = now.pages().address();
      for (PageRun run : now.pages().runs()) {
        for (long page = run.firstPage(); page < run.endPage(); page++) {
          seen.set((int) page);
          compare(page, address);
          address += PageStore.PAGE_BYTES;
        }
      }
    }
    wanted
        .pages()
        .forEach(
            (page, slot) -> {
              if (!seen.get((int) page)) {
                write(page, slot);
              }
            });
    return result;
  }

  private void compare(long page, long address) {
    int slot = wanted.pages().get(page);
    if (page << SHIFT >= wanted.size()) {
      return;
    }
    if (slot == PageMap.ABSENT) {
      if (result >= 0) {
        result = tracer.calls.dbx_object_clear(file, page << SHIFT, PageStore.PAGE_BYTES);
      }
    } else if (!PageBytes.equal(store.address(slot), address)) {
      write(page, slot);
    }
  }

  private void write(long page, int slot) {
    long bytes = Math.min(PageStore.PAGE_BYTES, wanted.size() - (page << SHIFT));
    if (result >= 0 && bytes > 0) {
      result = tracer.calls.dbx_object_write(file, page << SHIFT, store.address(slot), bytes);
    }
  }
}
