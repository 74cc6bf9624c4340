/**
 * One call's way into the kernel and out of it: watches the call's packets pass, keeps the numbers of both outgoing streams the
 * sources' own, and asks the kernel. When: kernel-path.ts. What: forwarder.ts.
 */
import { kernelLimits } from '../../lib/limits.ts'
import { isSpeech } from '../media/audio-formats.ts'
import { AlignedNumbers } from '../media/aligned-numbers.ts'
import type { FlowForwarder, FlowPair } from '../media/flow-forwarder.ts'
import type { Flow } from '../media/kernel/flow.ts'
import { KernelPath, type PathEffect } from '../media/kernel/kernel-path.ts'
import { parseRtp, readPlainRtp, type RtpNumbers, rtpNumbers } from '../media/rtp.ts'
import { destinationOf, type Leg } from './media-leg.ts'
import { otherSide, type Side } from './negotiation.ts'

export interface KernelSideOptions {
  readonly forwarder: FlowForwarder
  readonly legs: Readonly<Record<Side, Leg>>
  /** Nothing of the caller's crosses in the kernel any more, for certain. */
  onSecured(): void
}

type Counter = 'entered' | 'refused' | 'left' | 'packets'

const sides = ['caller', 'agent'] as const
/** Numbers are kept on this clock only; telephone events may have their own. */
const CLOCK_HZ = 8_000
const UDP_AND_IP_AND_RTP_OCTETS = 40

export class KernelSide {
  readonly #options: KernelSideOptions
  readonly #path = new KernelPath()
  /** Of the stream that leaves on each leg. */
  readonly #numbers: Readonly<Record<Side, AlignedNumbers>> = {
    caller: new AlignedNumbers(),
    agent: new AlignedNumbers(),
  }
  /** Of the newest plain packet of each source. */
  readonly #streams: Record<Side, { payloadType: number; ssrc: number; sequence: number }> = {
    caller: { payloadType: -1, ssrc: 0, sequence: 0 },
    agent: { payloadType: -1, ssrc: 0, sequence: 0 },
  }
  readonly #rtp = rtpNumbers()
  readonly #counts: Record<Counter, number> = { entered: 0, refused: 0, left: 0, packets: 0 }
  #flows: FlowPair | undefined
  #counted = [
    { packets: 0, octets: 0 },
    { packets: 0, octets: 0 },
  ]
  readonly #sampledAtMs: Record<Side, number> = { caller: 0, agent: 0 }
  #agentHeardAtMs = 0
  #routedAtMs = 0
  #strangeAtMs = 0

  constructor(options: KernelSideOptions) {
    this.#options = options
  }

  /** Before new terms are used, and when they are offered or withdrawn: user space has to see every packet. */
  leave(nowMs: number): void {
    this.#do(this.#path.leave(), nowMs)
  }

  /**
   * The legs have new terms. Numbers cannot be kept where packets are encrypted or may change their clock, or where we fill the
   * pauses of one side because the other does not know comfort noise.
   */
  agreed(): void {
    const { caller, agent } = this.#options.legs
    const formats = [caller, agent].flatMap(({ session }) => session?.formats ?? [])
    const isOneClock = formats.every(({ codec, clockHz }) => codec === 'telephone-event' || clockHz === CLOCK_HZ)
    const isClear = !caller.srtp.secure && !agent.srtp.secure
    const noises = [caller, agent].map(({ session }) => session?.formats.some(({ codec }) => codec === 'CN') ?? false)
    const isPauseAlike = noises[0] === noises[1]
    if (!isClear || !isOneClock || !isPauseAlike) for (const side of sides) this.#numbers[side].giveUp()
  }

  /** Before anything is masked. */
  arm(nowMs: number): void {
    this.#do(this.#path.arm(), nowMs)
  }

  /**
   * A packet of `from` is about to leave on the other leg: re-written where it lies, unchanged but for its header.
   * @param source its numbers as they came
   */
  relayedInPlace(from: Side, octets: Uint8Array, start: number, source: RtpNumbers, nowMs: number): void {
    const numbers = this.#numbers[otherSide(from)]
    numbers.relayed(octets, start, source, nowMs)
    this.#cameFrom(from, source, nowMs)
    this.#streams[from].payloadType = source.payloadType
    this.#streams[from].ssrc = source.ssrc
    this.#streams[from].sequence = source.sequence
    const isPlain = numbers.isAligned && ((octets[start + 1] ?? 0) & 0x7f) === source.payloadType
    this.#do(isPlain ? this.#path.plain(from, nowMs) : this.#path.leave(), nowMs)
  }

  /** A packet of `from` has come on the way that copies; it may be relayed or not. */
  came(from: Side, packet: Uint8Array, nowMs: number): void {
    const rtp = this.#rtp
    if (!readPlainRtp(packet, 0, packet.length, rtp)) return
    if (rtp.payloadType === this.#streams[from].payloadType) this.#numbers[otherSide(from)].seen(rtp, nowMs)
    // After a new agreement the stream may have another type; only what never crosses in the kernel proves nothing.
    else if (!this.#isSpeech(from, rtp.payloadType)) return
    this.#cameFrom(from, rtp, nowMs)
  }

  /**
   * Gives a packet that leaves on `side` its numbers.
   * @param source the packet that it relays; undefined for one of our own
   * @returns false when it must not leave
   */
  numbered(side: Side, packet: Uint8Array, source: Uint8Array | undefined, nowMs: number): boolean {
    const numbers = this.#numbers[side]
    const rtp = source && parseRtp(source)
    if (rtp === undefined || typeof rtp === 'string') return numbers.own(packet, 0, nowMs)
    numbers.relayed(packet, 0, rtp, nowMs)
    if (!numbers.isAligned) this.leave(nowMs)
    return true
  }

  /**
   * A packet of `from` came that may be one of the samples: what crossed before it is counted before it is. User space sees one
   * every few seconds; only a source that floods is counted more seldom than it is seen.
   */
  sampled(from: Side, nowMs: number): void {
    if (this.#path.state !== 'kernel' || nowMs < this.#sampledAtMs[from] + kernelLimits.countsEveryMs) return
    this.#sampledAtMs[from] = nowMs
    this.#takeCounts(nowMs)
  }

  /**
   * A packet came whose like is not forwarded. Before it is judged the lock must know whether its source is alive: else who
   * forges the address has the seconds between two samples for himself (sip.md 6.1).
   */
  strange(nowMs: number): void {
    if (this.#path.state !== 'kernel' || nowMs < this.#strangeAtMs + kernelLimits.strangeMs) return
    this.#strangeAtMs = nowMs
    this.#takeCounts(nowMs)
  }

  wake(nowMs: number): void {
    if (this.#path.state !== 'kernel') return
    // In place of an agent who is silent the caller gets keep-alives of ours, which the kernel must know nothing of.
    const isSilent = nowMs >= this.#agentHeardAtMs + kernelLimits.silenceMs
    if (!this.#options.forwarder.isOpen || isSilent || !this.#isStillRouted(nowMs)) this.leave(nowMs)
  }

  counters(): Readonly<Record<string, number>> {
    const { entered, refused, left, packets } = this.#counts
    const live = this.#path.state === 'kernel' ? 1 : 0
    return {
      kernel_calls: live,
      kernel_entered: entered,
      kernel_refused: refused,
      kernel_left: left,
      kernel_packets: packets,
    }
  }

  #isSpeech(from: Side, payloadType: number): boolean {
    const format = this.#options.legs[from].session?.formats.find((known) => known.payloadType === payloadType)
    return format !== undefined && isSpeech(format)
  }

  #cameFrom(from: Side, { sequence }: RtpNumbers, nowMs: number): void {
    if (from === 'agent') this.#agentHeardAtMs = nowMs
    if (this.#path.state !== 'kernel' && from === 'caller') this.#do(this.#path.packetSeen(sequence), nowMs)
  }

  #isStillRouted(nowMs: number): boolean {
    if (this.#flows === undefined || nowMs < this.#routedAtMs + kernelLimits.routesEveryMs) return true
    this.#routedAtMs = nowMs
    return this.#options.forwarder.isStillRouted?.(this.#flows) ?? true
  }

  #do(effect: PathEffect | undefined, nowMs: number): void {
    if (effect === 'set') this.#set(nowMs)
    else if (effect === 'remove') this.#remove(nowMs)
    else if (effect === 'secured') this.#options.onSecured()
  }

  #set(nowMs: number): void {
    const { forwarder } = this.#options
    const flows = this.#flowPair()
    const isSet = flows !== undefined && forwarder.set(flows) === 'done'
    this.#counts[isSet ? 'entered' : 'refused']++
    this.#path.answered(isSet, nowMs)
    if (!isSet) return
    this.#flows = flows
    this.#routedAtMs = nowMs
    this.#counted = [
      { packets: 0, octets: 0 },
      { packets: 0, octets: 0 },
    ]
    for (const side of sides) this.#numbers[side].lend()
  }

  #remove(nowMs: number): void {
    if (this.#flows === undefined) return
    this.#takeCounts(nowMs)
    // Done, or all flows of this thread are out: either way nothing that comes from now on is forwarded.
    this.#options.forwarder.remove(this.#flows)
    this.#counts.left++
    this.#flows = undefined
    for (const side of sides) this.#numbers[side].takeBack(nowMs)
  }

  /** What the kernel has forwarded since it was asked last counts on both legs, as if it had been seen here. */
  #takeCounts(nowMs: number): void {
    const { forwarder, legs } = this.#options
    const counts = this.#flows && forwarder.counts(this.#flows)
    if (counts === undefined) return
    for (const [index, from] of sides.entries()) {
      const now = counts[index] ?? { packets: 0, octets: 0 }
      const before = this.#counted[index] ?? now
      const packets = now.packets - before.packets
      const payloadOctets = now.octets - before.octets - packets * UDP_AND_IP_AND_RTP_OCTETS
      if (packets === 0) continue
      this.#counts.packets += packets
      legs[from].rtcp.receivedElsewhere(packets, nowMs)
      legs[from].rtpLock.heardElsewhere(nowMs)
      legs[otherSide(from)].rtcp.sentElsewhere(packets, payloadOctets)
    }
    this.#counted = [...counts]
  }

  #flowPair(): FlowPair | undefined {
    const there = this.#flow('caller')
    const back = this.#flow('agent')
    return there === undefined || back === undefined ? undefined : [there, back]
  }

  #flow(from: Side): Flow | undefined {
    const { legs } = this.#options
    const [leg, other] = [legs[from], legs[otherSide(from)]]
    const [source, destination] = [destinationOf(leg), destinationOf(other)]
    if (source === undefined || destination === undefined) return undefined
    const [arrivesAt, leavesFrom] = [leg.pair.address, other.pair.address]
    const flow = { source, arrivesAt, ...this.#streams[from], leavesFrom, destination }
    // IPv4 only: everything else stays in user space.
    const hosts = [source, destination, arrivesAt, leavesFrom].map(({ host }) => host)
    return hosts.some((host) => host.includes(':')) ? undefined : flow
  }
}
