package io.deltabox.capture.descriptors;

import io.deltabox.capture.Injection;
import io.deltabox.capture.StoppedProcess;
import io.deltabox.linux.Errno;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * Binds unix sockets to names in the file system again. The name is there already, put back with
 * the files, and no living socket can be tied to it; so it is replaced, keeping mode and owner.
 */
final class UnixNames {
  private static final int CHMOD = 90;
  private static final int CHOWN = 92;

  private UnixNames() {}

  static int bind(OpenFile target, SocketState wanted, String path, Run run) throws IOException {
    StoppedProcess process = run.process(target.slots().first().process());
    ByteBuffer local = wanted.ends().local();
    byte[] address = new byte[local.remaining()];
    local.duplicate().get(address);
    byte[] name = (path + "\0").getBytes(StandardCharsets.ISO_8859_1);
    Integer old = path.startsWith("/") ? run.placeIfThere(path) : null;
    Integer folder = old == null ? null : run.place(folder(path));
    Kernel.Stat around = folder == null ? null : run.kernel().stat(folder);
    Kernel.Stat node = old == null ? null : run.kernel().stat(old);
    Injection.Call[] bound = new Injection.Call[1];
    Injection[] used = new Injection[1];
    int fd =
        run.madeInside(
            process.innerPid(),
            batch -> {
              used[0] = batch;
              Injection.Call made =
                  batch.call(
                      Calls.SOCKET,
                      batch.value(wanted.type().domain()),
                      batch.value(wanted.type().type() | Flags.O_CLOEXEC),
                      batch.value(0));
              batch.call(Calls.UNLINK, batch.bytes(name));
              bound[0] =
                  batch.call(Calls.BIND, made, batch.bytes(address), batch.value(address.length));
              return made;
            });
    Errno.check(used[0].result(bound[0]), "bind a unix socket again, path=" + path);
    if (node != null) {
      dress(path, node, run);
    }
    if (folder != null && around != null) {
      run.kernel().setTimes(folder, around.times());
    }
    return fd;
  }

  private static String folder(String path) {
    int slash = path.lastIndexOf('/');
    return slash == 0 ? "/" : path.substring(0, slash);
  }

  private static void dress(String path, Kernel.Stat node, Run run) throws IOException {
    Kernel kernel = run.kernel();
    int place = run.place(path);
    byte[] link = ("/proc/self/fd/" + place + "\0").getBytes(StandardCharsets.US_ASCII);
    kernel.buffer(link.length).put(link);
    kernel.check("owner of " + path, CHOWN, kernel.address(), node.uid(), node.gid(), 0);
    kernel.check("mode of " + path, CHMOD, kernel.address(), node.mode() & 07777, 0, 0);
    kernel.setTimes(place, node.times());
  }
}
