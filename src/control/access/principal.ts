/**
 * Who is asking. An API key acts for its merchant; a widget token acts for one call of one merchant and nothing else.
 */
import type { StoredKey } from '../store/access.ts'
import { allApiKeys, widgetTokenById } from '../store/access.ts'
import type { Db } from '../store/open.ts'
import { hashOf, sameHash } from './secrets.ts'
import { TOKEN_PATTERN } from './widget-tokens.ts'

export type Principal =
  | { readonly kind: 'key'; readonly merchant: string; readonly name: string }
  | { readonly kind: 'widget'; readonly merchant: string; readonly callId: string; readonly expiresAtMs: number }

/**
 * @param secret what followed `Bearer ` in the request
 * @returns who it is, or undefined for a wrong, unknown or expired secret
 */
export async function principalOf(db: Db, secret: string, nowMs: number): Promise<Principal | undefined> {
  const token = TOKEN_PATTERN.exec(secret)
  if (token?.groups !== undefined) {
    const { id = '', secret: part = '' } = token.groups
    return widgetPrincipal(db, id, part, nowMs)
  }
  return keyPrincipal(await allApiKeys(db), secret)
}

async function widgetPrincipal(db: Db, id: string, secret: string, nowMs: number): Promise<Principal | undefined> {
  const stored = await widgetTokenById(db, id)
  if (stored === undefined || !sameHash(stored.secret_hash, hashOf(secret))) return undefined
  if (nowMs >= stored.expires_at_ms) return undefined
  return { kind: 'widget', merchant: stored.merchant_id, callId: stored.call_id, expiresAtMs: stored.expires_at_ms }
}

/** Every key is compared, whichever fits, so that the time tells nothing. */
function keyPrincipal(keys: readonly StoredKey[], secret: string): Principal | undefined {
  const hash = hashOf(secret)
  let found: Principal | undefined
  for (const key of keys) {
    if (sameHash(key.secret_hash, hash)) found = { kind: 'key', merchant: key.merchant_id, name: key.name }
  }
  return found
}
