/**
 * Descriptors of a sandbox: what every process has open, what is inside the objects, who shares
 * which open file description; and how living processes get it all back.
 *
 * <p>The path of a rollback: {@link io.deltabox.capture.descriptors.DescriptorTable} parses the
 * records of a checkpoint and of the present, {@link
 * io.deltabox.capture.descriptors.DescriptorReconciler} compares the two and applies the
 * difference.
 */
@NullMarked
package io.deltabox.capture.descriptors;

import org.jspecify.annotations.NullMarked;
