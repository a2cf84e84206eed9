package io.deltabox.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.deltabox.linux.OptionalFeature;
import java.util.Arrays;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** Features of the kernel switched off in the environment. */
final class SwitchTest {
  private static final String ALL =
      Arrays.stream(OptionalFeature.values())
          .map(OptionalFeature::text)
          .collect(Collectors.joining(","));

  @Test
  void sandbox_withoutOptionalFeatures_isSavedAndPutBack() throws Exception {
    try (Client client = new Client(Map.of(OptionalFeature.VARIABLE, ALL))) {
      client.requireSandboxes();
      Client.Answer noted = client.run("run", "--check", "--name", "second");
      assertThat(noted.err()).contains("no memory limit");
      client.run("exec", "-d", "second", "sh", "-c", "echo one > /root/f; exec sleep 4717");
      assertThat(client.run("checkpoint", "second", "--name", "then").code()).isZero();
      client.run("exec", "second", "sh", "-c", "echo two > /root/f");
      Client.Answer back = client.run("rollback", "--check", "second", "then");
      assertThat(back.err()).isEmpty();
      assertThat(back.code()).isZero();
      for (JsonNode finding : client.run("doctor", "--json").json()) {
        if (finding.get("what").asText().startsWith("use of ")) {
          assertThat(finding.get("ok").asBoolean()).isFalse();
          assertThat(finding.get("found").asText()).contains(OptionalFeature.VARIABLE);
        }
      }
    }
  }

  @Test
  void run_withAnUnknownSwitch_namesThoseKnown() throws Exception {
    try (Client client = new Client(Map.of(OptionalFeature.VARIABLE, "nothing"))) {
      Client.Answer answer = client.run("run");
      assertThat(answer.code()).isEqualTo(ExitCodes.USAGE);
      assertThat(answer.err()).contains("'nothing'").contains(ALL);
    }
  }
}
