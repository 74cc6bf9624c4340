/** The first trouble of every new installation: calls that are refused, and what the log says of it. The real card zone, real SIP. */
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { eventually } from '../../test/support/eventually.ts'
import { freePorts } from '../../test/support/free-ports.ts'
import { createLog } from '../lib/log.ts'
import { cdeSettings } from '../wall/settings.ts'
import { CdeProcess } from './cde-process.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const host = '127.0.0.1'
/** The counters come every five seconds. */
const TOLD_MS_MAX = 15_000

const invite = (user: string, port: number, n: number): string =>
  [
    `INVITE sip:${user}@${host}:${port} SIP/2.0`,
    `Via: SIP/2.0/UDP ${host}:5999;branch=z9hG4bK${n}`,
    `From: <sip:a@${host}>;tag=${n}`,
    `To: <sip:${user}@${host}>`,
    `Call-ID: call-${n}`,
    'CSeq: 1 INVITE',
    `Contact: <sip:a@${host}:5999>`,
    'Max-Forwards: 70',
    'Content-Length: 0',
    '\r\n',
  ].join('\r\n')

for (const [trustedPeers, counter] of [
  [['127.0.0.0/8'], 'call_refused_no_route'],
  [['10.0.0.0/8'], 'sip_source_refused'],
] as const) {
  test(`calls to no number, from ${trustedPeers[0]}: one line with ${counter}, and how to mend it`, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'tonewall-refusals-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const credentialFile = join(folder, 'key')
    writeFileSync(credentialFile, 'secret')
    const first = await freePorts(10)
    const lines: string[] = []
    const cde = new CdeProcess({
      node: process.execPath,
      entry: join(root, 'src', 'cde', 'main.ts'),
      readable: [join(root, 'src', '*'), join(root, 'node_modules', '*'), join(root, 'package.json'), credentialFile],
      settings: cdeSettings.parse({
        sip: { host, port: first },
        media: { host, portMin: first + 2, portMax: first + 9, engine: 'dgram' },
        trustedPeers,
        // Its address is trusted as well, so it is not this machine's.
        numbers: [{ id: 'sales', called: '+442079460000', destination: 'sip:agent@10.1.1.1:5999' }],
        capture: { fields: [{ name: 'cardNumber', kind: 'cardNumber' }] },
        gateways: [{ account: 'sandbox', kind: 'sandbox', url: 'http://127.0.0.1:1', credentialFile }],
      }),
      log: createLog('test', { write: (line: string) => void lines.push(line) }),
      onRefused: () => {},
    })
    t.after(() => cde.stop())
    assert.equal(await cde.start(), undefined)
    const socket = createSocket('udp4')
    t.after(() => socket.close())
    for (const n of [1, 2, 3]) socket.send(invite('+442079469999', first, n), first, host)
    const line = await eventually('a line about refused calls', TOLD_MS_MAX, async () =>
      lines.find((text) => text.includes('SIP was refused')),
    )
    const told = JSON.parse(line) as Record<string, unknown>
    assert.equal(told[counter], 3)
    assert.match(String(told['msg']), /no_route is a number that is not in numbers, source one not in trustedPeers/)
    assert.ok(!line.includes('9999'), 'what was dialled is in the log')
  })
}
