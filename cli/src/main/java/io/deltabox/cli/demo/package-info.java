/**
 * The demonstration: real programs saved, wrecked and put back, and every difference looked for.
 */
@NullMarked
package io.deltabox.cli.demo;

import org.jspecify.annotations.NullMarked;
