import { dtmfLimits } from '../../lib/limits.ts'
import { ComfortFill } from '../media/comfort-fill.ts'
import type { SpeechFormat } from '../media/audio-formats.ts'
import { EventClock, type EventClocks } from '../media/event-clock.ts'
import { RTP_HEADER_OCTETS, type RtpNumbers, type RtpPacket } from '../media/rtp.ts'
import { Transcoders } from '../media/transcoder.ts'
import type { AgentStream } from './agent-stream.ts'
import type { Counters } from './counters.ts'
import { parseEvents } from './events.ts'
import { audioUnits, type Formats } from './formats.ts'

const USUAL_PACKET_MS = 20

/**
 * Caller → agent while nothing is masked: audio in the agent's codec crosses untouched, other audio is transcoded, negotiated
 * events cross, in the agent's clock; all else is dropped and counted.
 */
export class Relaying {
  readonly #stream: AgentStream
  readonly #counters: Counters
  readonly #transcoders = new Transcoders()
  readonly #events = new EventClock()
  readonly #fill = new ComfortFill()
  #fillAtMs = 0
  /** The clock of the caller's audio. */
  #audioHz: number | undefined
  #packetMs = USUAL_PACKET_MS
  #lastMs = Number.NEGATIVE_INFINITY

  constructor(stream: AgentStream, counters: Counters) {
    this.#stream = stream
    this.#counters = counters
  }

  /** How long the caller's packets are. */
  get packetMs(): number {
    return this.#packetMs
  }

  /** When the packet after the last one relayed is due; never, before the first one. */
  get dueMs(): number {
    return this.#lastMs + this.#packetMs
  }

  /** @returns packets for the agent now */
  receive(rtp: RtpPacket, formats: Formats, nowMs: number): Uint8Array[] {
    const incoming = formats.incoming(rtp.payloadType)
    if (incoming === 'unknown') return this.#drop('dtmf_unknown_type_dropped')
    if (incoming === 'telephone-event') return this.#event(rtp, formats, nowMs)
    if (incoming === 'CN') return this.#comfortNoise(rtp, formats, nowMs)
    this.#fill.stop()
    const agent = formats.agentAudio
    if (agent === undefined) return this.#drop('dtmf_no_agent_codec')
    const units = audioUnits(incoming, rtp.payload, 0, rtp.payload.length)
    if (units === 0) return this.#drop('dtmf_audio_refused')
    const payload = this.#transcoders.transcode(rtp.payload, incoming.codec, agent.codec)
    if (payload === undefined) return this.#drop('dtmf_audio_refused')
    const { clockHz } = incoming
    const packet = this.#stream.relay(agent.payloadType, payload, { ...rtp, clockHz }, units, nowMs)
    if (packet === 'late') return this.#drop('dtmf_audio_late')
    this.#relayed(clockHz, (units * 1_000) / clockHz, nowMs)
    return [packet]
  }

  /**
   * Audio of the stream that runs, in the agent's codec, is re-written where it lies.
   * @returns false, with nothing changed, when `receive` has to look at it
   */
  inPlace(octets: Uint8Array, start: number, rtp: RtpNumbers, formats: Formats, nowMs: number): boolean {
    const agent = formats.agentAudio
    if (agent === undefined || !formats.isUntouched(rtp.payloadType)) return false
    const units = audioUnits(agent, octets, start + RTP_HEADER_OCTETS, rtp.payloadOctets)
    if (units === 0 || !this.#stream.relayInPlace(octets, start, agent.payloadType, rtp, units, nowMs)) return false
    this.#relayed(agent.clockHz, (units * 1_000) / agent.clockHz, nowMs)
    return true
  }

  /** The packets that are due although none came in: noise in a pause of the caller's. */
  tick(formats: Formats, nowMs: number): Uint8Array[] {
    const packets: Uint8Array[] = []
    const { agentAudio } = formats
    this.#skipWhatIsLongDue(nowMs)
    while (this.#fill.isOn(this.#fillAtMs) && this.#fillAtMs <= nowMs) {
      if (agentAudio === undefined) this.#fill.stop()
      else packets.push(this.#filled(agentAudio, this.#fillAtMs))
    }
    return packets
  }

  get nextTickAtMs(): number | undefined {
    return this.#fill.isOn(this.#fillAtMs) ? this.#fillAtMs : undefined
  }

  /** Something else speaks for the caller from now on. */
  pause(): void {
    this.#fill.stop()
  }

  /** Gives the coders back. */
  close(): void {
    this.#transcoders.close()
    this.#fill.close()
  }

  /** RFC 3389: for an agent who does not know it the pause is filled; nothing of the payload crosses then but its level. */
  #comfortNoise(rtp: RtpPacket, formats: Formats, nowMs: number): Uint8Array[] {
    const { agentAudio, agentNoise } = formats
    if (agentAudio === undefined || rtp.payload.length === 0) return this.#drop('dtmf_comfort_noise')
    const noiseHz = formats.clockHz(rtp.payloadType)
    if (agentNoise !== undefined && noiseHz === agentNoise.clockHz && noiseHz === (this.#audioHz ?? noiseHz)) {
      const source = { ...rtp, clockHz: noiseHz }
      const packet = this.#stream.relay(agentNoise.payloadType, rtp.payload, source, 0, nowMs)
      return packet === 'late' ? [] : [packet]
    }
    const isFilling = this.#fill.isOn(nowMs)
    this.#fill.start(rtp.payload, nowMs)
    return isFilling ? [] : [this.#filled(agentAudio, nowMs)]
  }

  #filled({ payloadType, codec }: SpeechFormat, atMs: number): Uint8Array {
    this.#fillAtMs = atMs + USUAL_PACKET_MS
    return this.#stream.next(payloadType, this.#fill.frame(codec), USUAL_PACKET_MS, false, atMs)
  }

  /** After a stall: what would have been said long ago is not said at once. */
  #skipWhatIsLongDue(nowMs: number): void {
    const behind = Math.floor((nowMs - this.#fillAtMs) / USUAL_PACKET_MS) - dtmfLimits.catchUpTicksMax
    if (this.nextTickAtMs === undefined || behind <= 0) return
    this.#stream.skip(behind * USUAL_PACKET_MS)
    this.#fillAtMs += behind * USUAL_PACKET_MS
  }

  #event(rtp: RtpPacket, formats: Formats, nowMs: number): Uint8Array[] {
    const { agentAudio, agentEvents } = formats
    if (typeof parseEvents(rtp.payload) === 'string') return this.#drop('dtmf_event_refused')
    if (agentAudio === undefined || agentEvents === undefined) return this.#drop('dtmf_event_not_relayed')
    const fromHz = formats.clockHz(rtp.payloadType)
    const { payloadType, clockHz: toHz } = agentEvents
    const isOneClock = fromHz === toHz && toHz === agentAudio.clockHz && fromHz === (this.#audioHz ?? fromHz)
    if (!isOneClock) return this.#convertEvent(rtp, payloadType, { fromHz, toHz, streamHz: agentAudio.clockHz }, nowMs)
    const packet = this.#stream.relay(payloadType, rtp.payload, { ...rtp, clockHz: fromHz }, 0, nowMs)
    return packet === 'late' ? [] : [packet]
  }

  #convertEvent(rtp: RtpPacket, payloadType: number, clocks: EventClocks, nowMs: number): Uint8Array[] {
    const silentMs = Number.isFinite(this.#lastMs) ? Math.max(0, nowMs - this.dueMs) : 0
    const streamTimestamp = (this.#stream.timestamp + Math.round((silentMs * clocks.streamHz) / 1_000)) >>> 0
    const event = this.#events.convert(rtp, clocks, streamTimestamp)
    if (event === undefined) return []
    return [this.#stream.aside(payloadType, event.payload, event.timestamp, rtp.marker, nowMs)]
  }

  #relayed(clockHz: number, packetMs: number, nowMs: number): void {
    this.#audioHz = clockHz
    this.#packetMs = packetMs
    this.#lastMs = nowMs
  }

  #drop(reason: Parameters<Counters['add']>[0]): [] {
    this.#counters.add(reason)
    return []
  }
}
