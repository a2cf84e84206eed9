package io.deltabox.store;

/**
 * What is known of an object without its content.
 *
 * @param bytes its length
 */
public record ObjectInfo(ObjectName name, long bytes) {}
