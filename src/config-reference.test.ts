import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { z } from 'zod'
import { configSchema } from './config.ts'

interface Node {
  readonly default?: unknown
  readonly required?: readonly string[]
  readonly properties?: Readonly<Record<string, Node>>
  readonly items?: Node
}

/** Each setting that holds a value, with what counts without it, as the page writes it. */
function settings(node: Node, path = '', without = ''): [path: string, without: string][] {
  const { properties, required = [] } = node.items?.properties === undefined ? node : node.items
  if (properties === undefined) return [[path, without]]
  const inside = node.items?.properties === undefined ? path : `${path}[]`
  return Object.entries(properties).flatMap(([name, child]) => {
    const missing = required.includes(name) ? 'required' : `\`${JSON.stringify(child.default)}\``
    return settings(child, inside === '' ? name : `${inside}.${name}`, missing)
  })
}

const page = readFileSync(new URL('../docs/reference/settings.md', import.meta.url), 'utf8')
const rows = new Map(
  [...page.matchAll(/^\| `([^`]+)` \| (.*?) \|/gm)].map(([, path = '', without = '']) => [path, without]),
)
const known = settings(z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' }) as Node)

test('every setting is on the page, and the page names no other', () => {
  assert.deepEqual([...rows.keys()].toSorted(), known.map(([path]) => path).toSorted())
})

test('what counts without a setting is what the page says', () => {
  for (const [path, without] of known) {
    // Words where the default is another setting, or a list of objects.
    if (without === '`undefined`' || path.startsWith('capture.fields[]')) continue
    assert.equal(rows.get(path), without, path)
  }
})
