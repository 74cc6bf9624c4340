import type { Address } from '../../lib/address.ts'
import { cseqOf } from './check.ts'
import { paramValue, splitList } from './grammar.ts'
import {
  type Header,
  headerValue,
  headerValues,
  type SipMessage,
  type SipRequest,
  type SipResponse,
} from './message.ts'
import { parseNameAddr, parseNameAddrList, tagOf } from './name-addr.ts'
import { isSipUri, literalAddress, parseUri, sameHost } from './uri.ts'

/** Dialog state, RFC 3261 12. The remote tag is '' for an RFC 2543 peer. */
export interface Dialog {
  readonly callId: string
  readonly localTag: string
  readonly remoteTag: string
  /** From value of our requests, and To value, tags included. */
  readonly local: string
  readonly remote: string
  localSeq: number
  /** Undefined until the peer sent a request. */
  remoteSeq: number | undefined
  /** The peer's Contact URI: where requests in the dialog are addressed. */
  remoteTarget: string
  /** Name-addr values in the order of our Route headers. */
  readonly routes: readonly string[]
}

/** The dialog that a response to our INVITE makes (RFC 3261 12.1.2). */
export function uacDialog(invite: SipRequest, response: SipResponse): Dialog {
  const remote = headerValue(response, 'To') ?? ''
  const local = headerValue(invite, 'From') ?? ''
  return {
    callId: headerValue(invite, 'Call-ID') ?? '',
    localTag: tagOf(local),
    remoteTag: tagOf(remote),
    local,
    remote,
    localSeq: cseqOf(invite)?.number ?? 0,
    remoteSeq: undefined,
    remoteTarget: contactUri(response) ?? invite.uri,
    routes: recordRoutes(response).reverse(),
  }
}

/** The dialog that our answer to an INVITE makes (RFC 3261 12.1.1). */
export function uasDialog(invite: SipRequest, localTag: string): Dialog {
  const remote = headerValue(invite, 'From') ?? ''
  return {
    callId: headerValue(invite, 'Call-ID') ?? '',
    localTag,
    remoteTag: tagOf(remote),
    local: `${headerValue(invite, 'To') ?? ''};tag=${localTag}`,
    remote,
    localSeq: 0,
    remoteSeq: cseqOf(invite)?.number,
    remoteTarget: contactUri(invite) ?? '',
    routes: recordRoutes(invite),
  }
}

/** RFC 3261 12.2.1.2, 12.2.2: a target refresh that was accepted moves the remote target. */
export function refreshTarget(dialog: Dialog, message: SipMessage): void {
  dialog.remoteTarget = contactUri(message) ?? dialog.remoteTarget
}

/** Names a dialog among all others of this UA, seen from our side (RFC 3261 12). */
export function dialogKey(callId: string, localTag: string, remoteTag: string): string {
  return `${callId} ${localTag} ${remoteTag}`
}

/** The dialog that an incoming request belongs to, if there is one. */
export function dialogKeyOfRequest(request: SipRequest): string {
  const localTag = tagOf(headerValue(request, 'To') ?? '')
  const remoteTag = tagOf(headerValue(request, 'From') ?? '')
  return dialogKey(headerValue(request, 'Call-ID') ?? '', localTag, remoteTag)
}

/** What changes from request to request. */
export interface RequestParts {
  readonly via: string
  /** Default: the next number of the dialog. An ACK gets the number of its INVITE. */
  readonly seq?: number
  readonly headers?: readonly Header[]
  readonly body?: Uint8Array | undefined
  readonly contentType?: string | undefined
}

/** A request within the dialog, RFC 3261 12.2.1.1, with the two ways of routing (loose, and strict of RFC 2543). */
export function requestInDialog(dialog: Dialog, method: string, parts: RequestParts): SipRequest {
  const seq = parts.seq ?? ++dialog.localSeq
  const body = parts.body ?? new Uint8Array(0)
  const [first, ...rest] = dialog.routes
  const strict = first !== undefined && !isLoose(first)
  const routes = strict ? [...rest, `<${dialog.remoteTarget}>`] : dialog.routes
  const headers: Header[] = [
    { name: 'Via', value: parts.via },
    ...routes.map((value) => ({ name: 'Route', value })),
    { name: 'Max-Forwards', value: '70' },
    { name: 'From', value: dialog.local },
    { name: 'To', value: dialog.remote },
    { name: 'Call-ID', value: dialog.callId },
    { name: 'CSeq', value: `${seq} ${method}` },
    ...(parts.headers ?? []),
  ]
  if (body.length > 0) headers.push({ name: 'Content-Type', value: parts.contentType ?? 'application/sdp' })
  return { kind: 'request', method, uri: strict ? uriOf(first) : dialog.remoteTarget, headers, body }
}

/**
 * Where its datagrams go: the first route or the remote target when that is an IP literal.
 * Deviation: RFC 3263 look-ups are not done yet; for host names it is the address the leg was set up with.
 */
export function nextHop(dialog: Dialog, fallback: Address): Address {
  const [first] = dialog.routes
  return literalAddress(first === undefined ? dialog.remoteTarget : uriOf(first)) ?? fallback
}

/**
 * True for the hosts that the peer's requests in the dialog come from: where the leg was set up with, a hop of the route
 * set, the remote target. Whatever the port: NATs change it (RFC 3581). Names are not looked up, they match nothing.
 */
export function comesFromPeer(dialog: Dialog, peer: Address, source: Address): boolean {
  const named = [dialog.remoteTarget, ...dialog.routes.map(uriOf)].map((uri) => literalAddress(uri)?.host)
  return [peer.host, ...named].some((host) => host !== undefined && sameHost(host, source.host))
}

function contactUri(message: SipMessage): string | undefined {
  const value = headerValue(message, 'Contact')
  const contacts = value === undefined ? undefined : parseNameAddrList(value)
  const uri = Array.isArray(contacts) ? contacts[0]?.uri : undefined
  return uri !== undefined && isSipUri(parseUri(uri)) ? uri : undefined
}

function recordRoutes(message: SipMessage): string[] {
  return headerValues(message, 'Record-Route').flatMap((value) => splitList(value) ?? [])
}

function uriOf(nameAddr: string): string {
  const parsed = parseNameAddr(nameAddr)
  return typeof parsed === 'string' ? '' : parsed.uri
}

function isLoose(route: string): boolean {
  const uri = parseUri(uriOf(route))
  return isSipUri(uri) && paramValue(uri.params, 'lr') !== undefined
}
