package io.deltabox;

import java.io.IOException;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The bases of a box, each made once and shared by its sandboxes. Guarded by the box. */
final class Bases implements AutoCloseable {
  /** One for every tree, host name and set of exposed paths; sandboxes keep what is given up. */
  private static final int IMAGES_MAX = 64;

  private record ImageKey(SandboxSpec.BaseTree tree, BaseLayer.Key key) {}

  private final IoLoop loop;
  private final Map<BaseLayer.Key, BaseLayer> hosts = new LinkedHashMap<>();
  private final Map<ImageKey, ImageLayer> images = new LinkedHashMap<>(16, 0.75f, true);
  private @Nullable RootWatch watch;

  Bases(IoLoop loop) {
    this.loop = loop;
  }

  /** What a sandbox is to lie on; borrowed until the next call. */
  Base of(SandboxSpec spec, List<BaseLayer.Exposure> exposures) throws IOException {
    BaseLayer.Key key = new BaseLayer.Key(exposures, spec.hostname());
    SandboxSpec.BaseTree tree = spec.base();
    return tree == null ? host(key) : image(new ImageKey(tree, key));
  }

  private Base host(BaseLayer.Key key) throws IOException {
    BaseLayer known = hosts.get(key);
    if (known != null && known.current()) {
      return known;
    }
    if (watch == null) {
      watch = new RootWatch(loop);
    }
    BaseLayer made = BaseLayer.build(key);
    watch.add(made);
    hosts.put(key, made);
    return made;
  }

  private Base image(ImageKey key) throws IOException {
    ImageLayer known = images.get(key);
    if (known != null) {
      return known;
    }
    if (images.size() >= IMAGES_MAX) {
      Iterator<ImageLayer> oldest = images.values().iterator();
      oldest.next().close();
      oldest.remove();
    }
    ImageLayer made = ImageLayer.build(key.tree(), key.key().exposures(), key.key().hostname());
    images.put(key, made);
    return made;
  }

  /** After the loop has ended. */
  @Override
  public void close() {
    hosts.clear();
    if (watch != null) {
      watch.close();
    }
    images.values().forEach(ImageLayer::close);
    images.clear();
  }
}
