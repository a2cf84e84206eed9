/** The verbs of the command that come with it. */
@NullMarked
package io.deltabox.cli.verbs;

import org.jspecify.annotations.NullMarked;
