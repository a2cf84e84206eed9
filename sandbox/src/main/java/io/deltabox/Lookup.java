package io.deltabox;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Finds things by full id, unique prefix or name. */
final class Lookup {
  private Lookup() {}

  static <T> T find(
      String what,
      String wanted,
      List<T> all,
      Function<T, String> id,
      Function<T, @Nullable String> name,
      String listing)
      throws SandboxException {
    List<T> hits = new ArrayList<>();
    for (T candidate : all) {
      if (wanted.equals(name.apply(candidate)) || wanted.equals(id.apply(candidate))) {
        return candidate;
      }
      if (wanted.length() >= DeltaBox.PREFIX_MIN && id.apply(candidate).startsWith(wanted)) {
        hits.add(candidate);
      }
    }
    if (hits.size() == 1) {
      return hits.get(0);
    }
    String shown = Text.quote(wanted);
    if (hits.isEmpty()) {
      throw new NotFoundException(
          "no such " + what + ": " + shown + " (see them with '" + listing + "')");
    }
    List<String> ids = hits.stream().map(id).toList();
    throw new AmbiguousException(
        "ambiguous " + what + ": " + shown + " fits " + String.join(" ", ids));
  }
}
