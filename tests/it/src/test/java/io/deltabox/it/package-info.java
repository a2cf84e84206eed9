/** The promises of the product, held against real programs in real sandboxes. */
@NullMarked
package io.deltabox.it;

import org.jspecify.annotations.NullMarked;
