package io.deltabox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Instant;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Ids are unique, ordered by time and short to type. */
final class IdTest {
  private static final Instant NOW = Instant.parse("2030-01-02T03:04:05.678Z");

  @Test
  void make_later_comparesGreater() {
    assertThat(Id.make(NOW)).isLessThan(Id.make(NOW.plusMillis(1)));
    assertThat(Id.make(NOW).instant()).isEqualTo(NOW);
  }

  @Test
  void parse_text_isTheSameId() {
    Id id = Id.make(NOW);
    assertThat(id.toString()).hasSize(32);
    assertThat(Id.parse(id.toString())).isEqualTo(id);
  }

  @Test
  void parse_otherText_isRefused() {
    assertThatThrownBy(() -> Id.parse("abc")).hasMessageContaining("abc");
    assertThatThrownBy(() -> Id.parse("z".repeat(32))).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void make_sameMoment_prefixesDiffer() {
    Set<String> prefixes = new HashSet<>();
    for (int i = 0; i < 100; i++) {
      prefixes.add(Id.make(NOW).brief());
    }
    assertThat(prefixes).hasSize(100);
  }
}
