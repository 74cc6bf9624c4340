/**
 * libopus as WebAssembly, from the package `opusscript`, whose compiled module is used without the package's own wrapper:
 * that one counts memory in the wrong unit and writes outside of what it allocated. Nothing here touches a file but the load.
 * One instance per thread serves all coders, which run to the end one by one; so the two transfer areas are shared.
 */
import loadModule from 'opusscript/build/opusscript_native_wasm.js'
import { mediaLimits } from '../../../../lib/limits.ts'

/** libopus decodes at most 120 ms at 48 kHz (RFC 6716 2.1.4). */
const SAMPLES_MAX = 5_760
/** More than any packet: three frames at the codec's most, as the module itself allows. */
const OCTETS_MAX = 3_828

/** One encoder and one decoder; two streams may have one half each. Addresses are octets of the module's memory; results below zero are libopus' errors. */
export interface OpusHandler {
  _encode(samplesAt: number, octets: number, packetAt: number, frameSamples: number): number
  _decode(packetAt: number, octets: number, samplesAt: number): number
  _encoder_ctl(request: number, value: number): number
  _decoder_ctl(request: number, value: number): number
}

interface OpusModule {
  /** Replaced whenever the module's memory grows: never keep one. */
  readonly HEAPU8: Uint8Array
  readonly HEAPU16: Uint16Array
  readonly OpusScriptHandler: {
    new (sampleRateHz: number, channels: number, application: number): OpusHandler
  }
  _malloc(octets: number): number
}

export type OpusHalf = 'encoder' | 'decoder'

const APPLICATION_VOIP = 2_048
const RESET_STATE = 4_028
/** The longest frame of one encoder call at 16 kHz (RFC 6716 2.1.4). */
const WIPE_SAMPLES = 960

export class OpusNative {
  readonly #module: OpusModule
  readonly #packetAt: number
  readonly #samplesAt: number
  /** Halves that nobody uses, by rate. Memory of the module cannot be given back, so handlers are kept and used again. */
  readonly #free = new Map<string, OpusHandler[]>()
  readonly #pairsMax: number
  #pairs = 0

  constructor(pairsMax: number = mediaLimits.opusPairsMax) {
    this.#pairsMax = pairsMax
    this.#module = loadModule() as OpusModule
    this.#packetAt = this.#module._malloc(OCTETS_MAX)
    this.#samplesAt = this.#module._malloc(SAMPLES_MAX * 4)
    this.#wipe(this.#packetAt, OCTETS_MAX)
    this.#wipe(this.#samplesAt, SAMPLES_MAX * 4)
  }

  /** @returns a handler whose other half may be somebody else's; undefined when the thread has no more to give */
  open(half: OpusHalf, sampleRateHz: number): OpusHandler | undefined {
    const free = this.#freeHalves(half, sampleRateHz).pop()
    if (free !== undefined) return free
    if (this.#pairs === this.#pairsMax) return undefined
    this.#pairs++
    const handler = new this.#module.OpusScriptHandler(sampleRateHz, 1, APPLICATION_VOIP)
    this.#freeHalves(half === 'encoder' ? 'decoder' : 'encoder', sampleRateHz).push(handler)
    return handler
  }

  /** Forgets the stream, in the coder and in the module's own buffers, and gives the half back. */
  close(half: OpusHalf, sampleRateHz: number, handler: OpusHandler): void {
    if (half === 'encoder') {
      this.encode(handler, new Int16Array(WIPE_SAMPLES), new Uint8Array(OCTETS_MAX))
      handler._encoder_ctl(RESET_STATE, 0)
    } else {
      handler._decoder_ctl(RESET_STATE, 0)
      // A decoder that has heard nothing conceals a lost packet as silence.
      this.#wipe(this.#samplesAt, 4 * Math.max(0, handler._decode(this.#packetAt, 0, this.#samplesAt)))
    }
    this.#freeHalves(half, sampleRateHz).push(handler)
  }

  #freeHalves(half: OpusHalf, sampleRateHz: number): OpusHandler[] {
    const name = `${half} ${sampleRateHz}`
    const halves = this.#free.get(name) ?? []
    this.#free.set(name, halves)
    return halves
  }

  /** Pairs that were made, in use or waiting for use. */
  get pairsMade(): number {
    return this.#pairs
  }

  /** What the module holds in all; it grows with the pairs that are in use at once, about 90 kB each, and never shrinks. */
  get memoryOctets(): number {
    return this.#module.HEAPU8.length
  }

  /** True when the shared areas are empty, as they must be between calls. */
  get isWiped(): boolean {
    const { HEAPU8 } = this.#module
    const areas = [
      HEAPU8.subarray(this.#packetAt, this.#packetAt + OCTETS_MAX),
      HEAPU8.subarray(this.#samplesAt, this.#samplesAt + SAMPLES_MAX * 4),
    ]
    return areas.every((area) => area.every((octet) => octet === 0))
  }

  /** @returns samples written to `samples`, or an error of libopus below zero; -2 when `samples` is too short */
  decode(handler: OpusHandler, packet: Uint8Array, samples: Int16Array): number {
    if (packet.length > OCTETS_MAX) return BUFFER_TOO_SMALL
    this.#module.HEAPU8.set(packet, this.#packetAt)
    const count = handler._decode(this.#packetAt, packet.length, this.#samplesAt)
    this.#wipe(this.#packetAt, packet.length)
    if (count <= 0) return count
    // The module hands over 16 bits per octet.
    const octets = this.#module.HEAPU16
    const from = this.#samplesAt >> 1
    const wanted = Math.min(count, samples.length)
    for (let i = 0; i < wanted; i++) {
      samples[i] = (octets[from + 2 * i] as number) | ((octets[from + 2 * i + 1] as number) << 8)
    }
    this.#wipe(this.#samplesAt, count * 4)
    return wanted === count ? count : BUFFER_TOO_SMALL
  }

  /** @returns octets written to `payload`, or an error of libopus below zero */
  encode(handler: OpusHandler, samples: Int16Array, payload: Uint8Array): number {
    if (samples.length > SAMPLES_MAX) return BUFFER_TOO_SMALL
    const octets = this.#module.HEAPU16
    const at = this.#samplesAt >> 1
    for (let i = 0; i < samples.length; i++) {
      octets[at + 2 * i] = (samples[i] as number) & 0xff
      octets[at + 2 * i + 1] = ((samples[i] as number) >> 8) & 0xff
    }
    const length = handler._encode(this.#samplesAt, samples.length * 2, this.#packetAt, samples.length)
    this.#wipe(this.#samplesAt, samples.length * 4)
    if (length <= 0) return length
    if (length > payload.length) return BUFFER_TOO_SMALL
    payload.set(this.#module.HEAPU8.subarray(this.#packetAt, this.#packetAt + length))
    this.#wipe(this.#packetAt, length)
    return length
  }

  /** What the caller said does not stay behind in the shared areas. */
  #wipe(at: number, octets: number): void {
    this.#module.HEAPU8.fill(0, at, at + octets)
  }
}

const BUFFER_TOO_SMALL = -2

let native: OpusNative | undefined

/** The module, compiled when it is needed for the first time (about 10 ms). */
export function opusNative(): OpusNative {
  native ??= new OpusNative()
  return native
}
