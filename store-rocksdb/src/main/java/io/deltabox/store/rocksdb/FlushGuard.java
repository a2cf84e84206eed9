package io.deltabox.store.rocksdb;

import java.util.List;
import org.rocksdb.AbstractEventListener;
import org.rocksdb.FlushJobInfo;
import org.rocksdb.RocksDB;

/** Called before the database writes a memtable out, whatever made it do so. */
final class FlushGuard extends AbstractEventListener {
  private volatile Runnable before = () -> {};

  FlushGuard() {
    super(EnabledEventCallback.ON_FLUSH_BEGIN);
  }

  /**
   * @param action must not throw
   */
  void before(Runnable action) {
    before = action;
  }

  @Override
  public void onFlushBegin(RocksDB database, FlushJobInfo info) {
    before.run();
  }

  List<AbstractEventListener> asList() {
    return List.of(this);
  }
}
