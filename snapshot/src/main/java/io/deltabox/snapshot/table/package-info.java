/**
 * What snapshots hold and where it is: tables, the layers they are read through, manifests, and
 * their stored forms. The grammar is in docs/format.md.
 */
@NullMarked
package io.deltabox.snapshot.table;

import org.jspecify.annotations.NullMarked;
