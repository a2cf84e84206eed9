package io.deltabox;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * Hides names that appear in the host's root directory while sandboxes run.
 *
 * <p>A layer below a mounted overlay should not change; a whiteout of a name nobody has looked up
 * yet is the one change that is safe, because nothing of it is cached. Between the appearance of a
 * name and its whiteout lies one turn of the loop.
 */
final class RootWatch implements AutoCloseable {
  /** About 2 MiB each: one for every host name and set of exposed paths. */
  private static final int LAYERS_MAX = 128;

  private final IoLoop loop;
  private final Descriptor names;
  private final long key;
  private final List<BaseLayer> layers = new CopyOnWriteArrayList<>();

  RootWatch(IoLoop loop) throws IOException {
    this.loop = loop;
    this.names =
        Descriptor.of(
            SandboxFunctions.get().dbx_sandbox_watch_names("/"), "watch host root directory");
    this.key = loop.register(this::changed);
    loop.watch(names, key);
  }

  /** Takes ownership. The oldest layer is given up when there are too many: it stays mounted. */
  void add(BaseLayer layer) {
    layers.add(layer);
    if (layers.size() > LAYERS_MAX) {
      layers.remove(0).close();
    }
  }

  private void changed() {
    long size;
    do {
      size =
          SandboxFunctions.get()
              .dbx_sandbox_read(names.fd(), loop.buffer().address(), IoLoop.READ_BYTES);
    } while (size > 0);
    for (BaseLayer layer : layers) {
      try {
        layer.hideRest();
      } catch (IOException e) {
        System.getLogger(RootWatch.class.getName())
            .log(System.Logger.Level.WARNING, "a new name in the host root shows inside", e);
      }
    }
  }

  /** After the loop has ended. */
  @Override
  public void close() {
    loop.unregister(key);
    names.close();
    layers.forEach(BaseLayer::close);
  }
}
