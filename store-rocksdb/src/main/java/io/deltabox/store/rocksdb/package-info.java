/**
 * The hot store over RocksDB: {@code rocksdb:/DIRECTORY}. {@link
 * io.deltabox.store.rocksdb.RocksProvider} opens it; {@code Handles} owns everything native and is
 * the one way to it. {@code Changes} orders what is written: first into the {@code SegmentLog},
 * which holds the chunks, then into the {@code Index}, which is the database. {@code Replay} brings
 * the index up to the log when a store is opened; {@code Rewriter} gives room back. Types of
 * RocksDB named Snapshot and Checkpoint have nothing to do with ours and do not leave this package.
 */
@NullMarked
package io.deltabox.store.rocksdb;

import org.jspecify.annotations.NullMarked;
