import { TonewallError } from '../../lib/errors.ts'
import type { Principal } from '../access/principal.ts'
import { maySee, requireCall } from '../access/scope.ts'
import { callById } from '../store/calls.ts'
import type { Db } from '../store/open.ts'
import type { CallRow } from '../store/schema.ts'

/** @throws TonewallError FORBIDDEN, CALL_UNKNOWN */
export async function visibleCall(db: Db, principal: Principal, callId: string): Promise<CallRow> {
  requireCall(principal, callId)
  const row = await callById(db, callId)
  if (row === undefined || !maySee(principal, { ...row, call_id: row.id })) throw new TonewallError('CALL_UNKNOWN')
  return row
}
