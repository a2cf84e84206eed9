package io.deltabox.it;

import io.deltabox.DeltaBox;
import io.deltabox.DeltaBoxConfig;
import io.deltabox.Exec;
import io.deltabox.ExecSpec;
import io.deltabox.Sandbox;
import io.deltabox.SandboxSpec;
import io.deltabox.UnavailableException;
import io.deltabox.linux.OptionalFeature;
import io.deltabox.probes.Probes;
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import java.util.Set;

/**
 * A box of its own with the probes shown inside, in a temporary directory that goes away with it.
 */
final class TestBox implements AutoCloseable {
  private final Path directory;
  private final Path probes;
  private final DeltaBox box;

  private TestBox(Path directory, Path probes, DeltaBox box) {
    this.directory = directory;
    this.probes = probes;
    this.box = box;
  }

  static TestBox open() throws IOException {
    return open(OptionalFeature.switchedOff());
  }

  /** A box that does not use some features of the kernel. */
  static TestBox open(Set<OptionalFeature> without) throws IOException {
    Path directory = Files.createTempDirectory("deltabox-it-");
    try {
      Path probes = Probes.unpack(Files.createDirectory(directory.resolve("probes")));
      DeltaBoxConfig config = DeltaBoxConfig.of(directory.resolve("data")).withoutFeatures(without);
      return new TestBox(directory, probes, DeltaBox.open(config));
    } catch (UnavailableException e) {
      delete(directory);
      Unavailable.require(false, "sandbox: " + e.getMessage());
      throw e;
    } catch (IOException e) {
      delete(directory);
      throw e;
    }
  }

  DeltaBox box() {
    return box;
  }

  Path probes() {
    return probes;
  }

  /** A sandbox in which every checkpoint and rollback is checked by the independent reader. */
  Sandbox createChecked() throws IOException {
    return createChecked(List.of());
  }

  /** The same, comparing also what is below these paths of the base. */
  Sandbox createChecked(List<String> basePaths) throws IOException {
    Sandbox sandbox = create();
    sandbox.checking(basePaths);
    return sandbox;
  }

  Sandbox create() throws IOException {
    try {
      return box.create(SandboxSpec.builder().expose(probes.toString()).build());
    } catch (UnavailableException e) {
      Unavailable.require(false, "sandbox: " + e.getMessage());
      throw e;
    }
  }

  /** Starts a program and waits until it says that it is ready. */
  static Talk start(Sandbox sandbox, ExecSpec spec) throws IOException, InterruptedException {
    Exec exec = sandbox.start(spec);
    Talk talk = new Talk(exec);
    String line = talk.hear();
    if (!line.equals("ready")) {
      throw new AssertionError("program said " + line + " instead of ready: " + spec.argv());
    }
    return talk;
  }

  @Override
  public void close() throws IOException {
    try {
      box.close();
    } finally {
      delete(directory);
    }
  }

  private static void delete(Path root) throws IOException {
    Files.walkFileTree(
        root,
        new SimpleFileVisitor<Path>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            Files.delete(file);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult postVisitDirectory(
              Path directory, @org.jspecify.annotations.Nullable IOException e) throws IOException {
            Files.delete(directory);
            return FileVisitResult.CONTINUE;
          }
        });
  }
}
