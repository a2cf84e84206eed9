/** The programs that run inside sandboxes to be checkpointed, disturbed and rolled back. */
@NullMarked
package io.deltabox.probes;

import org.jspecify.annotations.NullMarked;
