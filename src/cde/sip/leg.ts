import type { Address } from '../../lib/address.ts'
import type { AnswerRepeat } from './answer-repeat.ts'
import type { Dialog } from './dialog.ts'
import type { SipRequest } from './message.ts'
import type { ProvisionalRepeat } from './provisional-repeat.ts'
import type { Timed } from './timer-queue.ts'
import type { ClientTransaction, ServerTransaction } from './transactions.ts'
import type { LegId } from './user-agent-types.ts'

/*
 * One leg: one INVITE usage, from its INVITE to its end.
 *
 *   we call (uac):   early --2xx--> confirmed --BYE--> ended
 *   they call (uas): early --our 2xx--> answered --ACK--> confirmed --BYE--> ended
 *
 * `ended` is reached from every state: refusal, CANCEL, hangUp, no ACK, 408 or 481 in the dialog. An ended leg takes no
 * orders and reports nothing, but its dialogs and transactions live on until their timers end (crossing BYEs, late
 * 2xx).
 */
export type LegState = 'early' | 'answered' | 'confirmed' | 'ended'

export interface Leg {
  readonly id: LegId
  state: LegState
  /** Ours: what the INVITE usage began with. */
  readonly usage: OutgoingInvite | IncomingInvite
  /** Callee: from the start. Caller: the newest early dialog, then the one that was answered first. */
  dialog: Dialog | undefined
  /** Where requests go when the dialog names no IP literal. */
  readonly peer: Address
  /** Our 2xx without ACK so far, by CSeq number (of the INVITE and of re-INVITEs). */
  readonly repeats: Map<number, AnswerRepeat>
  readonly offers: Offers
}

export interface OutgoingInvite {
  readonly role: 'uac'
  readonly request: SipRequest
  transaction: ClientTransaction | undefined
  /** Early dialogs by To tag (SIP-02). */
  readonly early: Map<string, Dialog>
  /** 2xx answers by To tag with the ACK each gets again when repeated (SIP-03, SIP-11); undefined while it waits. */
  readonly answers: Map<string, SentAck | undefined>
  cancel: 'no' | 'wanted' | 'sent'
  /** Value of the Reason header for CANCEL and BYE. */
  hangUpReason: string | undefined
}

export interface SentAck {
  readonly to: Address
  readonly datagram: Uint8Array
}

export interface IncomingInvite {
  readonly role: 'uas'
  readonly request: SipRequest
  readonly transaction: ServerTransaction
  readonly localTag: string
  /** RFC 3261 13.3.1.1: repeats the last provisional answer every minute. */
  readonly repeater: ProvisionalRepeat
  /** Hung up before the ACK came: BYE then (SIP-12). */
  byeWanted: boolean
  hangUpReason: string | undefined
}

/** The offer/answer lock of a leg after its INVITE (SIP-09), with a queue of length one. */
export interface Offers {
  open: OpenOffer | undefined
  queued: QueuedOffer | undefined
  /** After a 491: not before this time. */
  notBeforeMs: number
  glareCount: number
  readonly retry: Timed
}

export interface QueuedOffer {
  readonly body: Uint8Array | undefined
  readonly contentType: string
}

export type OpenOffer =
  /** Our re-INVITE is under way. */
  | { readonly by: 'us' }
  /** Their re-INVITE or UPDATE waits for answerOffer. */
  | { readonly by: 'them'; readonly request: SipRequest; readonly transaction: ServerTransaction }
  /** The 2xx to our offerless INVITE or re-INVITE held their offer: its ACK waits for answerOffer. */
  | { readonly by: 'them-in-2xx'; readonly acknowledge: (answer: AckContent, nowMs: number) => void }

export interface AckContent {
  readonly body?: Uint8Array | undefined
  readonly contentType?: string | undefined
}
