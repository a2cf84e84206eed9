package io.deltabox.capture.descriptors;

/**
 * What a file is found by whose name was removed while it was open or mapped, though its content is
 * not gone.
 *
 * @param path absolute in the sandbox; or relative in the base
 * @param place where the path leads
 */
public record OtherName(String path, Place place) {
  /** The file has another name, or only its content can be found. */
  public enum Place {
    SANDBOX,
    /** A file of the base without a name in the sandbox: a copy has its content. */
    BASE
  }
}
