/**
 * What the card zone's main thread and a media thread say to each other. Both run our code in one process: nothing here is
 * untrusted, and nothing here holds a key. Keys, of the keypad and of SRTP alike, lie in buffers that are handed over whole
 * (transferred), so that there is one of each, and whoever has read it wipes it.
 */
import type { Address } from '../../lib/address.ts'
import type { CdeSettings, ReplacementKind } from '../../wall/settings.ts'
import type { MediaEvent, MediaOrder, MediaTerms } from '../call/media-orders.ts'
import type { Side } from '../call/negotiation.ts'
import type { DtlsIdentity } from '../media/dtls/certificate.ts'
import type { EngineChoice } from '../media/engines.ts'
import type { SuiteName } from '../media/srtp/suites.ts'

/** What a thread is started with. */
export interface ThreadSettings {
  readonly host: string
  /** Its own part of the ports. */
  readonly portMin: number
  readonly portMax: number
  readonly jitterMs: number
  readonly replacement: ReplacementKind
  readonly engine: EngineChoice
  /** Off when not given. */
  readonly kernel?: CdeSettings['media']['kernel']
  /** Our certificate and its key, which is moved there and wiped; undefined where no addon may be loaded. */
  readonly identity?: DtlsIdentity | undefined
}

/** A secret on its way. */
export type Secret = Uint8Array<ArrayBuffer>

/** Of one leg. The numbers name the keys: the same number is the same key, and LegSrtp goes on with it. */
export interface KeysOnTheWay {
  readonly suite: SuiteName
  readonly ownNumber: number
  readonly own: Secret
  readonly peerNumber: number
  readonly peer: readonly { readonly octets: Secret; readonly mki: Uint8Array; readonly lifetimePackets: number }[]
}

export interface TermsOnTheWay extends Omit<MediaTerms, 'keys'> {
  readonly keys: Readonly<Record<Side, KeysOnTheWay | undefined>>
}

/** To a media thread; `call` is a number of the main thread's. */
export type ToThread =
  | { readonly type: 'open'; readonly call: number }
  | { readonly type: 'order'; readonly call: number; readonly order: Exclude<MediaOrder, { type: 'use' }> }
  | { readonly type: 'use'; readonly call: number; readonly terms: TermsOnTheWay }
  | { readonly type: 'key'; readonly call: number; readonly key: Secret }
  | { readonly type: 'stop' }

export type FromThread =
  | {
      readonly type: 'ready'
      readonly engine: 'uring' | 'epoll' | 'dgram'
      readonly wakeFd: number | undefined
      readonly isForwardingInKernel: boolean
      readonly hasDtls: boolean
    }
  | { readonly type: 'not-ready'; readonly problem: 'media-engine-unavailable' | 'kernel-forwarding-unavailable' }
  | { readonly type: 'opened'; readonly call: number; readonly addresses: Readonly<Record<Side, Address>> }
  | { readonly type: 'not-opened'; readonly call: number; readonly problem: 'no-ports' | 'failed' }
  | { readonly type: 'event'; readonly call: number; readonly event: MediaEvent }
  /** The answer to `close`, after the last event. */
  | { readonly type: 'closed'; readonly call: number }
  | { readonly type: 'key'; readonly call: number; readonly key: Secret }
  | { readonly type: 'counters'; readonly counters: Readonly<Record<string, number>> }
  | { readonly type: 'stopped' }
