package io.deltabox;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A file tree of DeltaBox's own as base: accounts and programs are the tree's; over it lie only
 * what every sandbox has of its own, and places to mount on.
 *
 * <p>A directory that both have shows with the attributes of the layer's, which therefore are those
 * of the tree's.
 */
final class ImageLayer implements Base {
  private static final long BYTES_MAX = 4L << 20;
  private static final long INODES_MAX = 4096;

  /** What must be a directory, else the sandbox could not live in the tree. */
  private static final List<String> MOUNTED = List.of("dev", "etc", "proc", "sys");

  private static final List<String> MODES =
      List.of("dev 0755", "etc 0755", "proc 0555", "root 0700", "run 0755", "sys 0555", "tmp 1777");

  private final Layer layer;
  private final Descriptor tree;
  private final String digest;
  private final Accounts accounts;
  private final Map<Path, FileTime> times = new LinkedHashMap<>();

  private ImageLayer(Layer layer, Descriptor tree, String digest, Accounts accounts) {
    this.layer = layer;
    this.tree = tree;
    this.digest = digest;
    this.accounts = accounts;
  }

  /**
   * Builds the layer; the caller closes it.
   *
   * @throws InvalidRequestException if the tree is not there or no sandbox can live in it
   */
  static ImageLayer build(
      SandboxSpec.BaseTree base, List<BaseLayer.Exposure> exposures, String hostname)
      throws IOException {
    Path root = base.directory();
    if (!Files.isDirectory(root, LinkOption.NOFOLLOW_LINKS)) {
      throw new InvalidRequestException(
          "base is not there: path=" + Text.quote(root.toString()) + " digest=" + base.digest());
    }
    Accounts accounts = Accounts.of(root);
    Layer layer = Layer.make(BYTES_MAX, INODES_MAX);
    Descriptor tree = null;
    try {
      tree =
          Descriptor.of(
              SandboxFunctions.get()
                  .dbx_sandbox_clone(
                      Descriptor.NOWHERE,
                      root.toString(),
                      0,
                      Mounts.RDONLY | Mounts.NOSUID | Mounts.NODEV),
              "take base path=" + root);
      ImageLayer made = new ImageLayer(layer, tree, base.digest(), accounts);
      made.fill(exposures, hostname);
      return made;
    } catch (IOException | RuntimeException e) {
      layer.close();
      if (tree != null) {
        tree.close();
      }
      throw e;
    }
  }

  private void fill(List<BaseLayer.Exposure> exposures, String hostname) throws IOException {
    for (String line : MODES) {
      String[] words = line.split(" ");
      if (MOUNTED.contains(words[0])) {
        requireDirectory(words[0]);
      }
      if (!exists(words[0])) {
        layer.directory(words[0], Integer.parseInt(words[1], 8), 0, 0);
      }
    }
    merged("etc");
    layer.names(hostname);
    for (BaseLayer.Exposure exposure : exposures) {
      mountPoint(exposure);
    }
    layer.settleTimes();
    for (Map.Entry<Path, FileTime> time : times.entrySet()) {
      Files.setLastModifiedTime(time.getKey(), time.getValue());
    }
  }

  private Path inTree(String path) {
    return tree.path().resolve(path);
  }

  private boolean exists(String path) {
    return Files.exists(inTree(path), LinkOption.NOFOLLOW_LINKS);
  }

  private boolean isDirectory(String path) {
    return Files.isDirectory(inTree(path), LinkOption.NOFOLLOW_LINKS);
  }

  private void requireDirectory(String path) throws InvalidRequestException {
    if (exists(path) && !isDirectory(path)) {
      throw new InvalidRequestException(
          "base cannot be used: must be a directory in it, not a link or file: path=/"
              + path
              + " digest="
              + digest);
    }
  }

  /** A directory of the layer that shows what the tree has in it, with the tree's attributes. */
  private void merged(String path) throws IOException {
    if (layer.hasDirectory(path) || !exists(path)) {
      return;
    }
    Path from = inTree(path);
    Map<String, Object> found =
        Files.readAttributes(from, "unix:mode,uid,gid", LinkOption.NOFOLLOW_LINKS);
    layer.directory(
        path, number(found, "mode") & 07777, number(found, "uid"), number(found, "gid"));
    times.put(layer.path(path), Files.getLastModifiedTime(from, LinkOption.NOFOLLOW_LINKS));
  }

  private static int number(Map<String, Object> attributes, String name) {
    return attributes.get(name) instanceof Integer value ? value : 0;
  }

  private void mountPoint(BaseLayer.Exposure exposure) throws IOException {
    Path relative = Path.of("/").relativize(exposure.target());
    for (int depth = 1; depth < relative.getNameCount(); depth++) {
      String ancestor = relative.subpath(0, depth).toString();
      requireDirectory(ancestor);
      merged(ancestor);
      if (!layer.hasDirectory(ancestor)) {
        layer.directory(ancestor, 0755, 0, 0);
      }
    }
    String target = relative.toString();
    if (exposure.directory() && isDirectory(target)) {
      merged(target);
    }
    layer.mountPoint(target, exposure.directory());
  }

  @Override
  public Descriptor layer() {
    return layer.mount();
  }

  @Override
  public Descriptor openTree() throws IOException {
    return Descriptor.open(tree.fd(), ".", Descriptor.O_PATH | Descriptor.O_DIRECTORY);
  }

  @Override
  public boolean current() {
    return tree.open();
  }

  @Override
  public String digest() {
    return digest;
  }

  @Override
  public Accounts accounts() {
    return accounts;
  }

  @Override
  public void close() {
    layer.close();
    tree.close();
  }
}
