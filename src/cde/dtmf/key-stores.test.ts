// V8 keeps typed arrays of up to 64 octets in the heap that it moves, and leaves copies behind: no key may live in one.
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { test } from 'node:test'

const SMALL_STORE = /#keys?\b[^\n]*=\s*(?:new Uint8Array|Uint8Array\.(?:of|from))/
const STORE = /#keys?\b[^\n]*=\s*secretOctets\(/

test('what holds keys of presses lies outside the heap that V8 moves', () => {
  const sources = globSync(`${import.meta.dirname}/*.ts`).filter((file) => !file.includes('.test'))
  const text = (file: string): string => readFileSync(file, 'utf8')
  assert.deepEqual(
    sources.filter((file) => SMALL_STORE.test(text(file))),
    [],
  )
  assert.ok(sources.filter((file) => STORE.test(text(file))).length >= 4)
})
