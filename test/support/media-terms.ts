import type { MediaTerms } from '../../src/cde/call/media-orders.ts'

/** What offers and answers in the clear settled, where the peers use their own payload type numbers. */
export function plainTerms(sessions: MediaTerms['sessions']): MediaTerms {
  return {
    sessions,
    ownFormats: { caller: [], agent: [] },
    keys: { caller: undefined, agent: undefined },
  }
}
