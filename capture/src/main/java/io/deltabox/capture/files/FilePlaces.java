package io.deltabox.capture.files;

/**
 * Where the files of a sandbox can be reached; descriptors are borrowed.
 *
 * @param tree root of a detached clone of the sandbox's overlay mount: edits go through it
 * @param tmpfs root of the private file system that holds upper layer, work directory and the
 *     directory behind /dev/shm
 * @param upper the upper layer
 * @param work the overlay's work directory
 * @param shared the directory behind /dev/shm, or -1
 * @param stage hidden directory reached through {@code tree}, covered in the sandbox
 * @param upperStage the same directory in the upper layer
 * @param sharedStage hidden directory reached through {@code tmpfs}
 */
record FilePlaces(
    int tree,
    int tmpfs,
    int upper,
    int work,
    int shared,
    int stage,
    int upperStage,
    int sharedStage) {}
