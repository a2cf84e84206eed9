package io.deltabox.capture;

import static org.assertj.core.api.Assertions.assertThat;

import io.deltabox.capture.ProcessPlan.Fate;
import io.deltabox.capture.ProcessPlan.Reason;
import io.deltabox.capture.descriptors.Rights;
import java.nio.ByteBuffer;
import java.util.List;
import org.junit.jupiter.api.Test;

final class ProcessPlanTest {
  private static final Rights ALL = new Rights(0, -1, -1, -1, 0, 1, "0");

  private static ImageState image(int content) {
    return new ImageState(ByteBuffer.allocate(616).putInt(24, content));
  }

  private static ProcessFacts process(int number, int parent, int session) {
    return new ProcessFacts(
        number,
        parent,
        session,
        session,
        false,
        0,
        true,
        true,
        "/bin/sh",
        image(1),
        List.of(0, 0, 0, 0, 0, 0),
        false,
        0,
        false,
        ProcessFacts.ROOT,
        ALL);
  }

  private static ProcessFacts zombie(int number, int parent, int status) {
    return zombieOf(2, number, parent, status);
  }

  private static ProcessFacts zombieOf(int session, int number, int parent, int status) {
    return new ProcessFacts(
        number,
        parent,
        session,
        session,
        true,
        status,
        false,
        false,
        "",
        image(0),
        List.of(),
        false,
        0,
        false,
        ProcessFacts.ROOT,
        null);
  }

  private static ProcessFacts running(ProcessFacts of, String program, ImageState image) {
    return new ProcessFacts(
        of.number(),
        of.parent(),
        of.session(),
        of.group(),
        false,
        0,
        true,
        true,
        program,
        image,
        of.ids(),
        of.noNewPrivileges(),
        of.secureBits(),
        false,
        of.root(),
        of.rights());
  }

  private static ProcessFacts allowed(ProcessFacts of, List<Integer> ids, boolean none, Rights is) {
    return new ProcessFacts(
        of.number(),
        of.parent(),
        of.session(),
        of.group(),
        false,
        0,
        true,
        true,
        of.program(),
        of.image(),
        ids,
        none,
        of.secureBits(),
        false,
        of.root(),
        is);
  }

  private static void decided(ProcessPlan plan, int number, Fate fate, Reason reason) {
    ProcessPlan.Decision decision = plan.decision(number);
    assertThat(decision.fate()).isEqualTo(fate);
    assertThat(decision.reason()).isEqualTo(reason);
  }

  @Test
  void of_sameTree_isEdited() {
    List<ProcessFacts> tree = List.of(process(2, 1, 2), process(3, 2, 2), zombie(4, 2, 256));
    ProcessPlan plan = ProcessPlan.of(tree, tree);
    assertThat(plan.with(Fate.EDIT)).hasSize(3);
    assertThat(plan.ending()).isEmpty();
  }

  @Test
  void of_bornSince_ends() {
    ProcessPlan plan =
        ProcessPlan.of(List.of(process(2, 1, 2), process(3, 2, 2)), List.of(process(2, 1, 2)));
    assertThat(plan.ending()).containsExactly(3);
    assertThat(plan.decisions()).containsOnlyKeys(2);
  }

  @Test
  void of_ended_isMade() {
    ProcessPlan plan =
        ProcessPlan.of(List.of(process(2, 1, 2)), List.of(process(3, 2, 2), process(2, 1, 2)));
    decided(plan, 3, Fate.MAKE, Reason.ENDED);
    decided(plan, 2, Fate.EDIT, Reason.NONE);
    assertThat(plan.decisions().keySet()).containsExactly(2, 3);
    assertThat(plan.ending()).isEmpty();
  }

  @Test
  void of_zombieNow_endsAndIsMade() {
    ProcessPlan plan =
        ProcessPlan.of(
            List.of(process(2, 1, 2), zombie(3, 2, 9)),
            List.of(process(2, 1, 2), process(3, 2, 2)));
    decided(plan, 3, Fate.MAKE, Reason.ENDED);
    assertThat(plan.ending()).containsExactly(3);
  }

  @Test
  void of_zombieOfOtherStatus_isMade() {
    ProcessPlan plan =
        ProcessPlan.of(
            List.of(process(2, 1, 2), zombie(3, 2, 9)), List.of(process(2, 1, 2), zombie(3, 2, 0)));
    decided(plan, 3, Fate.MAKE, Reason.ENDED_OTHERWISE);
  }

  @Test
  void of_otherProgram_isExecutedAgain() {
    ProcessFacts then = process(2, 1, 2);
    ProcessFacts child = process(3, 2, 2);
    ProcessPlan plan =
        ProcessPlan.of(List.of(running(then, "/bin/cat", image(1)), child), List.of(then, child));
    decided(plan, 2, Fate.EXECUTE, Reason.PROGRAM);
    decided(plan, 3, Fate.EDIT, Reason.NONE);
  }

  @Test
  void of_sameProgramOtherImage_isExecutedAgain() {
    ProcessFacts then = process(2, 1, 2);
    ProcessPlan plan = ProcessPlan.of(List.of(running(then, "/bin/sh", image(2))), List.of(then));
    decided(plan, 2, Fate.EXECUTE, Reason.PROGRAM);
  }

  @Test
  void of_oneWayState_isMadeWithItsChildren() {
    ProcessFacts then = process(3, 2, 2);
    ProcessFacts grandchild = process(4, 3, 2);
    List<ProcessFacts> wanted = List.of(process(2, 1, 2), then, grandchild);
    Rights filtered = new Rights(0, -1, -1, -1, 0, 2, "0");
    Rights less = new Rights(0, 1, 1, -1, 0, 1, "0");
    record Case(ProcessFacts now, Reason reason) {}
    List<Case> cases =
        List.of(
            new Case(process(3, 2, 3), Reason.SESSION),
            new Case(process(3, 1, 2), Reason.PARENT),
            new Case(allowed(then, List.of(5, 5, 5, 0, 0, 0), false, ALL), Reason.USER),
            new Case(allowed(then, then.ids(), false, less), Reason.RIGHTS),
            new Case(allowed(then, then.ids(), false, filtered), Reason.FILTERS),
            new Case(allowed(then, then.ids(), true, ALL), Reason.NO_NEW_PRIVILEGES));
    for (Case one : cases) {
      ProcessPlan plan = ProcessPlan.of(List.of(process(2, 1, 2), one.now(), grandchild), wanted);
      decided(plan, 2, Fate.EDIT, Reason.NONE);
      decided(plan, 3, Fate.MAKE, one.reason());
      decided(plan, 4, Fate.MAKE, Reason.PARENT_MADE);
      assertThat(plan.ending()).containsExactly(3, 4);
    }
  }

  @Test
  void of_leaderOfSessionMade_membersAreMade() {
    ProcessFacts leader = process(3, 2, 3);
    ProcessFacts orphan = process(5, 1, 3);
    ProcessPlan plan =
        ProcessPlan.of(
            List.of(process(2, 1, 2), orphan), List.of(process(2, 1, 2), leader, orphan));
    decided(plan, 3, Fate.MAKE, Reason.ENDED);
    decided(plan, 5, Fate.MAKE, Reason.LEADER_MADE);
  }

  @Test
  void of_zombieInGroupOfOneMade_isMade() {
    ProcessFacts leader = process(3, 2, 2);
    ProcessFacts zombie =
        new ProcessFacts(
            4, 2, 2, 3, true, 0, false, false, "", image(0), List.of(), false, 0, false, "/", null);
    ProcessPlan plan =
        ProcessPlan.of(
            List.of(process(2, 1, 2), zombie), List.of(process(2, 1, 2), leader, zombie));
    decided(plan, 4, Fate.MAKE, Reason.LEADER_MADE);
  }

  @Test
  void of_orphanInSessionOfZombies_allOfItAreMade() {
    ProcessFacts leader = zombieOf(3, 3, 2, 0);
    ProcessFacts orphan = process(5, 1, 3);
    ProcessFacts other = process(6, 1, 3);
    List<ProcessFacts> now = List.of(process(2, 1, 2), leader);
    ProcessPlan plan = ProcessPlan.of(now, List.of(process(2, 1, 2), leader, orphan));
    decided(plan, 3, Fate.MAKE, Reason.SESSION_DEAD);
    assertThat(plan.ending()).containsExactly(3);
    List<ProcessFacts> more = List.of(process(2, 1, 2), leader, other);
    plan = ProcessPlan.of(more, List.of(process(2, 1, 2), leader, orphan, other));
    decided(plan, 3, Fate.EDIT, Reason.NONE);
  }

  @Test
  void of_childOfAnOlderSession_isBornAgainWithItsParent() {
    ProcessFacts parent = process(3, 2, 3);
    ProcessFacts child = process(4, 3, 2);
    ProcessPlan plan =
        ProcessPlan.of(List.of(process(2, 1, 2), parent), List.of(process(2, 1, 2), parent, child));
    decided(plan, 3, Fate.MAKE, Reason.CHILD_OLDER);
    decided(plan, 4, Fate.MAKE, Reason.ENDED);
    assertThat(plan.cannotEnter(plan.decision(4).then())).isFalse();
    assertThat(plan.bornIn(parent)).isEqualTo(2);
  }

  @Test
  void cannotEnter_sessionNobodyAboveWasIn_isTrue() {
    ProcessFacts child = process(4, 3, 9);
    List<ProcessFacts> then = List.of(process(2, 1, 2), process(3, 2, 2), child);
    ProcessPlan plan = ProcessPlan.of(List.of(process(2, 1, 2)), then);
    assertThat(plan.cannotEnter(child)).isTrue();
  }

  @Test
  void reasons_haveTexts() {
    for (Reason reason : Reason.values()) {
      assertThat(reason.text().isEmpty()).isEqualTo(reason == Reason.NONE);
    }
  }
}
