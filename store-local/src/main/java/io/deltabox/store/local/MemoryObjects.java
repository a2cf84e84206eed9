package io.deltabox.store.local;

import io.deltabox.store.Bytes;
import io.deltabox.store.ObjectName;
import java.util.concurrent.ConcurrentSkipListMap;

/** The objects of one name, whoever has it open. */
final class MemoryObjects {
  final ConcurrentSkipListMap<ObjectName, Bytes> objects = new ConcurrentSkipListMap<>();
}
