/**
 * State model, capture and reconcile: what a sandbox is, what changed, and how to put it back.
 * Knows no store.
 */
@NullMarked
package io.deltabox.capture;

import org.jspecify.annotations.NullMarked;
