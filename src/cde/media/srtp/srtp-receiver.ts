import { srtpLimits } from '../../../lib/limits.ts'
import { makeTransform } from './make-transform.ts'
import type { MasterKey } from './master-key.ts'
import { isTooLong, rtpHeaderOctets, type SrtpProblem } from './packet.ts'
import { ReplayWindow } from './replay-window.ts'
import { estimatedRollover, packetIndex, ROLLOVER_MAX } from './rollover.ts'
import type { Suite } from './suites.ts'
import { E_BIT, readUint32, RTCP_HEADER_OCTETS, type Transform } from './transform.ts'

/** A key of the peer's `a=crypto` line. */
export interface PeerKey {
  readonly master: MasterKey
  /** Empty where the line names none; all keys of a line have MKIs of one length. */
  readonly mki: Uint8Array
  /** RFC 4568 6.1: how many packets may come under it. */
  readonly lifetimePackets: number
}

interface ReceiveKey {
  readonly mki: Uint8Array
  readonly transform: Transform
  packetsLeft: number
}

/**
 * What a peer sends under the keys of one `a=crypto` line. A packet is authenticated before anything is learned from it: its
 * source, its place and the rollover counter are noted only afterwards (RFC 3711 3.3).
 */
export class SrtpReceiver {
  readonly #keys: readonly ReceiveKey[]
  readonly #mkiOctets: number
  readonly #rtp = new Map<number, ReplayWindow>()
  readonly #rtcp = new Map<number, ReplayWindow>()
  readonly #before: ReadonlyMap<number, number>
  readonly #index = { rollover: 0, sequence: 0 }

  /**
   * @param keys at least one
   * @param before `highest` of the receiver whose keys these replace. Some peers go on counting rollovers under a new key,
   * some begin at 0 again: the first packet of a source shows which, for only one of the two authenticates.
   */
  constructor(suite: Suite, keys: readonly PeerKey[], before: ReadonlyMap<number, number> = new Map()) {
    this.#keys = keys.map(({ master, mki, lifetimePackets }) => ({
      mki,
      transform: makeTransform(suite, master),
      packetsLeft: lifetimePackets,
    }))
    this.#mkiOctets = keys[0]?.mki.length ?? 0
    this.#before = before
  }

  /** In place; a refused packet is unchanged. @returns the length of the RTP packet in it */
  unprotectRtp(packet: Uint8Array, length: number): number | SrtpProblem {
    if (isTooLong(length)) return 'too-long'
    const key = this.#keyOf('rtp', packet, length)
    if (typeof key === 'string') return key
    const headerOctets = rtpHeaderOctets(packet, length - this.#mkiOctets - key.transform.rtpTagOctets)
    if (typeof headerOctets === 'string') return headerOctets
    const ssrc = readUint32(packet, 8)
    const sequence = ((packet[2] ?? 0) << 8) | (packet[3] ?? 0)
    const source = this.#rtp.get(ssrc)
    if (source === undefined) return this.#firstOfSource(key, packet, headerOctets, length, ssrc, sequence)
    const rollover = estimatedRollover(source.highest, sequence)
    return this.#open(key, source, packet, headerOctets, length, ssrc, rollover, sequence)
  }

  /** In place; a refused packet is unchanged. @returns the length of the RTCP packet in it */
  unprotectRtcp(packet: Uint8Array, length: number): number | SrtpProblem {
    if (isTooLong(length)) return 'too-long'
    const key = this.#keyOf('rtcp', packet, length)
    if (typeof key === 'string') return key
    const { transform } = key
    if (length < RTCP_HEADER_OCTETS + transform.rtcpTrailerOctets + this.#mkiOctets) return 'short'
    const word = readUint32(packet, transform.rtcpIndexAt(length, this.#mkiOctets))
    // UNENCRYPTED_SRTCP is never agreed, so a packet without the E bit is nobody's we know.
    if (word < E_BIT) return 'unencrypted'
    const index = word - E_BIT
    const ssrc = readUint32(packet, 4)
    const source = this.#rtcp.get(ssrc)
    const known = source?.check(index) ?? 'new'
    if (known !== 'new') return known
    if (source === undefined && this.#rtcp.size >= srtpLimits.sourcesMax) return 'too-many-sources'
    const opened = transform.openRtcp(packet, length, ssrc, index, this.#mkiOctets)
    if (opened === 'auth-failed') return opened
    key.packetsLeft--
    noted(this.#rtcp, source, ssrc).mark(index)
    return opened
  }

  /** The highest packet index of each source. */
  highest(): ReadonlyMap<number, number> {
    return new Map([...this.#rtp].map(([ssrc, { highest }]) => [ssrc, highest]))
  }

  wipe(): void {
    for (const { transform } of this.#keys) transform.wipe()
  }

  #firstOfSource(
    key: ReceiveKey,
    packet: Uint8Array,
    headerOctets: number,
    length: number,
    ssrc: number,
    sequence: number,
  ): number | SrtpProblem {
    if (this.#rtp.size >= srtpLimits.sourcesMax) return 'too-many-sources'
    const goingOn = estimatedRollover(this.#before.get(ssrc) ?? -1, sequence)
    if (goingOn > 0) {
      const opened = this.#open(key, undefined, packet, headerOctets, length, ssrc, goingOn, sequence)
      if (opened !== 'auth-failed') return opened
    }
    return this.#open(key, undefined, packet, headerOctets, length, ssrc, 0, sequence)
  }

  #open(
    key: ReceiveKey,
    source: ReplayWindow | undefined,
    packet: Uint8Array,
    headerOctets: number,
    length: number,
    ssrc: number,
    rollover: number,
    sequence: number,
  ): number | SrtpProblem {
    if (rollover < 0) return 'too-old'
    if (rollover > ROLLOVER_MAX) return 'key-used-up'
    const index = packetIndex(rollover, sequence)
    const known = source?.check(index) ?? 'new'
    if (known !== 'new') return known
    this.#index.rollover = rollover
    this.#index.sequence = sequence
    const opened = key.transform.openRtp(packet, headerOctets, length, ssrc, this.#index, this.#mkiOctets)
    if (opened === 'auth-failed') return opened
    key.packetsLeft--
    noted(this.#rtp, source, ssrc).mark(index)
    return opened
  }

  #keyOf(kind: 'rtp' | 'rtcp', packet: Uint8Array, length: number): ReceiveKey | SrtpProblem {
    const [first] = this.#keys
    if (first === undefined) return 'mki-unknown'
    if (this.#mkiOctets === 0) return first.packetsLeft > 0 ? first : 'key-used-up'
    const at = first.transform.mkiAt(kind, length, this.#mkiOctets)
    if (at < 0) return 'short'
    // The MKI is no secret: it is read in the clear from every packet.
    const key = this.#keys.find(({ mki }) => mki.every((octet, i) => packet[at + i] === octet))
    if (key === undefined) return 'mki-unknown'
    return key.packetsLeft > 0 ? key : 'key-used-up'
  }
}

function noted(windows: Map<number, ReplayWindow>, known: ReplayWindow | undefined, ssrc: number): ReplayWindow {
  if (known !== undefined) return known
  const added = new ReplayWindow()
  windows.set(ssrc, added)
  return added
}
