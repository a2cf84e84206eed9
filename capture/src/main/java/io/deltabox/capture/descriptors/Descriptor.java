package io.deltabox.capture.descriptors;

/**
 * One descriptor of one process.
 *
 * @param info its own fdinfo text: locks are listed for the process that holds them
 */
public record Descriptor(int number, boolean closeOnExec, OpenFile file, String info) {}
