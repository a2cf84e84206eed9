/**
 * The honest references: stores in memory, and in plain files. Simple before fast; what they do is
 * what the contract says and no more.
 */
@NullMarked
package io.deltabox.store.local;

import org.jspecify.annotations.NullMarked;
