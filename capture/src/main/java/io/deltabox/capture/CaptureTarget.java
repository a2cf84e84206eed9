package io.deltabox.capture;

/**
 * The running sandbox an engine works on. All descriptors are borrowed and stay open until the
 * engine is closed.
 *
 * @param name for thread names and messages
 * @param initPid pid 1 of the sandbox, numbered in the daemon's namespace
 * @param engineChannel socket on which pid 1 sets the next process number
 * @param tree detached clone of the sandbox's overlay mount, without submounts
 * @param upper the overlay's upper directory
 * @param privateFs root of the private file system that holds upper and shm
 * @param shm detached clone of the directory behind /dev/shm
 * @param staging directory below {@code tree} that no process can see, relative
 */
public record CaptureTarget(
    String name,
    int initPid,
    int engineChannel,
    int tree,
    int upper,
    int privateFs,
    int shm,
    String staging) {}
