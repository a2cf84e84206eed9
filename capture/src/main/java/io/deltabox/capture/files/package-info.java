/**
 * The files of a sandbox: what changed, what it was, and how to put it back through the sandbox's
 * own mount.
 *
 * <p>Names are bytes on Linux. Here a name is a string whose characters are those bytes (ISO
 * 8859-1): every name survives, also one that is not valid UTF-8.
 */
@NullMarked
package io.deltabox.capture.files;

import org.jspecify.annotations.NullMarked;
