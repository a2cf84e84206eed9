/** Names of snapshots: mutable labels, moved by compare-and-set. */
@NullMarked
package io.deltabox.snapshot.refs;

import org.jspecify.annotations.NullMarked;
