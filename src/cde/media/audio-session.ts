import type { Address } from '../../lib/address.ts'

/** Names as in `a=rtpmap`, letter case folded (RFC 8866 6.6: encoding names are case-insensitive). */
export type AudioCodec = 'PCMU' | 'PCMA' | 'telephone-event'

export interface AudioFormat {
  /** 0–127 */
  readonly payloadType: number
  readonly codec: AudioCodec
  readonly clockHz: number
}

export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive'

/** One side's audio as it states it in its SDP: where to send, in what, and how. */
export interface AudioSession {
  readonly remote: Address
  readonly remoteRtcp: Address
  /** In the peer's order of preference; only formats that we know. */
  readonly formats: readonly AudioFormat[]
  /** As the peer states it. A hold spelt `c=0.0.0.0` reads as `sendonly`, or `inactive` where it says so (SIP-06). */
  readonly direction: Direction
  /** 10–60 as stated; 20 where missing or unusable. */
  readonly ptimeMs: number
}
