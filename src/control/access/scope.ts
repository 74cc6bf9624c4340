import { TonewallError } from '../../lib/errors.ts'
import type { Principal } from './principal.ts'

/** True when the principal may see something that belongs to this merchant and call. */
export function maySee(
  principal: Principal,
  thing: { readonly merchant_id: string; readonly call_id: string },
): boolean {
  if (principal.merchant !== thing.merchant_id) return false
  return principal.kind === 'key' || principal.callId === thing.call_id
}

/** A widget token is refused for any call but its own before the call is even looked up, so it learns nothing of others. */
export function requireCall(principal: Principal, callId: string): void {
  if (principal.kind === 'widget' && principal.callId !== callId) throw new TonewallError('FORBIDDEN')
}

/** For what only an API key may do. */
export function requireKey(principal: Principal): void {
  if (principal.kind !== 'key') throw new TonewallError('FORBIDDEN')
}
