import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { seededRandom } from '../../lib/random.ts'
import { headerValue, parseMessage } from './message.ts'
import { UserAgent } from './user-agent.ts'

// SIP-37: the last column of data/rfc4475/README.md, through the whole UserAgent without sockets.
const FOLDER = new URL('../../../../shared/data/rfc4475/', import.meta.url)
const skip = existsSync(FOLDER) ? false : '../shared/data/rfc4475 is not here'

// One departure: wsinv has a To tag that names no dialog of ours. RFC 3261 12.2.2 lets a UAS restart such a dialog or
// answer 481. We answer 481: after a crash, every refresh of a lost call would otherwise ring a second agent.
const ANSWERS: Readonly<Record<string, string>> = {
  call: 'esc01 longreq baddate',
  drop: 'unreason noreason scalarlg bigcode bcast test',
  '200': 'lwsdisp semiuri transports zeromf',
  '400':
    'badinv01 clerr ncl scalar02 quotbal ltgtruri lwsruri lwsstart trws escruri regbadct badaspec baddn ' +
    'mismatch01 badbranch insuf multi01 mcl01 inv2543',
  '405': 'escnull dblreq mpart01 unksm2 regaut01 cparam01 cparam02 regescrt',
  '406': 'sdp01',
  '415': 'invut',
  '416': 'unkscm novelsc',
  '420': 'bext01',
  '481': 'wsinv',
  '501': 'intmeth esc02 mismatch02',
  '505': 'badvers',
}

function newAgent(): UserAgent {
  const local = { host: '192.0.2.200', port: 5060 }
  return new UserAgent({ local, userAgent: 'test', random: seededRandom(1) })
}

const SOURCE = { host: '192.0.2.99', port: 5999 }

test('each RFC 4475 message gets exactly the answer of the table', { skip }, () => {
  for (const [wanted, names] of Object.entries(ANSWERS)) {
    for (const name of names.split(' ')) {
      const agent = newAgent()
      const outputs = [...agent.receive(readFileSync(new URL(`${name}.dat`, FOLDER)), SOURCE, 0), ...agent.wake(0)]
      const sent = outputs.flatMap((output) =>
        output.type === 'send' ? [Buffer.from(output.datagram).toString('latin1').slice(8, 11)] : [],
      )
      const called = outputs.some((output) => output.type === 'event' && output.event.type === 'incoming')
      const got = called ? 'call' : (sent[0] ?? 'drop')
      assert.equal(got, wanted, name)
      assert.equal(sent.length, wanted === 'drop' ? 0 : 1, name)
    }
  }
})

test('a 420 lists the Require tags and no Proxy-Require tag', { skip }, () => {
  const [output] = newAgent().receive(readFileSync(new URL('bext01.dat', FOLDER)), SOURCE, 0)
  assert.ok(output?.type === 'send')
  const response = parseMessage(output.datagram)
  assert.ok(typeof response === 'object')
  assert.equal(headerValue(response, 'Unsupported'), 'nothingSupportsThis, nothingSupportsThisEither')
})

const options = (via: string): Uint8Array =>
  Buffer.from(
    [
      'OPTIONS sip:192.0.2.200 SIP/2.0',
      `Via: ${via}`,
      'From: <sip:a@192.0.2.99>;tag=a',
      'To: <sip:192.0.2.200>',
      'Call-ID: o',
      'CSeq: 1 OPTIONS',
      '',
      '',
    ].join('\r\n'),
  )

test('RFC 3581: with rport the answer goes to the very source, without to the port of the Via', () => {
  const [withRport] = newAgent().receive(options('SIP/2.0/UDP 10.0.0.1:5070;branch=z9hG4bKa;rport'), SOURCE, 0)
  assert.ok(withRport?.type === 'send')
  assert.deepEqual(withRport.to, SOURCE)
  assert.match(
    Buffer.from(withRport.datagram).toString(),
    /Via: SIP\/2.0\/UDP 10.0.0.1:5070;branch=z9hG4bKa;rport=5999;received=192.0.2.99\r\n/,
  )
  const [without] = newAgent().receive(options('SIP/2.0/UDP 10.0.0.1:5070;branch=z9hG4bKa;maddr=192.0.2.66'), SOURCE, 0)
  assert.ok(without?.type === 'send')
  assert.deepEqual(without.to, { host: '192.0.2.99', port: 5070 })
})

test('the same INVITE over a second path is a loop: 482; the same datagram again is a repetition', () => {
  const agent = newAgent()
  const invite = (branch: string): Uint8Array =>
    Buffer.from(
      Buffer.from(options(`SIP/2.0/UDP 192.0.2.99;branch=z9hG4bK${branch};rport`))
        .toString()
        .replaceAll('OPTIONS', 'INVITE')
        .replace('CSeq', 'Contact: <sip:a@192.0.2.99>\r\nCSeq'),
    )
  const first = [...agent.receive(invite('a'), SOURCE, 0), ...agent.wake(0)]
  assert.equal(first.length, 2)
  const again = agent.receive(invite('a'), SOURCE, 10)
  assert.deepEqual(again, [first[1]])
  const looped = agent.receive(invite('b'), SOURCE, 20)
  assert.ok(looped.length === 1 && looped[0]?.type === 'send')
  assert.match(Buffer.from(looped[0].datagram).toString(), /^SIP\/2.0 482 /)
})
