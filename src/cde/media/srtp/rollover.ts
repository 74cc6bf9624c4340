const SEQUENCES = 2 ** 16
const HALF = 2 ** 15

/**
 * RFC 3711 3.3.1 and appendix A: the rollover counter that a sequence number most likely belongs to.
 * @param highest the highest packet index authenticated so far (rollover counter · 2^16 + sequence), −1 for none
 * @returns −1 for a packet from before the first turn
 */
export function estimatedRollover(highest: number, sequence: number): number {
  if (highest < 0) return 0
  const rollover = Math.floor(highest / SEQUENCES)
  const highestSequence = highest % SEQUENCES
  if (highestSequence < HALF) return sequence - highestSequence > HALF ? rollover - 1 : rollover
  return highestSequence - HALF > sequence ? rollover + 1 : rollover
}

export function packetIndex(rollover: number, sequence: number): number {
  return rollover * SEQUENCES + sequence
}

/** RFC 3711 9.2: at most 2^48 RTP and 2^31 RTCP packets under one key. */
export const ROLLOVER_MAX = 2 ** 32 - 1
export const RTCP_INDEX_MAX = 2 ** 31 - 1
