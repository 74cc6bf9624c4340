import type { Address } from '../../lib/address.ts'
import { newId } from '../../lib/ids.ts'
import { sipLimits } from '../../lib/limits.ts'
import { cseqOf } from './check.ts'
import { type Core, content } from './core.ts'
import { dialogKeyOfRequest, uasDialog } from './dialog.ts'
import { endLeg, reasonHeader } from './ending.ts'
import { parseNumber } from './grammar.ts'
import type { IncomingInvite, Leg } from './leg.ts'
import { type Header, headerValue, type SipRequest, type SipResponse } from './message.ts'
import { awaitAck, newOffers, sendQueuedOffer } from './offers.ts'
import { ProvisionalRepeat } from './provisional-repeat.ts'
import { responseTo } from './responses.ts'
import type { ResponseExtra } from './user-agent-types.ts'

/** SIP-34. */
export const RETRY_LATER: Header = { name: 'Retry-After', value: String(sipLimits.retryAfterS) }

/** A new call for us, RFC 3261 13.3; the request has passed all checks. */
export function onInvite(core: Core, request: SipRequest, source: Address, nowMs: number): void {
  const transaction = core.legs.size < sipLimits.legsMax ? core.transactions.serve(request, source) : undefined
  if (transaction === undefined) {
    core.count('sip_calls_full')
    core.answerStateless(request, source, 503, { headers: [RETRY_LATER] })
    return
  }
  const localTag = core.token()
  const usage: IncomingInvite = {
    role: 'uas',
    request,
    transaction,
    localTag,
    repeater: new ProvisionalRepeat(core, transaction, responseTo(request, 100), nowMs),
    byeWanted: false,
    hangUpReason: undefined,
  }
  const dialog = uasDialog(request, localTag)
  const leg: Leg = {
    id: newId(core.options.random),
    state: 'early',
    usage,
    dialog,
    peer: source,
    repeats: new Map(),
    offers: newOffers((atMs) => sendQueuedOffer(core, leg, atMs)),
  }
  core.legs.set(leg.id, leg)
  core.incoming.set(transaction, leg)
  core.holdDialog(leg, dialog)
  core.emit({
    type: 'incoming',
    ...content(leg, request),
    requestUri: request.uri,
    from: headerValue(request, 'From') ?? '',
    to: headerValue(request, 'To') ?? '',
    headers: request.headers,
    source,
    maxForwards: parseNumber(headerValue(request, 'Max-Forwards') ?? '', 255) ?? sipLimits.maxForwardsDefault,
  })
}

/** A provisional answer, 101 to 199, to an incoming call. */
export function ring(core: Core, leg: Leg, status: number, extra: ResponseExtra, nowMs: number): void {
  if (leg.usage.role !== 'uas' || leg.state !== 'early' || status < 101 || status > 199) return
  leg.usage.repeater.send(answerOf(core, leg.usage, status, extra), nowMs)
}

/** 200 to an incoming call, repeated until its ACK. */
export function answer(core: Core, leg: Leg, extra: ResponseExtra, nowMs: number): void {
  const { usage } = leg
  if (usage.role !== 'uas' || leg.state !== 'early') return
  usage.repeater.stop()
  leg.state = 'answered'
  const response = answerOf(core, usage, 200, extra)
  usage.transaction.respond(response, nowMs)
  awaitAck(core, leg, usage.request, usage.transaction, response, nowMs)
}

/**
 * A refusal, 300 to 699, of an incoming call. It is the last thing on the leg. Before anything was answered it is sent once
 * and forgotten (RFC 3261 8.2.7), so that a flood of calls to nowhere holds nothing: a repetition is a new call, refused anew.
 */
export function reject(
  core: Core,
  leg: Leg,
  status: number,
  extra: ResponseExtra & { readonly reason?: string | undefined },
  nowMs: number,
): void {
  const { usage } = leg
  if (usage.role !== 'uas' || leg.state !== 'early' || status < 300 || status > 699) return
  const { silent } = usage.repeater
  endIncoming(core, leg, nowMs)
  const extraHeaders = [...(status === 503 ? [RETRY_LATER] : []), ...core.extraHeaders(extra.headers)]
  if (silent) {
    usage.transaction.forget()
    core.answerStateless(usage.request, leg.peer, status, { ...extra, headers: extraHeaders })
    return
  }
  const headers = [...serverHeaders(core), ...extraHeaders]
  usage.transaction.respond(responseTo(usage.request, status, { ...extra, toTag: usage.localTag, headers }), nowMs)
}

/**
 * CANCEL of an INVITE that has come (RFC 3261 9.2). For one that is finished: 200 to the CANCEL, nothing else
 * (SIP-10).
 */
export function onCancel(core: Core, request: SipRequest, source: Address, nowMs: number): void {
  const invite = core.transactions.find(request, 'INVITE')
  // CANCEL goes hop by hop (RFC 3261 9.1): from where the INVITE came, or it is none of ours.
  if (invite?.to.host !== source.host) {
    core.count('sip_stray_cancel')
    return
  }
  const leg = core.incoming.get(invite)
  const usage = leg?.usage.role === 'uas' ? leg.usage : undefined
  const cancel = core.transactions.serve(request, source)
  cancel?.respond(responseTo(request, 200, { toTag: usage?.localTag }), nowMs)
  if (leg === undefined || usage === undefined || !invite.open) return cancelReinvite(core, request, nowMs)
  endIncoming(core, leg, nowMs)
  invite.respond(responseTo(usage.request, 487, { toTag: usage.localTag, headers: serverHeaders(core) }), nowMs)
  core.emit({ type: 'cancelled', leg: leg.id, headers: request.headers })
}

/** Their re-INVITE is cancelled: 487, and the lock is free again; a late answerOffer finds nothing. */
function cancelReinvite(core: Core, cancel: SipRequest, nowMs: number): void {
  const leg = core.dialogs.get(dialogKeyOfRequest(cancel))?.leg
  const open = leg?.offers.open
  if (leg === undefined || open?.by !== 'them' || open.request.method !== 'INVITE') return
  if (cseqOf(open.request)?.number !== cseqOf(cancel)?.number) return
  leg.offers.open = undefined
  open.transaction.respond(responseTo(open.request, 487), nowMs)
  core.emit({ type: 'offer-withdrawn', leg: leg.id })
  sendQueuedOffer(core, leg, nowMs)
}

function endIncoming(core: Core, leg: Leg, nowMs: number): void {
  endLeg(core, leg, nowMs)
  if (leg.dialog !== undefined) core.dropDialog(leg.dialog)
}

function answerOf(core: Core, usage: IncomingInvite, status: number, extra: ResponseExtra): SipResponse {
  // RFC 3261 12.1.1: Record-Route goes back as it came; Contact and tag make the dialog.
  const routes = usage.request.headers.filter((header) => header.name.toLowerCase() === 'record-route')
  const headers = [...routes, ...core.dialogHeaders(), ...serverHeaders(core), ...core.extraHeaders(extra.headers)]
  return responseTo(usage.request, status, { ...extra, toTag: usage.localTag, headers })
}

function serverHeaders(core: Core): Header[] {
  return [{ name: 'Server', value: core.options.userAgent }]
}

/** The 487 of an INVITE whose caller sent BYE instead of CANCEL (RFC 3261 15.1.2). */
export function terminateEarly(core: Core, leg: Leg, usage: IncomingInvite, nowMs: number): void {
  const headers = [...serverHeaders(core), ...reasonHeader(usage.hangUpReason)]
  usage.transaction.respond(responseTo(usage.request, 487, { toTag: usage.localTag, headers }), nowMs)
  endIncoming(core, leg, nowMs)
}
