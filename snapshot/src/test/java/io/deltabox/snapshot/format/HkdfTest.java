package io.deltabox.snapshot.format;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HexFormat;
import org.junit.jupiter.api.Test;

final class HkdfTest {
  /** Test case 1 of RFC 5869. */
  @Test
  void derive_knownInput_givesTheKeyOfTheStandard() {
    HexFormat hex = HexFormat.of();
    Hkdf hkdf =
        new Hkdf(
            hex.parseHex("000102030405060708090a0b0c"),
            hex.parseHex("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b"));
    assertThat(hex.formatHex(hkdf.derive(hex.parseHex("f0f1f2f3f4f5f6f7f8f9"), 42)))
        .isEqualTo(
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
  }
}
