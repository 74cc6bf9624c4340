import { newId } from '../../lib/ids.ts'
import { mediaLimits } from '../../lib/limits.ts'
import { type RandomBytes, randomUnit } from '../../lib/random.ts'
import { type AudioFormat, isSpeech } from './audio-formats.ts'
import { FarEnd } from './far-end.ts'
import { PayloadClocks } from './payload-clocks.ts'
import type { LegQuality } from './quality.ts'
import { Reception } from './reception.ts'
import { parseRtcp, type RtcpKind, type SenderInfo, writeReport } from './rtcp.ts'
import { parseRtp, type RtpFields } from './rtp.ts'

type Counter = `rtcp_received_${RtcpKind}` | 'rtcp_refused' | 'rtcp_sent'

/**
 * MED-09: RTCP of one leg, which begins and ends here. It is told of the leg's RTP, writes a report with our own CNAME about
 * every 5 s, and of what the peer sends it takes the time of its sender reports and what it says of our stream; all else is
 * counted and goes nowhere.
 */
export class RtcpSession {
  readonly #random: RandomBytes
  // RFC 7022 4.2: a fresh random name per session; ours has letters only.
  readonly #cname: string
  readonly #reception = new Reception()
  readonly #clocks = new PayloadClocks()
  readonly #far = new FarEnd()
  readonly #counts = new Map<Counter, number>()
  #ssrc: number
  #startedAtMs: number | undefined
  #nextWakeAtMs: number | undefined
  #sent: { timestamp: number; atMs: number; packets: number; octets: number } | undefined
  #sentSinceReport = false
  #sentPackets = 0
  #receivedAtMs: number | undefined
  #sentPerMs = 8

  constructor(options: { random: RandomBytes }) {
    this.#random = options.random
    this.#cname = newId(options.random) + newId(options.random)
    this.#ssrc = new DataView(Uint8Array.from(options.random(4)).buffer).getUint32(0)
  }

  /**
   * After each offer and answer.
   * @param received what the peer may send; where two say different things about a number, the first counts
   * @param sent what the peer takes, its preferred one first
   */
  setFormats(received: readonly AudioFormat[], sent: readonly AudioFormat[]): void {
    this.#clocks.use(received)
    this.#sentPerMs = (sent.find(isSpeech)?.clockHz ?? 8_000) / 1_000
  }

  /** We sent this RTP packet on the leg. */
  sent(packet: Uint8Array, nowMs: number): void {
    const rtp = parseRtp(packet)
    if (typeof rtp !== 'string') this.sentRtp(rtp.ssrc, rtp.timestamp, rtp.payload.length, nowMs)
  }

  /** The same, of a packet that was read already. */
  sentRtp(ssrc: number, timestamp: number, payloadOctets: number, nowMs: number): void {
    this.#start(nowMs)
    if (this.#sent === undefined || ssrc !== this.#ssrc) this.#sent = { timestamp, atMs: nowMs, packets: 0, octets: 0 }
    this.#ssrc = ssrc
    this.#sent.timestamp = timestamp
    this.#sent.atMs = nowMs
    this.#sent.packets++
    this.#sent.octets += payloadOctets
    this.#sentPackets++
    this.#sentSinceReport = true
  }

  /** This RTP packet came in on the leg and counted (see SourceLock). */
  received(packet: Uint8Array, nowMs: number): void {
    const rtp = parseRtp(packet)
    if (typeof rtp !== 'string') this.receivedRtp(rtp, nowMs)
  }

  /** The same, of a packet that was read already. */
  receivedRtp(rtp: RtpFields, nowMs: number): void {
    this.#start(nowMs)
    this.#receivedAtMs = nowMs
    this.#reception.receive(rtp, nowMs, this.#clocks.perMs(rtp.payloadType))
  }

  /** So many packets of the peer crossed without having been seen here (the kernel's own forwarding). */
  receivedElsewhere(packets: number, nowMs: number): void {
    this.#start(nowMs)
    this.#receivedAtMs = nowMs
    this.#reception.wentElsewhere(packets)
  }

  /** When a packet that counted last came in; undefined before the first. */
  get receivedAtMs(): number | undefined {
    return this.#receivedAtMs
  }

  /** So many packets have left on the leg without us, of the stream of those before. */
  sentElsewhere(packets: number, payloadOctets: number): void {
    if (this.#sent === undefined) return
    this.#sent.packets += packets
    this.#sent.octets += payloadOctets
    this.#sentPackets += packets
    this.#sentSinceReport = true
  }

  /** A datagram on the RTCP port, from the locked source. It ends here. */
  receive(datagram: Uint8Array, nowMs: number): void {
    const packets = parseRtcp(datagram)
    if (typeof packets === 'string') return this.#count('rtcp_refused')
    for (const { kind, ssrc, ntpMiddle, blocks } of packets) {
      this.#count(`rtcp_received_${kind}`)
      if (ssrc !== undefined && ntpMiddle !== undefined) this.#reception.senderReport(ssrc, ntpMiddle, nowMs)
      for (const block of blocks) {
        if (block.ssrc === this.#ssrc) this.#far.report(block, this.#elapsedMs(nowMs), this.#sentPerMs)
      }
    }
  }

  /** When the next report is due; undefined before the leg's first RTP packet. */
  nextWakeAtMs(): number | undefined {
    return this.#nextWakeAtMs
  }

  /** @returns the report that is due, undefined before `nextWakeAtMs` */
  wake(nowMs: number): Uint8Array | undefined {
    if (this.#nextWakeAtMs === undefined || nowMs < this.#nextWakeAtMs) return undefined
    this.#nextWakeAtMs = nowMs + this.#intervalMs()
    const block = this.#reception.report(nowMs)
    const report = writeReport(this.#ssrc, this.#cname, this.#senderInfo(nowMs), block === undefined ? [] : [block])
    this.#sentSinceReport = false
    this.#count('rtcp_sent')
    return report
  }

  /** How this leg has been so far, both ways. */
  quality(): LegQuality {
    return { ...this.#reception.totals(), sentPackets: this.#sentPackets, ...this.#far.totals() }
  }

  counters(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts)
  }

  #start(nowMs: number): void {
    if (this.#startedAtMs !== undefined) return
    this.#startedAtMs = nowMs
    // RFC 3550 6.2: the first report comes after half the interval.
    this.#nextWakeAtMs = nowMs + this.#intervalMs() / 2
  }

  /** RFC 3550 6.4: only who has sent since the last report is a sender. */
  #senderInfo(nowMs: number): SenderInfo | undefined {
    if (this.#sent === undefined || !this.#sentSinceReport) return undefined
    const elapsedMs = this.#elapsedMs(nowMs)
    const sinceSentSamples = Math.round((nowMs - this.#sent.atMs) * this.#sentPerMs)
    return {
      ntpSeconds: Math.floor(elapsedMs / 1_000),
      ntpFraction: Math.floor(((elapsedMs % 1_000) / 1_000) * 2 ** 32),
      timestamp: (this.#sent.timestamp + sinceSentSamples) >>> 0,
      packets: this.#sent.packets,
      octets: this.#sent.octets,
    }
  }

  /** RFC 3550 6.4.1: the time since the session began will do for NTP's, and tells nothing about this host's clock. */
  #elapsedMs(nowMs: number): number {
    return nowMs - (this.#startedAtMs ?? nowMs)
  }

  /** RFC 3550 6.3.1: half to one and a half times the interval, so that the sides do not fall into step. */
  #intervalMs(): number {
    return mediaLimits.rtcpIntervalMs * (0.5 + randomUnit(this.#random))
  }

  #count(counter: Counter): void {
    this.#counts.set(counter, (this.#counts.get(counter) ?? 0) + 1)
  }
}
