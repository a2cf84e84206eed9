package io.deltabox.capture;

import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What a checkpoint did.
 *
 * @param id of the snapshot that holds the state: a new one, or the parent if nothing had changed
 * @param parent the snapshot the sandbox was at before, or null
 * @param unchanged nothing had changed, no snapshot was made
 * @param pagesCopied pages read in the pause, 4 KiB each
 * @param pagesChanged pages whose content is not the parent's
 * @param filesChanged names that differ from the parent
 * @param bytesKept bytes of content that the parent does not share
 */
public record CheckpointReport(
    UUID id,
    @Nullable UUID parent,
    boolean unchanged,
    WindowTimes times,
    int processes,
    int threads,
    long pagesCopied,
    long pagesChanged,
    long filesChanged,
    long bytesKept) {}
