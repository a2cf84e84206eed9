/** The bytes of records that leave the engine: little-endian, with kind and version first. */
@NullMarked
package io.deltabox.capture.record;

import org.jspecify.annotations.NullMarked;
