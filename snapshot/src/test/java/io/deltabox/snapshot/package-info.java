@NullMarked
package io.deltabox.snapshot;

import org.jspecify.annotations.NullMarked;
