@NullMarked
package io.deltabox.capture.record;

import org.jspecify.annotations.NullMarked;
