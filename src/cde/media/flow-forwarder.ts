import type { Flow } from './kernel/flow.ts'
import type { Counted } from './kernel/nft-messages.ts'

/** The flows of one call, one per direction. */
export type FlowPair = readonly [Flow, Flow]

/** What forwards the audio of calls that are not armed without showing us each packet: the kernel, or an engine by itself. */
export interface FlowForwarder {
  /** False when all flows are out, for good. */
  readonly isOpen: boolean
  /** Both or none, at once. @returns `done`, or why not */
  set(flows: FlowPair): string
  /** When this returns, no packet that arrives from now on is forwarded. */
  remove(flows: FlowPair): 'done' | 'all-removed'
  /** False when the way of one of them has changed since it was set. Missing where ways are no concern. */
  isStillRouted?(flows: FlowPair): boolean
  /** What each flow has forwarded since it was set, in octets of IP; undefined for one that is not known. */
  counts(flows: FlowPair): readonly [Counted, Counted] | undefined
  close(): void
}
