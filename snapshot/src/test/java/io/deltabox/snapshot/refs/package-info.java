/** Tests of this package. */
@NullMarked
package io.deltabox.snapshot.refs;

import org.jspecify.annotations.NullMarked;
