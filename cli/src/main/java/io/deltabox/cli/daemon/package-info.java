/** The daemon: its data root, its socket, and one session per connection that runs one verb. */
@NullMarked
package io.deltabox.cli.daemon;

import org.jspecify.annotations.NullMarked;
