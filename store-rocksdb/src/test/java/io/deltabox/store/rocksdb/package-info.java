@NullMarked
package io.deltabox.store.rocksdb;

import org.jspecify.annotations.NullMarked;
