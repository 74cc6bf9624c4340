// RFC 4568 section 9.1 (grammar), 6.1 (keys), 6.3 (session parameters).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { type CryptoLine, parseCryptoLine, usableKeys, wipeLine, writeCryptoLine } from './crypto-line.ts'

// 30 octets for AES-CM; 44 for AES-256-GCM.
const KEY = 'd0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj'
const KEY_44 = 'QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXI='

function line(value: string): CryptoLine {
  const parsed = parseCryptoLine(value)
  assert.ok(typeof parsed !== 'string', `${String(parsed)}: ${value}`)
  return parsed
}

test('what is read is written again: several keys, lifetimes, MKIs, parameters, unknown suites', () => {
  for (const value of [
    `1 AES_CM_128_HMAC_SHA1_80 inline:${KEY}`,
    `999999999 AES_CM_128_HMAC_SHA1_32 inline:${KEY}|2^20`,
    `2 AES_CM_128_HMAC_SHA1_80 inline:${KEY}|1048576|1:32`,
    `2 AES_CM_128_HMAC_SHA1_80 inline:${KEY}|1066:4`,
    `1 AES_CM_128_HMAC_SHA1_80 inline:${KEY}|2^20|1:4;inline:${KEY}|2^20|2:4 FEC_ORDER=FEC_SRTP`,
    `1 AEAD_AES_256_GCM inline:${KEY_44} UNENCRYPTED_SRTCP WSH=64 -x=y`,
    '7 F8_128_HMAC_SHA1_80 inline:QUI=',
  ]) {
    assert.equal(writeCryptoLine(line(value)), value)
  }
})

test('letter case of the method, odd spacing and missing padding are forgiven', () => {
  assert.equal(
    writeCryptoLine(line(`  1  AEAD_AES_256_GCM\tINLINE:${KEY_44.replace('=', '')} `)),
    `1 AEAD_AES_256_GCM inline:${KEY_44}`,
  )
})

test('what is no crypto line is refused with a word', () => {
  for (const [value, problem] of [
    ['', 'malformed'],
    ['1 AES_CM_128_HMAC_SHA1_80', 'malformed'],
    [`x AES_CM_128_HMAC_SHA1_80 inline:${KEY}`, 'malformed'],
    [`1234567890 AES_CM_128_HMAC_SHA1_80 inline:${KEY}`, 'malformed'],
    [`1 AES-CM inline:${KEY}`, 'malformed'],
    [`1 S inline:${KEY}${' p'.repeat(17)}`, 'malformed'],
    [`1 S ${Array.from({ length: 9 }, () => `inline:${KEY}`).join(';')}`, 'malformed'],
    [`1 S uri:${KEY}`, 'method'],
    [`1 S inline:${KEY};`, 'method'],
    ['1 S inline:', 'key'],
    ['1 S inline:A', 'key'],
    ['1 S inline:AB_C', 'key'],
    [`1 S inline:${'A'.repeat(132)}`, 'key'],
    [`1 S inline:${KEY}|0`, 'lifetime'],
    [`1 S inline:${KEY}|2^49`, 'lifetime'],
    [`1 S inline:${KEY}|many`, 'lifetime'],
    [`1 S inline:${KEY}|`, 'malformed'],
    [`1 S inline:${KEY}|2^20|1:4|x`, 'malformed'],
    [`1 S inline:${KEY}|1:4|2^20`, 'malformed'],
    [`1 S inline:${KEY}|2^20|1:129`, 'mki'],
    [`1 S inline:${KEY}|2^20|1:0`, 'mki'],
    [`1 S inline:${KEY}|2^20|256:1`, 'mki'],
    [`1 S inline:${KEY}|2^20|one`, 'mki'],
  ]) {
    const parsed = parseCryptoLine(value ?? '')
    const expected = value?.endsWith('|') ? ['malformed', 'mki', 'lifetime'] : [problem]
    assert.ok(typeof parsed === 'string' && expected.includes(parsed), `${String(parsed)} for ${value}`)
  }
})

test('keys, MKI in network order and lifetime come out of a usable line', () => {
  const usable = usableKeys(line(`1 AES_CM_128_HMAC_SHA1_80 inline:${KEY}|2^20|258:3 WSH=128 KDR=0 -anything`))
  assert.ok(usable)
  const [key] = usable.keys
  assert.equal(usable.suite.name, 'AES_CM_128_HMAC_SHA1_80')
  assert.deepEqual(key?.mki, Uint8Array.of(0, 1, 2))
  assert.equal(key?.lifetimePackets, 2 ** 20)
  assert.equal(Buffer.from(key?.master.concatenated ?? []).toString('base64'), KEY)
  assert.deepEqual([key?.master.key.length, key?.master.salt.length], [16, 14])
  const printed = inspect(usable, { depth: 9, showHidden: true }) + JSON.stringify(usable)
  // 119 and 68 are its first two octets.
  assert.doesNotMatch(printed, /d0Rm|119, ?68/)
})

test('lines that would weaken or change the protection are not usable', () => {
  const good = `1 AES_CM_128_HMAC_SHA1_80 inline:${KEY}`
  for (const value of [
    `${good} UNENCRYPTED_SRTP`,
    `${good} UNENCRYPTED_SRTCP`,
    `${good} UNAUTHENTICATED_SRTP`,
    `${good} WSH=64 UNENCRYPTED_SRTCP`,
    `${good} KDR=1`,
    `${good} FEC_ORDER=FEC_SRTP`,
    `${good} FEC_KEY=inline:${KEY}`,
    `${good} unknown`,
    `1 F8_128_HMAC_SHA1_80 inline:${KEY}`,
    `1 AEAD_AES_256_GCM inline:${KEY}`,
    `1 AES_CM_128_HMAC_SHA1_80 inline:${KEY_44}`,
    `1 AES_CM_128_HMAC_SHA1_80 inline:${KEY};inline:${KEY}`,
    `1 AES_CM_128_HMAC_SHA1_80 inline:${KEY}|1:4;inline:${KEY}|2:5`,
    `1 AES_CM_128_HMAC_SHA1_80 inline:${KEY}|1:4;inline:${KEY}`,
  ]) {
    assert.equal(usableKeys(line(value)), undefined, value)
  }
})

test('a wiped line holds zeros only', () => {
  const wiped = line(`1 AES_CM_128_HMAC_SHA1_80 inline:${KEY}`)
  wipeLine(wiped)
  assert.deepEqual(wiped.keys[0]?.octets, new Uint8Array(30))
})
