/** One table from SIP final answers to our words (STYLE rule 11): whose fault it was, and what happened. */
import type { Report } from '../../wall/messages.ts'

type CallEnded = Extract<Report, { type: 'call-ended' }>
export type CallVerdict = Pick<CallEnded, 'result' | 'reason'>

/** The verdict on a call whose agent side answered INVITE with this final status (RFC 3261 section 21). */
export function verdictOf(status: number): CallVerdict {
  const known: Readonly<Record<number, CallVerdict>> = {
    404: { result: 'upstream', reason: 'unreachable' },
    408: { result: 'upstream', reason: 'no-answer' },
    480: { result: 'upstream', reason: 'no-answer' },
    482: { result: 'upstream', reason: 'loop' },
    483: { result: 'upstream', reason: 'loop' },
    486: { result: 'success', reason: 'busy' },
    487: { result: 'success', reason: 'cancelled' },
    488: { result: 'upstream', reason: 'not-acceptable' },
    503: { result: 'upstream', reason: 'unreachable' },
    600: { result: 'success', reason: 'busy' },
    603: { result: 'success', reason: 'declined' },
    606: { result: 'upstream', reason: 'not-acceptable' },
  }
  return known[status] ?? { result: status >= 500 && status < 600 ? 'upstream' : 'client', reason: 'failed' }
}
