package io.deltabox.snapshot.table;

import io.deltabox.snapshot.SnapshotInfo;

/**
 * The table of contents of a snapshot.
 *
 * @param keyframe the table that is complete in itself
 * @param middle what lies over it
 * @param own what lies over that
 * @param ownSteps how many snapshots the own table has grown over
 * @param middleSteps how many the middle one has
 * @param records all records in one stream
 */
public record Manifest(
    SnapshotInfo info,
    StreamRef keyframe,
    StreamRef middle,
    StreamRef own,
    int ownSteps,
    int middleSteps,
    StreamRef records) {}
