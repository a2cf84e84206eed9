package io.deltabox.capture.descriptors;

/**
 * One place of a descriptor table.
 *
 * @param process number of the process inside the sandbox
 * @param number the descriptor
 */
public record Slot(int process, int number) implements Comparable<Slot> {
  @Override
  public int compareTo(Slot other) {
    int order = Integer.compare(process, other.process);
    return order != 0 ? order : Integer.compare(number, other.number);
  }

  @Override
  public String toString() {
    return "pid=" + process + " fd=" + number;
  }
}
