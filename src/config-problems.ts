/** Turns schema issues into lines an operator can act on. Values are never repeated: a secret may have been put in the wrong place. */
import type { z } from 'zod'
import type { ConfigProblem } from './config.ts'

/** What each setting wants, and an example; array positions are written []. */
const hints: Readonly<Record<string, readonly [wants: string, example: string]>> = {
  http: ['must say where the API listens', '{ "host": "127.0.0.1", "port": 8080 }'],
  'http.port': ['must be a port from 1 to 65535', '8080'],
  'http.host': ['must be an address of this machine', '"127.0.0.1"'],
  'http.allowedOrigins[]': ['must be a web origin without path or slash at its end', '"https://crm.example.com"'],
  'http.metricsKeyFile': ['must name the file that holds the key for /metrics', '"./secrets/metrics.key"'],
  sip: ['must say where SIP listens', '{ "host": "192.0.2.10", "port": 5060 }'],
  'sip.host': ['must be an IP address of this machine', '"192.0.2.10"'],
  'sip.port': ['must be a port from 1 to 65535', '5060'],
  media: [
    'must say where RTP listens; portMax at least portMin + 3',
    '{ "host": "192.0.2.10", "portMin": 20000, "portMax": 29999 }',
  ],
  'media.host': ['must be an IP address of this machine', '"192.0.2.10"'],
  'media.portMin': ['must be a port from 1 to 65535', '20000'],
  'media.portMax': ['must be a port from 1 to 65535', '29999'],
  'media.threads': ['must be a number from 0 (one less than there are processors) to 64', '0'],
  'media.engine': ['must be auto, uring, epoll or dgram', '"auto"'],
  'media.kernel': ['must be off, engine, auto or required', '"auto"'],
  'media.codecs': ['must list one to four codecs, the preferred one first', '["PCMA", "PCMU"]'],
  'media.codecs[]': ['must be PCMA, PCMU, G722 or opus', '"G722"'],
  'media.jitterMs': ['must be 0 to 200 milliseconds', '40'],
  store: ['must say where the database is', '{ "file": "./data/tonewall.sqlite" }'],
  'store.eventsKeptDays': ['must be 1 to 3650 days', '90'],
  trustedPeers: [
    'must list the addresses and networks that may send SIP, or be "any"',
    '["198.51.100.7", "10.0.0.0/24"]',
  ],
  'trustedPeers[]': [
    'must be an IP address or network (CIDR, no bits behind the prefix) that may send SIP',
    '"10.0.0.0/24"',
  ],
  'allowClearKeys[]': ['must be an IP address to and from which SRTP keys may travel in SIP without TLS', '"10.0.0.5"'],
  merchants: ['must list at least one merchant', '[{ "id": "acme", "name": "Acme Ltd" }]'],
  'merchants[].id': ['must start with a small letter; letters, digits and hyphens, at most 40', '"acme"'],
  'merchants[].name': ['must be 1 to 100 characters', '"Acme Ltd"'],
  numbers: [
    'must list at least one number',
    '[{ "id": "sales", "merchant": "acme", "called": "+442079460000", "destination": "sip:sales@10.0.0.5" }]',
  ],
  'numbers[].id': ['must start with a small letter; letters, digits and hyphens, at most 40', '"sales"'],
  'numbers[].called': ['must be the user part that callers reach', '"+442079460000"'],
  'numbers[].destination': ['must be a SIP URI', '"sip:sales@10.0.0.5:5060"'],
  'numbers[].srtp': ['must be off, offered, required or dtls', '"required"'],
  'numbers[].nat': ['must be none, caller, agent or both', '"caller"'],
  gateways: [
    'must list at least one gateway account',
    '[{ "account": "main", "merchant": "acme", "kind": "sandbox", "url": "https://…", "credentialFile": "./secrets/main.key" }]',
  ],
  'gateways[].account': ['must start with a small letter; letters, digits and hyphens, at most 40', '"main"'],
  'gateways[].kind': ['must be a gateway that Tonewall knows', '"sandbox"'],
  'gateways[].url': [
    'must be an https address without query (plain http only on this machine)',
    '"https://gateway.example.com"',
  ],
  'gateways[].credentialFile': ['must name the file that holds the gateway secret', '"./secrets/main.key"'],
  'gateways[].exchangeMs': ['must be 1000 to 25000 milliseconds', '20000'],
  apiKeys: ['must list at least one key', '[{ "name": "crm", "merchant": "acme", "keyFile": "./secrets/crm.key" }]'],
  'apiKeys[].keyFile': ['must name the file that holds the key', '"./secrets/crm.key"'],
  'passHeaders[]': ['must be User-to-User or a name that begins with X-', '"X-Account"'],
  'merchants[].maskPolicy': ['must be adaptive, burst or full', '"burst"'],
  replacement: ['must be flat, silence or comfort', '"flat"'],
  maskPolicy: ['must be adaptive, burst or full', '"burst"'],
  'capture.endKey': ['must be # or *', '"#"'],
  'capture.clearKey': ['must be # or *', '"*"'],
  'capture.fields[].kind': ['must be cardNumber, expiry, securityCode or number', '"number"'],
  'capture.fields[].name': [
    'must start with a small letter; letters, digits and hyphens, at most 40',
    '"accountNumber"',
  ],
}

export function configProblems(issues: readonly z.core.$ZodIssue[]): ConfigProblem[] {
  return issues.flatMap((issue) => {
    const path = written(issue.path)
    if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownSetting(path, key))
    const hint = hints[path.replaceAll(/\[\d+\]/g, '[]')]
    const missing = issue.code === 'invalid_type' && issue.message.includes('undefined')
    const problem = `${missing ? 'is missing; it ' : ''}${hint?.[0] ?? 'does not have the right type or range'}`
    return [{ path: path || '(file)', problem, ...(hint && { example: hint[1] }) }]
  })
}

function unknownSetting(path: string, key: string): ConfigProblem {
  // A mistyped name must be shown to be found; anything else could be a secret.
  const shown = /^[a-zA-Z]{1,40}$/.test(key) ? key : '(a name that is not letters)'
  return {
    path: path ? `${path}.${shown}` : shown,
    problem: 'is not a setting; check its spelling in examples/tonewall.json',
  }
}

function written(path: readonly PropertyKey[]): string {
  return path.map((part, i) => (typeof part === 'number' ? `[${part}]` : `${i > 0 ? '.' : ''}${String(part)}`)).join('')
}
