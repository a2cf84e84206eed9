package io.deltabox.capture.files;

import java.util.List;

/**
 * Where the files of a sandbox are. All descriptors are borrowed and must stay open as long as the
 * tracker.
 *
 * @param tree root of a detached clone of the sandbox's overlay mount (open_tree(2) with {@code
 *     OPEN_TREE_CLONE})
 * @param tmpfs root of the private file system that holds the upper layer, the work directory and
 *     the directory behind /dev/shm; of a mount of which all three can be reached
 * @param lowers the overlay's lower directories, topmost first; needed only while the tracker opens
 * @param upper name of the upper layer in {@code tmpfs}
 * @param work name of the overlay's work directory in {@code tmpfs}
 * @param shared name of the directory behind /dev/shm in {@code tmpfs}, or empty
 * @param staging path in {@code tree} of an existing directory which is covered by another mount in
 *     every namespace of the sandbox, such as {@code proc}
 * @param mounts paths in the sandbox on which something is mounted, without leading slash
 * @param baseDigest digest of the tree that is the lowest of {@code lowers}, which then is the same
 *     wherever it was laid out; empty for files of this machine
 */
public record FileLayout(
    int tree,
    int tmpfs,
    List<Integer> lowers,
    String upper,
    String work,
    String shared,
    String staging,
    List<String> mounts,
    String baseDigest) {
  public FileLayout {
    lowers = List.copyOf(lowers);
    mounts = List.copyOf(mounts);
  }
}
