/**
 * What every storage backend must do, as tests. A backend's own tests extend the contract classes
 * and say only how to make an empty store: {@link io.deltabox.store.testkit.HotStoreContract} with
 * its parts for hot stores, {@link io.deltabox.store.testkit.ColdStoreContract} for cold ones.
 */
@NullMarked
package io.deltabox.store.testkit;

import org.jspecify.annotations.NullMarked;
