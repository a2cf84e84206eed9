/** The library users call: boxes, sandboxes, snapshots, commands run inside. */
@NullMarked
package io.deltabox;

import org.jspecify.annotations.NullMarked;
