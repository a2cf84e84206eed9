package io.deltabox.capture;

/**
 * One process of a snapshot.
 *
 * @param state what it was
 * @param pages content of its private memory
 */
record ProcessSnapshot(ProcessState state, PageMap pages) {}
