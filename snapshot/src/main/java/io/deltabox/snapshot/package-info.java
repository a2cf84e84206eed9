/**
 * Snapshots in a store: pages, files and records of any producer, each snapshot as what it changes
 * against its parent, deduplicated, encrypted and verified. Start at {@link
 * io.deltabox.snapshot.SnapshotStore}. Knows nothing of processes.
 */
@NullMarked
package io.deltabox.snapshot;

import org.jspecify.annotations.NullMarked;
