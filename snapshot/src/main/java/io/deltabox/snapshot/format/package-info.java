/**
 * Every stored byte of a snapshot: keys, the record that says what a store is, chunks, and how
 * content is cut into them. The grammar is in docs/format.md.
 */
@NullMarked
package io.deltabox.snapshot.format;

import org.jspecify.annotations.NullMarked;
