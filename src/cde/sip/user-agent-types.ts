import type { Address } from '../../lib/address.ts'
import type { RandomBytes } from '../../lib/random.ts'
import type { Header } from './message.ts'

/** Names one leg (one INVITE usage) for its whole life. Never reuse one. Incoming legs get theirs from the UA. */
export type LegId = string

export interface UserAgentOptions {
  /** Where peers reach us: written into Via and Contact as it stands. Port 0 is filled in by openUdpTransport. */
  readonly local: Address
  /** Value of User-Agent and Server headers. */
  readonly userAgent: string
  readonly random: RandomBytes
  /**
   * SIP-35: a source refused here gets no answer at all, so destinations of our own calls must pass too. Absent:
   * everyone is heard.
   */
  readonly allowSource?: (from: Address) => boolean
}

export interface OutgoingCall {
  /** Request-URI. */
  readonly target: string
  /** Where the INVITE's datagrams go: IP literal and port. */
  readonly destination: Address
  /** From header value without a tag. */
  readonly from: string
  /** To header value without a tag. */
  readonly to: string
  /**
   * Extra headers, appended as they are. Those the UA writes itself (Via, Contact, CSeq, …) are left out and counted.
   */
  readonly headers: readonly Header[]
  /** Without a body this is a delayed offer: the ACK to the 2xx waits until answerOffer gives the answer. */
  readonly body?: Uint8Array | undefined
  /** Default application/sdp. */
  readonly contentType?: string | undefined
  /** 0–255; for a call that goes on from another leg: that leg's minus one (RFC 7332). */
  readonly maxForwards: number
}

/** What a response to an incoming INVITE may carry besides what the UA writes. */
export interface ResponseExtra {
  readonly headers?: readonly Header[] | undefined
  readonly body?: Uint8Array | undefined
  /** Default application/sdp. */
  readonly contentType?: string | undefined
}

export type OfferAnswer =
  | { readonly body?: Uint8Array | undefined; readonly contentType?: string | undefined }
  | { readonly status: number }

/** Why a leg ended without us asking. */
export type EndCause = 'bye' | 'no-ack' | 'dialog-gone' | 'timeout'

interface Content {
  readonly leg: LegId
  /** Empty when there is none. Of `info`: valid only while the event is handled; the transport wipes it afterwards. */
  readonly body: Uint8Array
  /** Lower-case media type without parameters; empty when there is no body. */
  readonly contentType: string
}

/**
 * What happens on a leg. `failed`, `cancelled` and `ended` are the last event of their leg; so is an order `hangUp`
 * or `reject`: nothing is reported after them, the UA sees the rest (CANCEL/200 race, crossing BYEs) through itself.
 */
export type LegEvent =
  | (Content & {
      readonly type: 'incoming'
      readonly requestUri: string
      readonly from: string
      readonly to: string
      readonly headers: readonly Header[]
      readonly source: Address
      /** As received; 70 when the request had none (SIP-29). A call that goes on takes one off, and 0 means 483. */
      readonly maxForwards: number
    })
  /** 101–199. The same one may come several times: peers and proxies repeat them. */
  | (Content & {
      readonly type: 'provisional'
      readonly status: number
      readonly reason: string
      readonly headers: readonly Header[]
    })
  | (Content & { readonly type: 'answered'; readonly headers: readonly Header[] })
  | (Content & { readonly type: 'confirmed' })
  | {
      readonly type: 'failed'
      readonly leg: LegId
      readonly status: number
      readonly reason: string
      readonly headers: readonly Header[]
    }
  | { readonly type: 'cancelled'; readonly leg: LegId; readonly headers: readonly Header[] }
  /**
   * Call answerOffer, soon: the peer waits. May come before `confirmed` when it overtook the ACK. Empty body: the peer
   * asks for our offer (SIP-05).
   */
  | (Content & { readonly type: 'offered' })
  /** The peer took its offer back (CANCEL) before answerOffer: it goes by what was agreed before (RFC 3261 14.1). */
  | { readonly type: 'offer-withdrawn'; readonly leg: LegId }
  /** The answer to our offer(); or, after an offerless re-INVITE, the answer to the offer we gave in answerOffer. */
  | (Content & { readonly type: 'offer-answered' })
  | { readonly type: 'offer-failed'; readonly leg: LegId; readonly status: number }
  | (Content & { readonly type: 'info' })
  | { readonly type: 'ended'; readonly leg: LegId; readonly cause: EndCause; readonly headers: readonly Header[] }

export type Output =
  | { readonly type: 'send'; readonly to: Address; readonly datagram: Uint8Array }
  | { readonly type: 'event'; readonly event: LegEvent }
