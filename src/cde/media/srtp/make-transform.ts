import { AeadTransform } from './aead-transform.ts'
import { AesCmTransform } from './aes-cm-transform.ts'
import { deriveSessionKeys, wipeSessionKeys } from './key-derivation.ts'
import type { MasterKey } from './master-key.ts'
import type { Suite } from './suites.ts'
import type { Transform } from './transform.ts'

/** The suite's transform under the session keys of a master key, which is not kept. */
export function makeTransform(suite: Suite, master: MasterKey): Transform {
  const keys = { rtp: deriveSessionKeys(master, suite, 'rtp'), rtcp: deriveSessionKeys(master, suite, 'rtcp') }
  const transform = suite.aead ? new AeadTransform(keys) : new AesCmTransform(suite, keys)
  wipeSessionKeys(keys.rtp)
  wipeSessionKeys(keys.rtcp)
  return transform
}
