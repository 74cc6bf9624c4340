/** Tokens for the agent's page: random, stored hashed, good for one call and half an hour. */
import { TonewallError } from '../../lib/errors.ts'
import { newId } from '../../lib/ids.ts'
import { controlLimits } from '../../lib/limits.ts'
import type { RandomBytes } from '../../lib/random.ts'
import { countWidgetTokens, insertWidgetToken } from '../store/access.ts'
import { lettersOf } from '../store/letters.ts'
import type { Db } from '../store/open.ts'
import { hashOf } from './secrets.ts'

/** `tw_`, the row's id, a dot, 32 random octets in letters: no digit, so no scanner mistakes it for a card number. */
export const TOKEN_PATTERN = /^tw_(?<id>[A-Z]{18})\.(?<secret>[a-p]{64})$/

export interface WidgetToken {
  readonly token: string
  readonly expiresAtMs: number
}

/** @throws TonewallError TOO_MANY when the call has too many live tokens */
export async function issueWidgetToken(
  db: Db,
  call: { readonly merchant: string; readonly callId: string },
  random: RandomBytes,
  nowMs: number,
): Promise<WidgetToken> {
  const live = await countWidgetTokens(db, call.callId, nowMs)
  if (live >= controlLimits.widgetTokensPerCallMax) throw new TonewallError('TOO_MANY')
  const id = newId(random)
  const secret = lettersOf(random(32))
  const expiresAtMs = nowMs + controlLimits.widgetTokenMs
  await insertWidgetToken(db, {
    id,
    merchant_id: call.merchant,
    call_id: call.callId,
    secret_hash: hashOf(secret),
    expires_at_ms: expiresAtMs,
  })
  return { token: `tw_${id}.${secret}`, expiresAtMs }
}
