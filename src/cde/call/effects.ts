/** What a call wants done; its shell (`calls.ts`) does it. */
import type { Report } from '../../wall/messages.ts'
import type { AudioSession } from '../media/audio-session.ts'
import type { Header } from '../sip/message.ts'
import type { Side } from './negotiation.ts'

export type CallEffect =
  /** Bind ports for both legs; answered by `mediaReady` or `mediaFailed`. */
  | { readonly type: 'open-media' }
  /** Where each side's media is now, and what it speaks. */
  | { readonly type: 'use-media'; readonly sessions: Readonly<Partial<Record<Side, AudioSession>>> }
  /** MED-13: a re-INVITE is open; its new source is heard beside the agreed one until it is answered. */
  | { readonly type: 'propose-media'; readonly side: Side; readonly session: AudioSession }
  | { readonly type: 'withdraw-media'; readonly side: Side }
  | { readonly type: 'close-media' }
  /** INVITE to the agent side. */
  | {
      readonly type: 'invite'
      readonly headers: readonly Header[]
      readonly body: Uint8Array
      readonly maxForwards: number
    }
  /** Towards the caller's INVITE. */
  | { readonly type: 'ring'; readonly status: number; readonly headers: readonly Header[]; readonly body?: Uint8Array }
  | { readonly type: 'answer'; readonly headers: readonly Header[]; readonly body: Uint8Array }
  | { readonly type: 'reject'; readonly status: number }
  | { readonly type: 'hang-up'; readonly side: Side }
  | { readonly type: 'offer'; readonly side: Side; readonly body: Uint8Array }
  | {
      readonly type: 'answer-offer'
      readonly side: Side
      readonly answer: { readonly body: Uint8Array } | { readonly status: number }
    }
  | { readonly type: 'info'; readonly side: Side; readonly contentType: string; readonly body: Uint8Array }
  | { readonly type: 'report'; readonly report: Report }
