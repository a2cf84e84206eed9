@NullMarked
package io.deltabox.snapshot.table;

import org.jspecify.annotations.NullMarked;
