package io.deltabox.snapshot.format;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.file.StandardOpenOption.CREATE_NEW;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * A file with a master key: one line {@code deltabox-key:1:KEY:SUM}, KEY the key in hexadecimal and
 * SUM the CRC32C of all before it and its colon, so that a cut or mistyped copy is told from a
 * wrong key. Nobody but its owner may read it. Once there it is never written again.
 */
final class KeyFile {
  private static final String START = "deltabox-key:1:";
  private static final Pattern LINE =
      Pattern.compile("deltabox-key:(\\d{1,9}):([0-9a-f]{64}):([0-9a-f]{8})\\n?");
  private static final int BYTES_MAX = 1024;
  private static final Set<PosixFilePermission> OTHERS =
      EnumSet.complementOf(
          EnumSet.of(
              PosixFilePermission.OWNER_READ,
              PosixFilePermission.OWNER_WRITE,
              PosixFilePermission.OWNER_EXECUTE));

  private final Path path;

  KeyFile(Path path) {
    this.path = path.toAbsolutePath();
  }

  /** The key; null if there is no such file. */
  @Nullable MasterKey read() throws KeyException {
    try {
      Set<PosixFilePermission> open = EnumSet.noneOf(PosixFilePermission.class);
      open.addAll(Files.getPosixFilePermissions(path));
      open.retainAll(OTHERS);
      if (!open.isEmpty()) {
        throw new KeyException(
            "key file may be used by others than its owner; change the key's rights with chmod 600,"
                + " and take it for known if others could log in: path="
                + path
                + " rights="
                + PosixFilePermissions.toString(Files.getPosixFilePermissions(path)));
      }
      if (Files.size(path) > BYTES_MAX) {
        throw notKey("file of " + Files.size(path) + " bytes");
      }
      return parse(Files.readString(path, US_ASCII));
    } catch (NoSuchFileException e) {
      return null;
    } catch (IOException e) {
      if (e instanceof KeyException failure) {
        throw failure;
      }
      throw new KeyException("read key file: path=" + path, e);
    }
  }

  /**
   * Makes the file with a new key; if another process makes it first, its key counts. The file and
   * its name are durable when this returns.
   */
  MasterKey make(SecureRandom random) throws KeyException {
    MasterKey key = MasterKey.random(random);
    try {
      Path directory = directory();
      Path draft =
          directory.resolve(path.getFileName() + "." + Long.toHexString(random.nextLong()));
      try {
        write(draft, line(key));
        // A link, unlike a rename, never replaces a key that is there.
        Files.createLink(path, draft);
      } finally {
        Files.deleteIfExists(draft);
      }
      sync(directory);
      return key;
    } catch (FileAlreadyExistsException e) {
      MasterKey others = read();
      if (others == null) {
        throw new KeyException("key file comes and goes: path=" + path, e);
      }
      return others;
    } catch (IOException e) {
      throw new KeyException("make key file: path=" + path, e);
    }
  }

  private Path directory() throws IOException {
    Path directory = path.getParent();
    if (directory == null) {
      throw new IOException("not a file name: " + path);
    }
    Files.createDirectories(
        directory,
        PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    return directory;
  }

  private static void write(Path file, String line) throws IOException {
    var rights = PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));
    try (FileChannel channel = FileChannel.open(file, Set.of(CREATE_NEW, WRITE), rights)) {
      ByteBuffer bytes = ByteBuffer.wrap(line.getBytes(US_ASCII));
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
      channel.force(true);
    }
  }

  private static void sync(Path directory) throws IOException {
    try (FileChannel channel = FileChannel.open(directory, READ)) {
      channel.force(true);
    }
  }

  private static String line(MasterKey key) {
    String text = START + HexFormat.of().formatHex(key.toArray());
    return text + ":" + sum(text) + "\n";
  }

  private static String sum(String text) {
    CRC32C sum = new CRC32C();
    sum.update(text.getBytes(US_ASCII));
    return HexFormat.of().toHexDigits((int) sum.getValue());
  }

  private MasterKey parse(String text) throws KeyException {
    Matcher line = LINE.matcher(text);
    if (!line.matches()) {
      throw notKey("something else");
    }
    if (!line.group(1).equals("1")) {
      throw new KeyException(
          "key file is of a version that this program does not know: path="
              + path
              + " version="
              + line.group(1)
              + " known=1");
    }
    if (!sum(text.substring(0, line.start(3) - 1)).equals(line.group(3))) {
      throw notKey("a key with a wrong checksum");
    }
    return MasterKey.of(HexFormat.of().parseHex(line.group(2)));
  }

  private KeyException notKey(String found) {
    return new KeyException(
        "not a key file; put a copy of the right one there: path=" + path + " found=" + found);
  }
}
