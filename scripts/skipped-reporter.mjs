// A reporter for node:test that writes one JSON line per skipped test: file, name, reason. Used by scripts/test.mjs.
import { relative } from 'node:path'
import process from 'node:process'

export default async function* skippedReporter(events) {
  for await (const { type, data } of events) {
    if (type !== 'test:pass' || data.skip === undefined || data.skip === false) continue
    const reason = typeof data.skip === 'string' && data.skip !== '' ? data.skip : 'no reason given'
    yield `${JSON.stringify({ file: relative(process.cwd(), data.file ?? ''), name: data.name, reason })}\n`
  }
}
