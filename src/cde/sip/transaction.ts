import type { SipResponse } from './message.ts'

/** What a transaction machine wants done. */
export type Action =
  | { readonly type: 'send'; readonly datagram: Uint8Array }
  /** For the transaction user (RFC 3261 5): the core that started the request. */
  | { readonly type: 'response'; readonly response: SipResponse }
  /** Client: no answer came. INVITE server: no ACK came. */
  | { readonly type: 'timeout' }
  | { readonly type: 'unsendable' }
  /** A repetition or a late message was taken in and needs nothing: counted, never silent. */
  | { readonly type: 'absorbed' }

export const absorbed: readonly Action[] = [{ type: 'absorbed' }]

/**
 * Checks a transition against the machine's table of legal predecessors. An illegal one is a fault of ours: it throws.
 */
export function moved<State extends string>(
  predecessors: Readonly<Record<State, readonly State[]>>,
  from: State,
  to: State,
): State {
  if (!predecessors[to].includes(from)) throw new Error(`illegal transition from ${from} to ${to}`)
  return to
}

/** The earliest of some times. */
export function earliest(...times: readonly (number | undefined)[]): number | undefined {
  let first: number | undefined
  for (const time of times) if (time !== undefined && (first === undefined || time < first)) first = time
  return first
}
