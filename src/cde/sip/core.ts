import type { Address } from '../../lib/address.ts'
import { newId } from '../../lib/ids.ts'
import { sipTimers } from '../../lib/limits.ts'
import { type Dialog, dialogKey } from './dialog.ts'
import { isToken } from './grammar.ts'
import type { Leg } from './leg.ts'
import { type Header, headerValue, longName, type SipMessage, type SipRequest, serializeMessage } from './message.ts'
import { type ResponseParts, responseTo } from './responses.ts'
import { SourceRate } from './source-rate.ts'
import { TimerQueue } from './timer-queue.ts'
import { type ServerTransaction, type TransactionHost, Transactions, topVia } from './transactions.ts'
import { formatHostPort } from './uri.ts'
import type { LegEvent, LegId, Output, UserAgentOptions } from './user-agent-types.ts'
import { BRANCH_COOKIE, responseAddress } from './via.ts'

/** Methods we serve (RFC 3261 20.5). */
export const ALLOW = 'INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE'

// SIP-23: new on every leg, never taken from the call layer.
const OWN_HEADERS: ReadonlySet<string> = new Set(
  (
    'via from to call-id cseq contact max-forwards route record-route content-length content-type allow supported ' +
    'require proxy-require user-agent server authorization proxy-authorization www-authenticate proxy-authenticate'
  ).split(' '),
)

/**
 * What the parts of the UserAgent share: its legs, dialogs, transactions, timers, and the outputs of one call into it.
 */
export class Core implements TransactionHost {
  local: Address
  readonly options: UserAgentOptions
  readonly timers = new TimerQueue()
  readonly transactions = new Transactions(this)
  readonly legs = new Map<LegId, Leg>()
  readonly dialogs = new Map<string, { readonly leg: Leg; readonly dialog: Dialog }>()
  readonly sourceRate = new SourceRate()
  /** The leg that an INVITE server transaction began, for its CANCEL. */
  readonly incoming = new WeakMap<ServerTransaction, Leg>()
  /** To tag of answers that make no dialog and are not remembered. */
  readonly #statelessTag: string
  readonly #counters: Record<string, number> = {}
  #outputs: Output[] = []

  constructor(options: UserAgentOptions) {
    this.options = options
    this.local = options.local
    this.#statelessTag = this.token()
  }

  send(to: Address, datagram: Uint8Array): void {
    this.#outputs.push({ type: 'send', to, datagram })
  }

  emit(event: LegEvent): void {
    this.#outputs.push({ type: 'event', event })
  }

  count(name: string): void {
    this.#counters[name] = (this.#counters[name] ?? 0) + 1
  }

  counters(): Readonly<Record<string, number>> {
    return { ...this.#counters }
  }

  takeOutputs(): Output[] {
    const outputs = this.#outputs
    this.#outputs = []
    return outputs
  }

  /** A fresh tag, branch part or Call-ID. Letters only, so that no scanner takes one for a card number. */
  token(): string {
    return newId(this.options.random)
  }

  /** RFC 3261 8.1.1.7 and RFC 3581: a Via of ours with a new branch and rport. */
  via(): string {
    return `SIP/2.0/UDP ${formatHostPort(this.local)};branch=${BRANCH_COOKIE}${this.token()};rport`
  }

  contact(): Header {
    return { name: 'Contact', value: `<sip:${formatHostPort(this.local)}>` }
  }

  /** Contact and Allow: on everything that makes or refreshes a dialog. */
  dialogHeaders(): Header[] {
    return [this.contact(), { name: 'Allow', value: ALLOW }]
  }

  /** Headers from the call layer, less those that are the UA's to write. */
  extraHeaders(headers: readonly Header[] = []): Header[] {
    const kept = headers.filter((header) => isToken(header.name) && !OWN_HEADERS.has(longName(header.name)))
    for (let refused = headers.length - kept.length; refused > 0; refused--) this.count('sip_header_refused')
    return kept
  }

  /** RFC 3261 8.2.7: an answer that leaves nothing behind. Never to an ACK. */
  answerStateless(request: SipRequest, source: Address, status: number, parts: ResponseParts = {}): void {
    if (request.method === 'ACK' || headerValue(request, 'Via') === undefined) return
    const via = topVia(request)
    const headers = [...(parts.headers ?? []), { name: 'Server', value: this.options.userAgent }]
    const response = responseTo(request, status, { toTag: this.#statelessTag, ...parts, headers })
    this.send(via === undefined ? source : responseAddress(via, source), serializeMessage(response))
  }

  holdDialog(leg: Leg, dialog: Dialog): void {
    this.dialogs.set(dialogKey(dialog.callId, dialog.localTag, dialog.remoteTag), { leg, dialog })
  }

  dropDialog(dialog: Dialog): void {
    this.dialogs.delete(dialogKey(dialog.callId, dialog.localTag, dialog.remoteTag))
  }

  /** SIP-12: a closed dialog stays known for 64·T1, so that a crossing BYE gets its 200. */
  dropDialogLater(dialog: Dialog, nowMs: number): void {
    this.timers.set({ wake: () => this.dropDialog(dialog) }, nowMs + sipTimers.giveUpMs)
  }
}

/** The body part of an event. */
export function content(leg: Leg, message: SipMessage): { leg: LegId; body: Uint8Array; contentType: string } {
  const type = message.body.length > 0 ? (headerValue(message, 'Content-Type') ?? '') : ''
  return { leg: leg.id, body: message.body, contentType: mediaType(type) }
}

/** Lower-case `type/subtype` of a Content-Type value. */
export function mediaType(contentType: string): string {
  return (contentType.split(';')[0] ?? '').trim().toLowerCase()
}
