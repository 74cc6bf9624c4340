/**
 * libopus as WebAssembly, from the package `opusscript`, whose compiled module is used without the package's own wrapper:
 * that one counts memory in the wrong unit and writes outside of what it allocated. Nothing here touches a file but the load.
 * One instance per thread serves all coders, which run to the end one by one; so the two transfer areas are shared.
 */
import loadModule from 'opusscript/build/opusscript_native_wasm.js'

/** libopus decodes at most 120 ms at 48 kHz (RFC 6716 2.1.4). */
const SAMPLES_MAX = 5_760
/** More than any packet: three frames at the codec's most, as the module itself allows. */
const OCTETS_MAX = 3_828

/** One encoder and one decoder. Addresses are octets of the module's memory; results below zero are libopus' errors. */
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
    destroy_handler(handler: OpusHandler): void
  }
  _malloc(octets: number): number
}

const APPLICATION_VOIP = 2_048

class OpusNative {
  readonly #module: OpusModule
  readonly #packetAt: number
  readonly #samplesAt: number

  constructor() {
    this.#module = loadModule() as OpusModule
    this.#packetAt = this.#module._malloc(OCTETS_MAX)
    this.#samplesAt = this.#module._malloc(SAMPLES_MAX * 4)
    this.#wipe(this.#packetAt, OCTETS_MAX)
    this.#wipe(this.#samplesAt, SAMPLES_MAX * 4)
  }

  open(sampleRateHz: number): OpusHandler {
    return new this.#module.OpusScriptHandler(sampleRateHz, 1, APPLICATION_VOIP)
  }

  close(handler: OpusHandler): void {
    this.#module.OpusScriptHandler.destroy_handler(handler)
  }

  /** What the module holds in all; it grows with the coders that are open at once, about 90 kB each, and never shrinks. */
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
