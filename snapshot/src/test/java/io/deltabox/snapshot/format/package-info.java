@NullMarked
package io.deltabox.snapshot.format;

import org.jspecify.annotations.NullMarked;
