package io.deltabox.capture;

import io.deltabox.capture.files.FileState;
import java.io.IOException;
import java.util.UUID;

/** What the keeper holds, as a source: nothing need be fetched. Nothing is freed during a visit. */
final class KeeperSource implements CaptureSource {
  private final Keeper keeper;

  KeeperSource(Keeper keeper) {
    this.keeper = keeper;
  }

  /** A look at what must not be freed meanwhile. */
  private interface Look {
    void at(SnapshotState snapshot) throws IOException;
  }

  private void look(UUID snapshot, Look look) throws IOException {
    keeper.using().lock();
    try {
      look.at(keeper.find(snapshot));
    } finally {
      keeper.using().unlock();
    }
  }

  @Override
  public void prefetch(UUID snapshot) {}

  @Override
  public void records(UUID snapshot, RecordVisitor to) throws IOException {
    look(snapshot, found -> SnapshotRecords.send(found, to));
  }

  @Override
  public void pages(UUID snapshot, int process, PageRun range, PageVisitor to) throws IOException {
    look(
        snapshot,
        found -> {
          ProcessSnapshot one = found.processes().get(process);
          if (one == null) {
            throw new CaptureException("no such process in the snapshot: pid=" + process);
          }
          new PageTransfer(keeper.store())
              .range(one.pages(), range)
              .run((runs, bytes, before) -> to.pages(runs, bytes));
        });
  }

  @Override
  public void shared(UUID snapshot, ObjectId object, PageRun range, PageVisitor to)
      throws IOException {
    look(
        snapshot,
        found -> {
          ObjectState one = found.objects().get(object);
          if (one == null) {
            throw new CaptureException("no such shared object in the snapshot: object=" + object);
          }
          new PageTransfer(keeper.store())
              .range(one.pages(), range)
              .run((runs, bytes, before) -> to.pages(runs, bytes));
        });
  }

  @Override
  public void files(UUID snapshot, FileVisitor to) throws IOException {
    look(
        snapshot,
        found -> {
          FileState files = found.files();
          if (files != null) {
            files.visit(to);
          }
        });
  }
}
