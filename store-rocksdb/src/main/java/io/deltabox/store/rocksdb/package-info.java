/**
 * The hot store over RocksDB: {@code rocksdb:/DIRECTORY}. {@link
 * io.deltabox.store.rocksdb.RocksProvider} opens it; {@code Handles} owns everything native and is
 * the one way to it; {@code Commits} orders what is written and makes it durable. Types of RocksDB
 * named Snapshot and Checkpoint have nothing to do with ours and do not leave this package.
 */
@NullMarked
package io.deltabox.store.rocksdb;

import org.jspecify.annotations.NullMarked;
