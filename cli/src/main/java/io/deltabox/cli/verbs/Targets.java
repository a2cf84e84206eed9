package io.deltabox.cli.verbs;

import io.deltabox.AmbiguousException;
import io.deltabox.DeltaBox;
import io.deltabox.InvalidRequestException;
import io.deltabox.NotFoundException;
import io.deltabox.Sandbox;
import io.deltabox.Snapshot;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Finds what the words of a command line mean. */
final class Targets {
  private Targets() {}

  /** A snapshot with its sandbox. */
  record Found(Sandbox sandbox, Snapshot snapshot) {}

  /** The sandbox of that id or name; without one, the only one that runs. */
  static Sandbox sandbox(DeltaBox box, @Nullable String wanted) throws IOException {
    if (wanted != null) {
      if (wanted.isEmpty()) {
        throw new InvalidRequestException("sandbox id is empty (see them with 'deltabox ls')");
      }
      return box.find(wanted);
    }
    List<Sandbox> all = box.sandboxes();
    if (all.size() == 1) {
      return all.get(0);
    }
    if (all.isEmpty()) {
      throw new NotFoundException("no sandbox is running (start one with 'deltabox run')");
    }
    throw new AmbiguousException(
        "several sandboxes are running, name one of: "
            + String.join(" ", all.stream().map(Targets::label).toList()));
  }

  /** How people call a sandbox. */
  static String label(Sandbox sandbox) {
    String name = sandbox.name();
    return name != null ? name : sandbox.id().brief();
  }

  /** True if the word can only be a snapshot. */
  static boolean namesSnapshot(String word) {
    return word.indexOf('@') >= 0;
  }

  /**
   * Finds a snapshot.
   *
   * @param word {@code SANDBOX@NAME}, {@code @-N}, or an id, prefix or name in any sandbox
   */
  static Found snapshot(DeltaBox box, String word) throws IOException {
    int at = word.indexOf('@');
    if (at >= 0) {
      Sandbox sandbox = sandbox(box, at == 0 ? null : word.substring(0, at));
      return in(sandbox, word.substring(at + 1));
    }
    List<Found> found = new ArrayList<>();
    for (Sandbox sandbox : box.sandboxes()) {
      find(sandbox, word).ifPresent(found::add);
    }
    if (found.size() == 1) {
      return found.get(0);
    }
    if (found.isEmpty()) {
      throw new NotFoundException(
          "no such snapshot: " + quote(word) + " (see them with 'deltabox log SANDBOX')");
    }
    throw new AmbiguousException(
        "ambiguous snapshot: "
            + quote(word)
            + " is in "
            + String.join(" ", found.stream().map(f -> label(f.sandbox())).toList())
            + " (write SANDBOX@NAME)");
  }

  /** Finds a snapshot of a sandbox that runs, or one that has outlived its sandbox. */
  static Snapshot anySnapshot(DeltaBox box, String word) throws IOException {
    NotFoundException missing;
    try {
      return snapshot(box, word).snapshot();
    } catch (NotFoundException e) {
      missing = e;
    }
    String name = word.substring(word.indexOf('@') + 1);
    String of = word.indexOf('@') > 0 ? word.substring(0, word.indexOf('@')) : "";
    List<Snapshot> found = new ArrayList<>();
    for (Snapshot snapshot : box.snapshots()) {
      boolean named = name.equals(snapshot.name());
      boolean numbered =
          name.length() >= DeltaBox.PREFIX_MIN && snapshot.id().toString().startsWith(name);
      if ((named || numbered) && snapshot.sandboxId().toString().startsWith(of)) {
        found.add(snapshot);
      }
    }
    if (found.isEmpty()) {
      throw missing;
    }
    if (found.size() > 1) {
      throw new AmbiguousException(
          "ambiguous snapshot: "
              + quote(word)
              + " fits "
              + String.join(" ", found.stream().map(s -> s.id().toString()).toList()));
    }
    return found.get(0);
  }

  private static Optional<Found> find(Sandbox sandbox, String word) throws IOException {
    try {
      return Optional.of(in(sandbox, word));
    } catch (NotFoundException e) {
      return Optional.empty();
    }
  }

  /** Finds a snapshot of one sandbox: id, prefix, name or {@code -N}, with or without the at. */
  static Found in(Sandbox sandbox, String word) throws IOException {
    if (word.isEmpty()) {
      throw new InvalidRequestException(
          "snapshot is empty (see them with 'deltabox log " + label(sandbox) + "')");
    }
    String wanted = word.startsWith("-") ? "@" + word : word;
    return new Found(sandbox, sandbox.snapshot(wanted));
  }

  private static String quote(String word) {
    return "'" + word.replaceAll("\\p{Cntrl}", "?") + "'";
  }
}
