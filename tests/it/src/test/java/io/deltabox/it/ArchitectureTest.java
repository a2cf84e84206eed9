package io.deltabox.it;

import static com.tngtech.archunit.core.domain.JavaCall.Predicates.target;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.name;
import static com.tngtech.archunit.core.domain.properties.HasOwner.Predicates.With.owner;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.library.Architectures;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The arrows between the modules, and what a verb of the command must not do. */
final class ArchitectureTest {
  private static JavaClasses classes;

  @BeforeAll
  static void read() {
    classes =
        new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .importPackages("io.deltabox");
  }

  @Test
  void modules_dependOnlyAlongTheArrows() {
    Architectures.layeredArchitecture()
        .consideringOnlyDependenciesInLayers()
        .layer("cli")
        .definedBy("io.deltabox.cli..")
        .layer("sandbox")
        .definedBy("io.deltabox", "io.deltabox.check..")
        .layer("capture")
        .definedBy("io.deltabox.capture..")
        .layer("native")
        .definedBy("io.deltabox.linux..")
        .layer("snapshot")
        .definedBy("io.deltabox.snapshot..")
        .layer("store-api")
        .definedBy("io.deltabox.store")
        .layer("store-local")
        .definedBy("io.deltabox.store.local..")
        .layer("store-rocksdb")
        .definedBy("io.deltabox.store.rocksdb..")
        .layer("testkit")
        .definedBy("io.deltabox.store.testkit..")
        .whereLayer("cli")
        .mayNotBeAccessedByAnyLayer()
        .whereLayer("sandbox")
        .mayOnlyBeAccessedByLayers("cli")
        .whereLayer("capture")
        .mayOnlyBeAccessedByLayers("cli", "sandbox")
        .whereLayer("native")
        .mayOnlyBeAccessedByLayers("cli", "sandbox", "capture")
        .whereLayer("snapshot")
        .mayOnlyBeAccessedByLayers("cli", "sandbox")
        .whereLayer("store-api")
        .mayOnlyBeAccessedByLayers("sandbox", "snapshot", "store-local", "store-rocksdb", "testkit")
        .whereLayer("store-local")
        .mayNotBeAccessedByAnyLayer()
        .whereLayer("store-rocksdb")
        .mayNotBeAccessedByAnyLayer()
        .whereLayer("testkit")
        .mayNotBeAccessedByAnyLayer()
        .check(classes);
  }

  /** A backend is chosen by its address; its library shows nowhere else. */
  @Test
  void libraries_ofStores_stayInTheirStores() {
    noClasses()
        .that()
        .resideOutsideOfPackage("io.deltabox.store.rocksdb..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("org.rocksdb..")
        .check(classes);
  }

  @Test
  void interfaceOfStores_dependsOnTheJdkOnly() {
    noClasses()
        .that()
        .resideInAPackage("io.deltabox.store")
        .should()
        .dependOnClassesThat()
        .resideOutsideOfPackages("java..", "io.deltabox.store", "org.jspecify.annotations..")
        .check(classes);
  }

  @Test
  void packagesOfTheCommand_haveNoCycles() {
    slices().matching("io.deltabox.cli.(*)..").should().beFreeOfCycles().check(classes);
  }

  @Test
  void commandLine_libraries_stayInTheCommand() {
    noClasses()
        .that()
        .resideOutsideOfPackage("io.deltabox.cli..")
        .and()
        .resideInAnyPackage("io.deltabox", "io.deltabox.capture..", "io.deltabox.linux..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("picocli..", "com.fasterxml..")
        .check(classes);
  }

  /** They are the daemon's, not the caller's; an exit would end every sandbox. */
  @Test
  void verbs_neitherExitNorUseTheDaemonsStreams() {
    noClasses()
        .that()
        .resideInAnyPackage("io.deltabox.cli.verbs..", "io.deltabox", "io.deltabox.capture..")
        .should()
        .callMethodWhere(target(owner(name(System.class.getName()))).and(target(name("exit"))))
        .orShould()
        .callMethodWhere(target(owner(name(Runtime.class.getName()))).and(target(name("halt"))))
        .orShould()
        .accessField(System.class, "out")
        .orShould()
        .accessField(System.class, "err")
        .orShould()
        .accessField(System.class, "in")
        .check(classes);
  }

  /** The binding of the C library is hidden behind plain types. */
  @Test
  void foreignFunctions_areUsedByTheBindingOnly() {
    noClasses()
        .that(JavaClass.Predicates.resideOutsideOfPackage("io.deltabox.linux.."))
        .and(resideInAnyPackage("io.deltabox.."))
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("jnr..", "com.kenai..")
        .check(classes);
  }
}
