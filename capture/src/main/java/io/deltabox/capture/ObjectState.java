package io.deltabox.capture;

/**
 * Content of a shared memory object.
 *
 * @param size bytes
 * @param pages content by page number in the object; holes have none
 */
record ObjectState(long size, PageMap pages) {}
