/**
 * What a storage backend of DeltaBox provides. A backend is written from this package and the
 * contract suites alone.
 *
 * <p>Two kinds of store. A {@linkplain io.deltabox.store.HotStore hot store} is local to one
 * process: chunks, and records committed atomically. A {@linkplain io.deltabox.store.ColdStore cold
 * store} is shared by many machines: objects that are created once, and registers. What the bytes
 * mean is the caller's business; a backend stores, orders and protects them.
 *
 * <p>Rules for all of it, unless a method says otherwise:
 *
 * <ul>
 *   <li>Every type is safe for use by many threads.
 *   <li>A buffer handed in is the caller's again when the call returns, with its position and limit
 *       unchanged. A buffer handed out is valid until the text says.
 *   <li>Whatever {@code open...} returns must be closed by the caller. {@code close} is idempotent
 *       and waits for calls that are running; a call made later throws {@link
 *       io.deltabox.store.StoreClosedException}. A cursor must be closed before its store; a store
 *       closed under open cursors closes them.
 *   <li>A failure is a {@link io.deltabox.store.StoreException} whose subtype says what the caller
 *       can do. An answer that is to be expected, such as a lost compare-and-set, is a value.
 *   <li>Names, keys and lengths are checked before anything is done; {@link
 *       IllegalArgumentException} means that nothing was.
 * </ul>
 */
@NullMarked
package io.deltabox.store;

import org.jspecify.annotations.NullMarked;
