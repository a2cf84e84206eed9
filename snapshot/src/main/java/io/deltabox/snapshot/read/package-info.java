/** Reads chunks, tables and snapshots back, verified. */
@NullMarked
package io.deltabox.snapshot.read;

import org.jspecify.annotations.NullMarked;
