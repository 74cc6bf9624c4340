/** Opus packets in and out of an Ogg file (RFC 3533, RFC 7845), for programs that speak no RTP. */

const CRC_POLYNOMIAL = 0x04c11db7
const PAGE_HEADER_OCTETS = 27
const BEGIN = 2
const END = 4

/** @param packets 20 ms each unless `frame48k` says otherwise. @param channels as the identification header states them */
export function writeOggOpus(packets: readonly Uint8Array[], channels = 1, frame48k = 960): Uint8Array {
  const head = Buffer.concat([Buffer.from('OpusHead'), Buffer.from([1, channels, 0, 0, 0x80, 0xbb, 0, 0, 0, 0, 0])])
  const tags = Buffer.concat([Buffer.from('OpusTags'), Buffer.alloc(8)])
  const pages = [page(head, 0, 0n, BEGIN), page(tags, 1, 0n, 0)]
  for (const [index, packet] of packets.entries()) {
    const isLast = index === packets.length - 1
    pages.push(page(packet, index + 2, BigInt((index + 1) * frame48k), isLast ? END : 0))
  }
  return Buffer.concat(pages)
}

/** The packets of the one stream in `file`, without its two headers. */
export function readOggOpus(file: Uint8Array): Uint8Array[] {
  const packets: Uint8Array[] = []
  let begun: Uint8Array[] = []
  for (let at = 0; at + PAGE_HEADER_OCTETS <= file.length; ) {
    const lacing = file.subarray(at + PAGE_HEADER_OCTETS, at + PAGE_HEADER_OCTETS + (file[at + 26] ?? 0))
    at += PAGE_HEADER_OCTETS + lacing.length
    // RFC 3533 5: a segment of 255 octets goes on in the next one.
    for (const octets of lacing) {
      begun.push(file.subarray(at, at + octets))
      at += octets
      if (octets === 255) continue
      packets.push(Buffer.concat(begun))
      begun = []
    }
  }
  return packets.slice(2)
}

function page(packet: Uint8Array, sequence: number, granule: bigint, flags: number): Buffer {
  const segments = Math.floor(packet.length / 255) + 1
  const header = Buffer.alloc(PAGE_HEADER_OCTETS + segments, 255)
  header.write('OggS', 0, 'latin1')
  header[4] = 0
  header[5] = flags
  header.writeBigUInt64LE(granule, 6)
  header.writeUInt32LE(1, 14)
  header.writeUInt32LE(sequence, 18)
  header.writeUInt32LE(0, 22)
  header[26] = segments
  header[header.length - 1] = packet.length % 255
  const whole = Buffer.concat([header, packet])
  whole.writeUInt32LE(crc(whole), 22)
  return whole
}

function crc(octets: Uint8Array): number {
  let value = 0
  for (const octet of octets) {
    value ^= octet << 24
    for (let bit = 0; bit < 8; bit++) value = value < 0 ? (value << 1) ^ CRC_POLYNOMIAL : value << 1
  }
  return value >>> 0
}
