/**
 * What a call wants of its media, and what its media tell it: the whole conversation between the two, as plain data, because
 * they live in different threads (`../threads`). A key is in none of it: it travels by itself and is wiped where it was.
 */
import type { CallQualityReport } from '../../wall/call-quality.ts'
import type { MaskPolicy } from '../../wall/settings.ts'
import type { Doubt } from '../dtmf/key-codes.ts'
import type { SlowNews, SlowPattern } from '../dtmf/slow-mode.ts'
import type { AudioFormat, AudioSession } from '../media/audio-session.ts'
import type { DtlsTerms } from '../media/dtls/terms.ts'
import type { SrtpAgreement } from '../media/srtp/leg-srtp.ts'
import type { Side } from './negotiation.ts'

/** What offers and answers have settled. */
export interface MediaTerms {
  /** A leg that is missing goes on as it is. */
  readonly sessions: Readonly<Partial<Record<Side, AudioSession>>>
  /** Of our own descriptions: a conforming peer sends with these payload type numbers (RFC 3264 5.1). */
  readonly ownFormats: Readonly<Record<Side, readonly AudioFormat[]>>
  /** Of the legs in `sessions`; undefined for RTP in the clear. */
  readonly keys: Readonly<Record<Side, SrtpAgreement | undefined>>
  /** Of legs whose keys come from a handshake beside the media. */
  readonly dtls?: Readonly<Partial<Record<Side, DtlsTerms | undefined>>>
  /** Of legs whose peer is behind NAT: the host of its signalling, from which its media may be learned (sip.md 6.1 rule 2). */
  readonly learnFrom?: Readonly<Partial<Record<Side, string>>>
}

export type MediaOrder =
  /** After each complete offer and answer. */
  | { readonly type: 'use'; readonly terms: MediaTerms }
  /** MED-13: an offer of this side is open; both its sources are heard, the agreed one is served. */
  | { readonly type: 'propose'; readonly side: Side; readonly session: AudioSession }
  | { readonly type: 'withdraw'; readonly side: Side }
  /** Answered by `armed`; once more while armed: another capture has begun, perhaps with another policy. */
  | { readonly type: 'arm'; readonly maskPolicy: MaskPolicy; readonly slow?: SlowPattern | undefined }
  /** A field was wrong, and nothing but pairs of keys: the line may double them. */
  | { readonly type: 'pairs-seen' }
  /** The caller was asked for keys, or is not any more. */
  | { readonly type: 'field'; readonly isOpen: boolean }
  /** The capture is over: once the caller keys no more, the line is let go, which `disarmed` tells (SecureMode). */
  | { readonly type: 'release' }
  /** Gives the ports back and wipes the keys of both legs. */
  | { readonly type: 'close' }

export type MediaEvent =
  /** From here on nothing of the caller reaches the agent unmasked. */
  | { readonly type: 'armed' }
  /** After `armed`: it is certain, too, that none of the caller's packets crosses in the kernel any more. */
  | { readonly type: 'secured' }
  /** The caller is heard as he is again. */
  | { readonly type: 'disarmed' }
  /** A key was pressed, but which one is not certain. */
  | { readonly type: 'uncertain'; readonly doubt: Doubt }
  /** The line sends keys twice, or does so no more; and what became of those that it sent twice. */
  | { readonly type: 'slow'; readonly news: SlowNews }
  /** The agent hears silence for a moment, and then a line that is masked anew. */
  | { readonly type: 'mask-failed' }
  /** While armed: nothing came from the caller for 2 s, or something came again. */
  | { readonly type: 'caller-sound'; readonly state: 'silent' | 'heard' }
  /** Every now and then, and once more, final, on `close`. */
  | { readonly type: 'quality'; readonly isFinal: boolean; readonly quality: CallQualityReport }

/** Where a call's media tell what happens. */
export interface MediaListener {
  /** A key went down while armed; take it by value, keep nothing. */
  onKey(key: number): void
  onEvent(event: MediaEvent): void
}

/** Where a call's orders go. */
export interface MediaLink {
  send(order: MediaOrder): void
  /** A key that came in a SIP INFO of an armed caller. */
  sendKey(key: number): void
}
