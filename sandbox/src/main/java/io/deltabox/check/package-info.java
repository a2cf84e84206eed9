/**
 * An independent reader of a stopped sandbox: takes an image of its processes and files and
 * compares two of them.
 *
 * <p>It shares no code with the capture engine and depends on nothing of it, so that it cannot
 * repeat its mistakes: everything is read from {@code /proc} and the file system and kept as text
 * or hashes.
 */
@NullMarked
package io.deltabox.check;

import org.jspecify.annotations.NullMarked;
