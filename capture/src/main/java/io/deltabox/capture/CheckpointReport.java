package io.deltabox.capture;

import java.util.UUID;

/**
 * What a checkpoint did.
 *
 * @param id of the snapshot that holds the state: a new one, or the parent if nothing had changed
 * @param unchanged nothing had changed, no snapshot was made
 * @param pagesCopied pages read in the pause, 4 KiB each
 * @param pagesChanged pages whose content is not the parent's
 */
public record CheckpointReport(
    UUID id,
    boolean unchanged,
    WindowTimes times,
    int processes,
    int threads,
    long pagesCopied,
    long pagesChanged) {}
