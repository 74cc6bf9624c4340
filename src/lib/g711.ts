/**
 * ITU-T G.711: one octet per sample, A-law and µ-law, to and from 16-bit linear samples, by tables.
 * It lives in lib because WAV files hold it too; for RTP import it from `cde/media/g711.ts`.
 * Linear values are left-justified as in the ITU's own software (13-bit A-law · 8, 14-bit µ-law · 4).
 */

/** Codec names as in SDP (RFC 3551 6). */
export type G711Codec = 'PCMU' | 'PCMA'

// G.711 table 1 note 2: even bits of an A-law octet are inverted before transmission.
const ALAW_INVERTED_BITS = 0x55
// G.711 table 2: the µ-law scale is shifted by 33 of its 14-bit units, that is 132 of ours.
const MULAW_BIAS = 132

const decodeTables = {
  PCMA: Int16Array.from({ length: 256 }, (_, octet) => alawToLinear(octet)),
  PCMU: Int16Array.from({ length: 256 }, (_, octet) => mulawToLinear(octet)),
} as const

// Indexed by the sample's upper bits: 12 tell all A-law intervals apart, 14 all µ-law intervals.
const alawByUpperBits = Uint8Array.from({ length: 4_096 }, (_, index) => linearToAlaw((index << 20) >> 20))
const mulawByUpperBits = Uint8Array.from({ length: 16_384 }, (_, index) => linearToMulaw((index << 18) >> 18))

const transcodeTables = {
  PCMA: Uint8Array.from(decodeTables.PCMU, (sample) => alawByUpperBits[(sample >> 4) & 0xfff] ?? 0),
  PCMU: Uint8Array.from(decodeTables.PCMA, (sample) => mulawByUpperBits[(sample >> 2) & 0x3fff] ?? 0),
} as const

/** Octets of G.711 to linear samples, one per octet. @param samples where they go; of the octets' length */
export function decodeG711(
  codec: G711Codec,
  octets: Uint8Array,
  samples: Int16Array = new Int16Array(octets.length),
): Int16Array {
  const table = decodeTables[codec]
  for (let i = 0; i < octets.length; i++) samples[i] = table[octets[i] as number] as number
  return samples
}

/** Linear samples to octets of G.711, each to the interval that holds it. @param octets where they go; of the samples' length */
export function encodeG711(
  codec: G711Codec,
  samples: Int16Array,
  octets: Uint8Array = new Uint8Array(samples.length),
): Uint8Array {
  if (codec === 'PCMA') {
    for (let i = 0; i < samples.length; i++)
      octets[i] = alawByUpperBits[((samples[i] as number) >> 4) & 0xfff] as number
  } else {
    for (let i = 0; i < samples.length; i++) {
      octets[i] = mulawByUpperBits[((samples[i] as number) >> 2) & 0x3fff] as number
    }
  }
  return octets
}

/** Octets of one law to octets of the other; always a copy. */
export function transcodeG711(octets: Uint8Array, from: G711Codec, to: G711Codec): Uint8Array {
  if (from === to) return octets.slice()
  const table = transcodeTables[to]
  return octets.map((octet) => table[octet] ?? 0)
}

/** The octet of the smallest positive value: what a silent line sends. */
export function silenceOctet(codec: G711Codec): number {
  return codec === 'PCMA' ? 0xd5 : 0xff
}

function alawToLinear(octet: number): number {
  const code = octet ^ ALAW_INVERTED_BITS
  const segment = (code >> 4) & 7
  // The middle of the interval; segments 0 and 1 have the same step, above them the step doubles.
  const middle = ((code & 15) << 4) + 8
  const magnitude = segment === 0 ? middle : (middle + 256) << (segment - 1)
  return (code & 0x80) !== 0 ? magnitude : -magnitude
}

function mulawToLinear(octet: number): number {
  const code = ~octet & 0xff
  const magnitude = ((((code & 15) << 3) + MULAW_BIAS) << ((code >> 4) & 7)) - MULAW_BIAS
  return (code & 0x80) !== 0 ? -magnitude : magnitude
}

/** @param value 12-bit signed; negative values in ones' complement order, so that both halves mirror exactly. */
function linearToAlaw(value: number): number {
  const magnitude = value < 0 ? ~value : value
  const sign = value < 0 ? 0 : 0x80
  // Segment 0 is linear; above it the segment is the place of the leading bit.
  const segment = Math.max(0, 28 - Math.clz32(magnitude))
  const step = segment < 2 ? magnitude & 15 : (magnitude >> (segment - 1)) & 15
  return (sign | (segment << 4) | step) ^ ALAW_INVERTED_BITS
}

/** @param value 14-bit signed, ones' complement order as above. */
function linearToMulaw(value: number): number {
  const magnitude = Math.min((value < 0 ? ~value : value) + MULAW_BIAS / 4, 0x1fff)
  const segment = 26 - Math.clz32(magnitude)
  const code = (segment << 4) | ((magnitude >> (segment + 1)) & 15)
  return ~(code | (value < 0 ? 0x80 : 0)) & 0xff
}
