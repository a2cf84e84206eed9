@NullMarked
package io.deltabox.store.local;

import org.jspecify.annotations.NullMarked;
