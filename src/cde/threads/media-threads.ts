/**
 * All media threads: they own the media sockets and the audio of every call; SIP, captures and gateways stay in the card
 * zone's main thread, and neither side's work delays the other's. A new call goes to the thread with the fewest.
 *
 * A thread that dies takes live calls' media with it, perhaps in the middle of a capture: then the whole card zone ends, and
 * control starts a new one (docs/decisions/2026-11-22-media-threads.md).
 */
import type { RandomBytes } from '../../lib/random.ts'
import type { MediaLink, MediaListener, MediaOrder } from '../call/media-orders.ts'
import { type LegWish, NegotiatedMedia } from '../call/negotiated-media.ts'
import type { Side } from '../call/negotiation.ts'
import { sumCounters } from '../call/sum-counters.ts'
import { type DtlsIdentity, fingerprintOf } from '../media/dtls/certificate.ts'
import type { Fingerprint } from '../media/dtls/fingerprint.ts'
import type { AudioCodec } from '../media/audio-formats.ts'
import { KeyNumbers, secretCopy, secretOctet } from './keys-on-the-way.ts'
import { type CallMessage, MediaThread, type ThreadAnswer } from './media-thread.ts'
import type { Secret, ThreadSettings } from './messages.ts'
import { portShare } from './port-share.ts'

export interface MediaThreadsOptions {
  /** With the ports of all. */
  readonly settings: Omit<ThreadSettings, 'identity'>
  readonly threads: number
  /** For DTLS, in threads that may load an addon; its private key is wiped. */
  readonly identity?: DtlsIdentity | undefined
  readonly codecs: readonly AudioCodec[]
  readonly nowMs: () => number
  readonly random: RandomBytes
  /** A thread died or hangs. */
  onLost(): void
}

type ThreadProblem = Extract<ThreadAnswer, { type: 'not-ready' }>['problem']
type Opened = Extract<CallMessage, { type: 'opened' | 'not-opened' }>

interface ThreadCall {
  readonly listener: MediaListener
  readonly opened: (opened: Opened) => void
  /** Its end has been ordered: only its last figures are still of interest. */
  isClosing: boolean
}

export class MediaThreads {
  readonly #options: MediaThreadsOptions
  readonly #threads: readonly MediaThread[]
  readonly #calls = new Map<number, ThreadCall>()
  readonly #keyNumbers = new KeyNumbers()
  #lastCall = 0
  #isForwardingInKernel = false
  /** What peers are told of our certificate; undefined where a thread has no DTLS. */
  #dtls: Fingerprint | undefined

  constructor(options: MediaThreadsOptions) {
    this.#options = options
    const { settings, threads, nowMs, identity } = options
    this.#threads = Array.from({ length: threads }, (_, index) => {
      const share = portShare(settings, index, threads)
      return new MediaThread({
        settings: { ...settings, ...share, identity: copyOf(identity) },
        nowMs,
        onMessage: (message) => this.#heard(message),
        onLost: () => options.onLost(),
      })
    })
    identity?.privateKey.fill(0)
  }

  /** @returns the engine in use once all threads are up, or why one is not */
  async start(): Promise<Extract<ThreadAnswer, { type: 'ready' }>['engine'] | ThreadProblem> {
    const answers = await Promise.all(this.#threads.map(({ answer }) => answer))
    const [first] = answers
    const failed = answers.find((answer) => answer.type === 'not-ready')
    if (failed !== undefined || first?.type !== 'ready') return failed?.problem ?? 'media-engine-unavailable'
    this.#isForwardingInKernel = answers.some((answer) => answer.type === 'ready' && answer.isForwardingInKernel)
    const haveDtls = answers.every((answer) => answer.type === 'ready' && answer.hasDtls)
    const { identity } = this.#options
    if (haveDtls && identity !== undefined) this.#dtls = fingerprintOf(identity)
    return first.engine
  }

  /** Whether calls that are not armed may cross in the kernel. */
  get isForwardingInKernel(): boolean {
    return this.#isForwardingInKernel
  }

  /** Binds the ports of a new call, in the thread with the fewest calls that has some left. */
  async open(
    listener: MediaListener,
    wishes: Readonly<Record<Side, LegWish>>,
  ): Promise<NegotiatedMedia | 'no-ports' | 'failed'> {
    // Fail closed: a leg that must be keyed by DTLS is not offered without.
    if (wishes.agent.policy === 'dtls' && this.#dtls === undefined) return 'failed'
    for (const thread of this.#threads.toSorted((a, b) => a.calls.size - b.calls.size)) {
      const opened = await this.#openIn(thread, listener, wishes)
      if (opened !== 'no-ports') return opened
    }
    return 'no-ports'
  }

  async #openIn(
    thread: MediaThread,
    listener: MediaListener,
    wishes: Readonly<Record<Side, LegWish>>,
  ): Promise<NegotiatedMedia | 'no-ports' | 'failed'> {
    const number = ++this.#lastCall
    const { promise, resolve } = Promise.withResolvers<Opened>()
    this.#calls.set(number, { listener, opened: resolve, isClosing: false })
    thread.calls.add(number)
    thread.post({ type: 'open', call: number })
    const opened = await promise
    if (opened.type === 'not-opened') {
      this.#calls.delete(number)
      thread.calls.delete(number)
      return opened.problem
    }
    const { codecs, random } = this.#options
    const { addresses } = opened
    return new NegotiatedMedia(this.#link(thread, number), { addresses, wishes, codecs, random, dtls: this.#dtls })
  }

  counters(): Readonly<Record<string, number>> {
    return sumCounters(this.#threads.map((thread) => thread.counters()))
  }

  async stop(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.stop()))
  }

  #link(thread: MediaThread, call: number): MediaLink {
    return {
      send: (order) => {
        if (order.type === 'close') this.#closing(thread, call)
        if (order.type === 'use') this.#use(thread, call, order)
        else thread.post({ type: 'order', call, order })
      },
      sendKey: (key) => {
        const octet = secretOctet(key)
        thread.post({ type: 'key', call, key: octet }, [octet.buffer])
      },
    }
  }

  #use(thread: MediaThread, call: number, { terms }: Extract<MediaOrder, { type: 'use' }>): void {
    const transfer: ArrayBuffer[] = []
    const keys = {
      caller: this.#keyNumbers.send(terms.keys.caller, transfer),
      agent: this.#keyNumbers.send(terms.keys.agent, transfer),
    }
    thread.post({ type: 'use', call, terms: { ...terms, keys } }, transfer)
  }

  #heard(message: CallMessage): void {
    const call = this.#calls.get(message.call)
    switch (message.type) {
      case 'opened':
      case 'not-opened':
        return call?.opened(message)
      case 'event':
        if (call?.isClosing === false || message.event.type === 'quality') call?.listener.onEvent(message.event)
        return
      case 'key':
        return taken(message.key, (key) => (call?.isClosing === false ? call.listener.onKey(key) : undefined))
      case 'closed':
        return void this.#calls.delete(message.call)
    }
  }

  #closing(thread: MediaThread, number: number): void {
    const call = this.#calls.get(number)
    if (call !== undefined) call.isClosing = true
    thread.calls.delete(number)
  }
}

/** One for each thread: the private key is moved there. */
function copyOf(identity: DtlsIdentity | undefined): DtlsIdentity | undefined {
  return identity && { ...identity, privateKey: secretCopy(identity.privateKey) }
}

/** A key is read once, and wiped where it was. */
function taken(key: Secret, use: (key: number) => void): void {
  const [code = 0] = key
  key.fill(0)
  use(code)
}
