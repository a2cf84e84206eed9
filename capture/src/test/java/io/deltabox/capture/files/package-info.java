/** Tests of the files part, on real overlays. */
@NullMarked
package io.deltabox.capture.files;

import org.jspecify.annotations.NullMarked;
