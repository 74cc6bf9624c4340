import { srtpLimits } from '../../../lib/limits.ts'
import { makeTransform } from './make-transform.ts'
import type { MasterKey } from './master-key.ts'
import { isTooLong, rtpHeaderOctets, type SrtpProblem } from './packet.ts'
import { ReplayWindow } from './replay-window.ts'
import { estimatedRollover, packetIndex, ROLLOVER_MAX, RTCP_INDEX_MAX } from './rollover.ts'
import type { Suite } from './suites.ts'
import { readUint32, RTCP_HEADER_OCTETS, type Transform } from './transform.ts'

/**
 * What we send under one master key. Never uses an index twice (RFC 3711 9.1: a keystream used twice gives both packets away):
 * what would is refused. We send no MKI.
 */
export class SrtpSender {
  readonly rtpOverheadOctets: number
  readonly rtcpOverheadOctets: number
  readonly #transform: Transform
  readonly #sources = new Map<number, ReplayWindow>()
  readonly #index = { rollover: 0, sequence: 0 }
  // RFC 3711 3.2.1: counts all SRTCP packets under the key, whatever their SSRC.
  #rtcpIndex = 0

  constructor(suite: Suite, master: MasterKey) {
    this.#transform = makeTransform(suite, master)
    this.rtpOverheadOctets = this.#transform.rtpTagOctets
    this.rtcpOverheadOctets = this.#transform.rtcpTrailerOctets
  }

  /** In place. @param packet with room for `rtpOverheadOctets` behind `length`. @returns the new length */
  protectRtp(packet: Uint8Array, length: number): number | SrtpProblem {
    const headerOctets = rtpHeaderOctets(packet, length)
    if (typeof headerOctets === 'string') return headerOctets
    if (isTooLong(length) || length + this.rtpOverheadOctets > packet.length) return 'too-long'
    const ssrc = readUint32(packet, 8)
    const sequence = ((packet[2] ?? 0) << 8) | (packet[3] ?? 0)
    const source = this.#source(ssrc)
    if (source === undefined) return 'too-many-sources'
    const rollover = estimatedRollover(source.highest, sequence)
    if (rollover < 0) return 'too-old'
    if (rollover > ROLLOVER_MAX) return 'key-used-up'
    const index = packetIndex(rollover, sequence)
    const known = source.check(index)
    if (known !== 'new') return known
    source.mark(index)
    this.#index.rollover = rollover
    this.#index.sequence = sequence
    return this.#transform.sealRtp(packet, headerOctets, length, ssrc, this.#index)
  }

  /** In place. @param packet a compound packet with room for `rtcpOverheadOctets`. @returns the new length */
  protectRtcp(packet: Uint8Array, length: number): number | SrtpProblem {
    if (length < RTCP_HEADER_OCTETS) return 'short'
    if (isTooLong(length) || length + this.rtcpOverheadOctets > packet.length) return 'too-long'
    if (this.#rtcpIndex >= RTCP_INDEX_MAX) return 'key-used-up'
    return this.#transform.sealRtcp(packet, length, readUint32(packet, 4), ++this.#rtcpIndex)
  }

  wipe(): void {
    this.#transform.wipe()
  }

  #source(ssrc: number): ReplayWindow | undefined {
    const known = this.#sources.get(ssrc)
    if (known !== undefined) return known
    if (this.#sources.size >= srtpLimits.sourcesMax) return undefined
    const added = new ReplayWindow()
    this.#sources.set(ssrc, added)
    return added
  }
}
