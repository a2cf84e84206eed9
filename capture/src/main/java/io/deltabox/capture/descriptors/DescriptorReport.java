package io.deltabox.capture.descriptors;

import java.util.List;

/**
 * What a reconcile did.
 *
 * @param kept open file descriptions that were right, or edited
 * @param edited how many of them were edited
 * @param made made again or opened again
 * @param given descriptors given to processes
 * @param closed descriptors that the target does not have
 * @param notes what is lost and documented as such, one line each
 */
public record DescriptorReport(
    int kept, int edited, int made, int given, int closed, List<String> notes) {
  public DescriptorReport {
    notes = List.copyOf(notes);
  }
}
