/** Tests of this package. */
@NullMarked
package io.deltabox.snapshot.journal;

import org.jspecify.annotations.NullMarked;
