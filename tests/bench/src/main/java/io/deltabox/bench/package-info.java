/** Measures the product from outside and inside, each result verified before it counts. */
@NullMarked
package io.deltabox.bench;

import org.jspecify.annotations.NullMarked;
