/** The C mechanism library of DeltaBox, bound to Java: one coarse call per mechanism, no policy. */
@NullMarked
package io.deltabox.linux;

import org.jspecify.annotations.NullMarked;
