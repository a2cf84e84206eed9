/**
 * Descriptors of a sandbox: what every process has open, what is inside the objects, who shares
 * which open file description; and how living processes get it all back.
 *
 * <p>The path of a rollback: {@link io.deltabox.capture.descriptors.DescriptorTable} parses the
 * records of a checkpoint and of the present, {@link
 * io.deltabox.capture.descriptors.DescriptorReconciler} compares the two and applies the
 * difference.
 *
 * <p>Lost, because the kernel has no interface for it: events queued for inotify, bytes queued in a
 * terminal, datagrams queued in UDP sockets, connections not yet accepted (refused at the
 * checkpoint), an empty datagram of a unix socket that stays queued over two checkpoints, whether
 * an entry of an epoll set has used up its one shot, the owner of signal-driven input of a
 * descriptor made again. What a program wrote to a reader outside has been delivered and stays so;
 * what it had not yet read from a writer outside is put back.
 */
@NullMarked
package io.deltabox.capture.descriptors;

import org.jspecify.annotations.NullMarked;
