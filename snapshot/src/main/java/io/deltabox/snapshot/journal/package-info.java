/** The ordered record of what was done: streams of records, each of which names the one before. */
@NullMarked
package io.deltabox.snapshot.journal;

import org.jspecify.annotations.NullMarked;
