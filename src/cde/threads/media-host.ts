/**
 * The calls' media of one thread: carries out the main thread's orders and gives each call its turn. Sans-I/O but for the ports
 * that it is given.
 *
 * Calls that send sound of our own (masked, drained after it, a pause filled with noise) have a tick, every 20 ms. All others want
 * only RTCP and keep-alives, seconds apart: they are looked at in rounds, a few every `SWEEP_MS`. A call that begins to fill a pause is found there, too: its first frame has gone out by then.
 */
import type { Address } from '../../lib/address.ts'
import { type CallMedia, type CallMediaOptions, openCallMedia } from '../call/call-media.ts'
import type { MediaEvent } from '../call/media-orders.ts'
import type { Side } from '../call/negotiation.ts'
import { sumCounters } from '../call/sum-counters.ts'
import { ReceivedKeys, secretOctet, wipeKeys } from './keys-on-the-way.ts'
import { Rounds } from './rounds.ts'
import type { FromThread, Secret, TermsOnTheWay, ToThread } from './messages.ts'

const SWEEP_MS = 10
const WAKE_ROUND_MS = 100
const COUNT_ROUND_MS = 2_000

interface HostedCall {
  readonly keys: Readonly<Record<Side, ReceivedKeys>>
  media: CallMedia | 'opening'
}

export class MediaHost {
  readonly #options: CallMediaOptions
  readonly #tell: (message: FromThread, transfer?: readonly ArrayBuffer[]) => void
  readonly #calls = new Map<number, HostedCall>()
  /** Those that have a tick. */
  readonly #ticking = new Set<CallMedia>()
  /** What the media of ended calls has counted. */
  #ended: Readonly<Record<string, number>> = {}
  #sweepAtMs = 0
  readonly #wakeRounds = new Rounds(this.#calls, WAKE_ROUND_MS)
  readonly #countRounds = new Rounds(this.#calls, COUNT_ROUND_MS)
  /** Of the live calls counted in this round. */
  #counted = new Map<HostedCall, Readonly<Record<string, number>>>()
  /** A call has ended since the last round. */
  #isUncounted = false
  /** Of all calls, live and ended, when the last round was complete. */
  #totals: Readonly<Record<string, number>> = {}

  constructor(options: CallMediaOptions, tell: (message: FromThread, transfer?: readonly ArrayBuffer[]) => void) {
    this.#options = options
    this.#tell = tell
  }

  get size(): number {
    return this.#calls.size
  }

  execute(message: ToThread): void {
    const nowMs = this.#options.nowMs()
    if (message.type === 'stop') return this.close()
    if (message.type === 'open') return void this.#open(message.call)
    const call = this.#calls.get(message.call)
    // Orders and the end of a call may cross: what comes for one that is gone has nothing to do.
    if (call === undefined) return wipe(message)
    if (message.type === 'order' && message.order.type === 'close') return this.#close(message.call, call, nowMs)
    const { media } = call
    if (media === 'opening') return wipe(message)
    if (message.type === 'use') media.use(received(call, message.terms), nowMs)
    else if (message.type === 'order') media.execute(message.order, nowMs)
    else infoKey(media, message.key, nowMs)
    if (media.hasTick) this.#ticking.add(media)
  }

  wake(nowMs: number): void {
    for (const media of this.#ticking) {
      if (dueMs(media) <= nowMs) media.wake(nowMs)
      if (!media.hasTick) this.#ticking.delete(media)
    }
    if (nowMs < this.#sweepAtMs) return
    this.#sweepAtMs = nowMs + SWEEP_MS
    this.#wakeRounds.visit(nowMs, ({ media }) => {
      if (media === 'opening') return
      media.wake(nowMs)
      if (media.hasTick) this.#ticking.add(media)
    })
    this.#count(nowMs)
    this.#options.ports.wake(nowMs)
  }

  /** @returns when `wake` is due; undefined while there is nothing to do */
  nextWakeAtMs(): number | undefined {
    const isQuiet = this.#calls.size === 0 && !this.#isUncounted
    let next = isQuiet ? this.#options.ports.nextWakeAtMs() : this.#sweepAtMs
    for (const media of this.#ticking) next = Math.min(next ?? Number.POSITIVE_INFINITY, dueMs(media))
    return next
  }

  counters(): Readonly<Record<string, number>> {
    const live = [...this.#calls.values()].flatMap(({ media }) => (media === 'opening' ? [] : [media.counters()]))
    return { ...sumCounters([this.#ended, ...live]), ...this.#options.ports.counters() }
  }

  /** As `counters`, some seconds old, and for free: for reports while packets are waiting. */
  recentCounters(): Readonly<Record<string, number>> {
    return { ...this.#totals, ...this.#options.ports.counters() }
  }

  /** Ends all calls' media and gives every port back at once. */
  close(): void {
    for (const [number, call] of this.#calls) this.#close(number, call, this.#options.nowMs())
    this.#options.ports.close()
  }

  #count(nowMs: number): void {
    const isComplete = this.#countRounds.visit(nowMs, (call) => {
      if (call.media !== 'opening') this.#counted.set(call, call.media.counters())
    })
    if (!isComplete) return
    this.#totals = sumCounters([this.#ended, ...this.#counted.values()])
    this.#counted.clear()
    this.#isUncounted = false
  }

  async #open(number: number): Promise<void> {
    const call: HostedCall = {
      keys: { caller: new ReceivedKeys(), agent: new ReceivedKeys() },
      media: 'opening',
    }
    this.#calls.set(number, call)
    const listener = {
      onKey: (key: number) => this.#tellKey(number, key),
      onEvent: (event: MediaEvent) => this.#tell({ type: 'event', call: number, event }),
    }
    // A fault while binding is this call's trouble, never the end of all others.
    const media = await openCallMedia(this.#options, listener).catch(() => 'failed' as const)
    if (typeof media === 'string') {
      this.#calls.delete(number)
      return this.#tell({ type: 'not-opened', call: number, problem: media })
    }
    // It may have ended while its ports were being bound.
    if (!this.#calls.has(number)) return media.close(this.#options.nowMs())
    call.media = media
    this.#tell({ type: 'opened', call: number, addresses: addressesOf(media) })
  }

  #tellKey(call: number, key: number): void {
    const octet = secretOctet(key)
    this.#tell({ type: 'key', call, key: octet }, [octet.buffer])
  }

  #close(number: number, call: HostedCall, nowMs: number): void {
    this.#calls.delete(number)
    for (const keys of [call.keys.caller, call.keys.agent]) keys.wipe()
    const { media } = call
    if (media === 'opening') return
    this.#ticking.delete(media)
    media.close(nowMs)
    this.#ended = sumCounters([this.#ended, media.counters()])
    this.#counted.delete(call)
    this.#isUncounted = true
    this.#tell({ type: 'closed', call: number })
  }
}

function dueMs(media: CallMedia): number {
  return media.nextWakeAtMs() ?? Number.POSITIVE_INFINITY
}

function addressesOf({ addresses: { caller, agent } }: CallMedia): Readonly<Record<Side, Address>> {
  return { caller: { ...caller }, agent: { ...agent } }
}

function received({ keys }: HostedCall, terms: TermsOnTheWay) {
  return { ...terms, keys: { caller: keys.caller.take(terms.keys.caller), agent: keys.agent.take(terms.keys.agent) } }
}

/** What comes for a call that cannot take it: the secrets in it are not left to the collector. */
function wipe(message: ToThread): void {
  if (message.type === 'key') message.key.fill(0)
  if (message.type !== 'use') return
  for (const keys of [message.terms.keys.caller, message.terms.keys.agent]) wipeKeys(keys)
}

function infoKey(media: CallMedia, key: Secret, nowMs: number): void {
  const [code = 0] = key
  key.fill(0)
  media.infoKey(code, nowMs)
}
