package io.deltabox.cli.verbs;

import io.deltabox.linux.NativeLibrary;

/** Functions of {@code command_doctor.c}. */
public interface DoctorFunctions {
  DoctorFunctions NATIVE = NativeLibrary.bind(DoctorFunctions.class);

  int USERFAULTFD = 1;
  int PAGEMAP_SCAN = 2;
  int FANOTIFY = 3;
  int PROCMAP_QUERY = 4;
  int OVERLAYFS = 5;
  int TMPFS = 6;
  int DETACHED = 7;

  int dbx_doctor_probe(int what);
}
