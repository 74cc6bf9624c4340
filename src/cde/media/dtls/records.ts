/** Datagrams that hold DTLS records (RFC 6347 4.1), seen from outside: which they are, and where one record ends. */

/**
 * RFC 7983 7: on a port that RTP shares with DTLS the first octet tells them apart.
 *
 *   0–3 STUN, 16–19 ZRTP, 20–63 DTLS, 64–79 TURN, 128–191 RTP and RTCP
 */
export function isDtls(datagram: Uint8Array): boolean {
  const [first = 0] = datagram
  return first >= 20 && first <= 63
}

/** Type, version, epoch, sequence number, length. */
const HEADER_OCTETS = 13

/**
 * OpenSSL's flights come out as one row of records. RFC 6347 4.1.1: a record fits into a datagram; several may share one.
 * @returns the datagrams to send, views of `row`; what is no whole record at the end is left out
 */
export function datagramsOf(row: Uint8Array, datagramOctetsMax: number): readonly Uint8Array[] {
  const datagrams: Uint8Array[] = []
  let start = 0
  let at = 0
  while (at + HEADER_OCTETS <= row.length) {
    const end = at + HEADER_OCTETS + ((row[at + 11] ?? 0) << 8) + (row[at + 12] ?? 0)
    if (end > row.length) break
    if (end - start > datagramOctetsMax && at > start) {
      datagrams.push(row.subarray(start, at))
      start = at
    }
    at = end
  }
  if (at > start) datagrams.push(row.subarray(start, at))
  return datagrams
}
