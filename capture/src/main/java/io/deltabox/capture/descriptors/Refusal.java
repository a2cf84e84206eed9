package io.deltabox.capture.descriptors;

/**
 * Something open in the sandbox that cannot be checkpointed.
 *
 * @param process its number inside the sandbox
 * @param program path of what it runs
 * @param number the descriptor; -1 for the process itself
 * @param thing where the descriptor leads
 * @param reason why it cannot be checkpointed
 * @param wayOut what to do about it
 */
public record Refusal(
    int process, String program, int number, String thing, String reason, String wayOut) {
  /** One line for people. */
  public String message() {
    return "cannot checkpoint: "
        + reason
        + "; "
        + wayOut
        + "; pid="
        + process
        + " program="
        + program
        + (number < 0 ? "" : " fd=" + number)
        + " leads_to="
        + thing;
  }
}
