/** Writes snapshots: cuts, names, encodes and stores what changed. */
@NullMarked
package io.deltabox.snapshot.write;

import org.jspecify.annotations.NullMarked;
