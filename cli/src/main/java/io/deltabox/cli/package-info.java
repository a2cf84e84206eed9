/** The command and its daemon: every verb, in one implementation. */
@NullMarked
package io.deltabox.cli;

import org.jspecify.annotations.NullMarked;
