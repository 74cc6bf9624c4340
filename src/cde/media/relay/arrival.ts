/** One completion of a receive: a datagram, an error, or the receive's end. One object serves all. */
export interface Arrival {
  slot: number
  generation: number
  /** Octets that were written, or a negative errno. */
  result: number
  /** Where they lie in `Ring.octets`, −1 for nowhere. */
  start: number
  /** False: the receive has ended. */
  goesOn: boolean
}

/** @returns the object that a ring fills */
export function noArrival(): Arrival {
  return { slot: 0, generation: 0, result: 0, start: 0, goesOn: false }
}
