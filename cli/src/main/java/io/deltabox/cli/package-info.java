/**
 * What a verb of the command sees: its caller, the box, and how to answer. Verbs of other modules
 * are found through {@link io.deltabox.cli.VerbProvider}.
 */
@NullMarked
package io.deltabox.cli;

import org.jspecify.annotations.NullMarked;
