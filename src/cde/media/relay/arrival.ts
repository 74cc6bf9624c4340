/** One datagram, or the end of a port's receive. One object serves all. */
export interface Arrival {
  index: number
  generation: number
  /** Octets of the datagram; negative for an errno. */
  length: number
  /** Where it lies in `Ring.octets`. */
  start: number
  /** Where its source's sockaddr lies. */
  sourceAt: number
  /** It was longer than a buffer. */
  isCut: boolean
  /** False: the port's receive has ended. */
  goesOn: boolean
}

/** @returns the object that a ring fills */
export function noArrival(): Arrival {
  return { index: 0, generation: 0, length: 0, start: 0, sourceAt: 0, isCut: false, goesOn: false }
}
