import type { Address } from '../../lib/address.ts'
import { sipLimits } from '../../lib/limits.ts'
import { cseqOf } from './check.ts'
import { splitList } from './grammar.ts'
import { InviteClient } from './invite-client.ts'
import { InviteServer } from './invite-server.ts'
import { headerValue, headerValues, type SipMessage, type SipRequest, type SipResponse } from './message.ts'
import { tagOf } from './name-addr.ts'
import { NonInviteClient } from './non-invite-client.ts'
import { NonInviteServer } from './non-invite-server.ts'
import type { Timed, TimerQueue } from './timer-queue.ts'
import type { Action } from './transaction.ts'
import { BRANCH_COOKIE, parseVia, responseAddress, type Via } from './via.ts'

/** How a request of ours went on: any response, no answer in 64·T1, or it could not be sent. */
export type Outcome = SipResponse | 'timeout' | 'unsendable'
export type OutcomeHandler = (outcome: Outcome, nowMs: number) => void

/** What the layer needs of its UserAgent. */
export interface TransactionHost {
  readonly timers: TimerQueue
  send(to: Address, datagram: Uint8Array): void
  count(name: string): void
}

/** The transaction layer, RFC 3261 17: matches messages to machines, runs what the machines ask for. */
export class Transactions {
  readonly #host: TransactionHost
  readonly #clients = new Map<string, ClientTransaction>()
  readonly #servers = new Map<string, ServerTransaction>()
  /** RFC 3261 8.2.2.2: dialog-making requests under way, to find one that came over a second path. */
  readonly #unmerged = new Map<string, string>()

  constructor(host: TransactionHost) {
    this.#host = host
  }

  get size(): number {
    return this.#clients.size + this.#servers.size
  }

  /** Sends a request whose top Via is ours. When too many are under way the handler gets 'unsendable' at once. */
  request(request: SipRequest, to: Address, nowMs: number, onOutcome: OutcomeHandler): ClientTransaction | undefined {
    if (!this.#hasRoom(request)) {
      onOutcome('unsendable', nowMs)
      return undefined
    }
    const key = clientKey(topVia(request)?.branch ?? '', request.method)
    const machine = request.method === 'INVITE' ? new InviteClient(request) : new NonInviteClient(request)
    const client = new ClientTransaction(this.#host, machine, to, onOutcome, () => this.#clients.delete(key))
    this.#clients.set(key, client)
    client.perform(machine.start(nowMs), nowMs)
    return client
  }

  /** RFC 3261 17.1.3: by the branch of the top Via and the CSeq method. Strays are counted and dropped (SIP-35). */
  receiveResponse(response: SipResponse, nowMs: number): void {
    const client = this.#clients.get(clientKey(topVia(response)?.branch ?? '', cseqOf(response)?.method ?? ''))
    // RFC 3261 8.1.3.3: a UAC drops a response with more than one Via.
    if (client === undefined || viaCount(response) !== 1) this.#host.count('sip_stray_response')
    else client.perform(client.machine.receive(response, nowMs), nowMs)
  }

  /** A datagram of ours could not be sent (RFC 3261 17.1.4, 18.4). */
  unsendable(request: SipRequest, nowMs: number): void {
    const client = this.#clients.get(clientKey(topVia(request)?.branch ?? '', request.method))
    client?.perform(client.machine.unsendable(), nowMs)
  }

  /** The server transaction that this request repeats, or that its ACK or CANCEL is about. */
  find(request: SipRequest, method: string = request.method): ServerTransaction | undefined {
    return this.#servers.get(serverKey(request, method))
  }

  /** A new server transaction; undefined when too many are under way, which is never so for BYE and CANCEL. */
  serve(request: SipRequest, source: Address): ServerTransaction | undefined {
    if (!this.#hasRoom(request)) return undefined
    const key = serverKey(request, request.method)
    const merge = mergeKey(request)
    const via = topVia(request)
    const to = via === undefined ? source : responseAddress(via, source)
    const machine = request.method === 'INVITE' ? new InviteServer() : new NonInviteServer()
    const server = new ServerTransaction(this.#host, machine, to, () => {
      this.#servers.delete(key)
      if (this.#unmerged.get(merge) === key) this.#unmerged.delete(merge)
    })
    this.#servers.set(key, server)
    if (tagOf(headerValue(request, 'To') ?? '') === '') this.#unmerged.set(merge, key)
    return server
  }

  /** RFC 3261 8.2.2.2: true when the same request is already under way with another branch: it looped or forked. */
  isMerged(request: SipRequest): boolean {
    const key = this.#unmerged.get(mergeKey(request))
    return key !== undefined && key !== serverKey(request, request.method)
  }

  /**
   * SIP-34: new calls leave room for the calls there are, and what ends a call always passes. That is bounded, too: there is
   * one BYE each way for a dialog and one CANCEL for an INVITE.
   */
  #hasRoom(request: SipRequest): boolean {
    if (request.method === 'BYE' || request.method === 'CANCEL') return true
    const isNewCall = tagOf(headerValue(request, 'To') ?? '') === ''
    const room = this.size < (isNewCall ? sipLimits.newCallTransactionsMax : sipLimits.transactionsMax)
    if (!room) this.#host.count(isNewCall ? 'sip_transactions_full_for_calls' : 'sip_transactions_full')
    return room
  }
}

/** One client machine, its peer and its user. */
export class ClientTransaction implements Timed {
  readonly machine: InviteClient | NonInviteClient
  readonly #host: TransactionHost
  readonly #to: Address
  readonly #onOutcome: OutcomeHandler
  readonly #onEnd: () => void

  constructor(
    host: TransactionHost,
    machine: InviteClient | NonInviteClient,
    to: Address,
    onOutcome: OutcomeHandler,
    onEnd: () => void,
  ) {
    this.#host = host
    this.machine = machine
    this.#to = to
    this.#onOutcome = onOutcome
    this.#onEnd = onEnd
  }

  wake(nowMs: number): void {
    this.perform(this.machine.wake(nowMs), nowMs)
  }

  /** RFC 3261 9.1: gives up an INVITE that was cancelled and never got its final answer. */
  abandon(nowMs: number): void {
    if (this.machine instanceof InviteClient) this.machine.abandon()
    this.perform([], nowMs)
  }

  perform(actions: readonly Action[], nowMs: number): void {
    this.#host.timers.set(this, this.machine.timerAtMs)
    if (this.machine.state === 'terminated') this.#onEnd()
    for (const action of actions) {
      if (action.type === 'send') this.#host.send(this.#to, action.datagram)
      else if (action.type === 'absorbed') this.#host.count('sip_retransmission_absorbed')
      else this.#onOutcome(action.type === 'response' ? action.response : action.type, nowMs)
    }
  }
}

/** One server machine and where its answers go. */
export class ServerTransaction implements Timed {
  readonly machine: InviteServer | NonInviteServer
  readonly to: Address
  readonly #host: TransactionHost
  readonly #onEnd: () => void

  constructor(host: TransactionHost, machine: InviteServer | NonInviteServer, to: Address, onEnd: () => void) {
    this.#host = host
    this.machine = machine
    this.to = to
    this.#onEnd = onEnd
  }

  /** True until a final answer is out. */
  get open(): boolean {
    return this.machine.state === 'proceeding' || this.machine.state === 'trying'
  }

  respond(response: SipResponse, nowMs: number): void {
    this.#perform(this.machine.respond(response, nowMs))
  }

  /** Ends it without an answer of its own: the core has answered statelessly. */
  forget(): void {
    this.#host.timers.set(this, undefined)
    this.#onEnd()
  }

  repeated(): void {
    this.#perform(this.machine.repeated())
  }

  acknowledged(nowMs: number): void {
    if (this.machine instanceof InviteServer) this.#perform(this.machine.acknowledged(nowMs))
  }

  wake(nowMs: number): void {
    this.#perform(this.machine.wake(nowMs))
  }

  #perform(actions: readonly Action[]): void {
    this.#host.timers.set(this, this.machine.timerAtMs)
    if (this.machine.state === 'terminated') this.#onEnd()
    for (const action of actions) {
      if (action.type === 'send') this.#host.send(this.to, action.datagram)
      else if (action.type === 'absorbed') this.#host.count('sip_retransmission_absorbed')
      else if (action.type === 'timeout') this.#host.count('sip_refusal_not_acknowledged')
    }
  }
}

/** The top Via of a message that has passed checkMessage. */
export function topVia(message: SipMessage): Via | undefined {
  const [value = ''] = splitList(headerValue(message, 'Via') ?? '') ?? []
  const via = parseVia(value)
  return typeof via === 'string' ? undefined : via
}

function viaCount(message: SipMessage): number {
  return headerValues(message, 'Via').reduce((count, value) => count + (splitList(value)?.length ?? 1), 0)
}

function clientKey(branch: string, method: string): string {
  return `${method} ${branch}`
}

/** RFC 3261 17.2.3. ACK and CANCEL are looked up with the method of the INVITE they are about. */
function serverKey(request: SipRequest, method: string): string {
  const via = topVia(request)
  const sentBy = `${via?.host.toLowerCase()}:${via?.port ?? 5060}`
  if (via?.branch.startsWith(BRANCH_COOKIE)) return `${method} ${via.branch} ${sentBy}`
  // RFC 2543 peers: everything that a repetition, an ACK and a CANCEL have in common with the request. The To tag is
  // not among it, since the ACK has the one of our answer.
  return `${method} ${request.uri} ${mergeKey(request)} ${headerValue(request, 'Via')}`
}

function mergeKey(request: SipRequest): string {
  const from = tagOf(headerValue(request, 'From') ?? '')
  return `${from} ${headerValue(request, 'Call-ID')} ${/^\d+/.exec(headerValue(request, 'CSeq') ?? '')?.[0]}`
}
