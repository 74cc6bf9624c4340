/** Reads sources as text and says where they leave the architecture. Pure: files in, sentences out. */
import { dirname, join } from 'node:path/posix'
import {
  ambientFiles,
  digitsFiles,
  type Layer,
  layers,
  revealFiles,
  shellFiles,
  sizes,
  testPackages,
} from './layers.ts'

export type Sources = ReadonlyMap<string, string>

export function findViolations(sources: Sources): string[] {
  return [...sources].flatMap(([path, text]) => {
    const layer = layers.find(({ prefix }) => path.startsWith(prefix))
    if (layer === undefined) return [`${path}: its folder is not in the layer table (test/tidy/layers.ts)`]
    return [
      ...importViolations(path, text, layer),
      ...shellViolations(path, text),
      ...digitsViolations(path, text),
      ...sizeViolations(path, text),
    ]
  })
}

const isTest = (path: string): boolean => path.startsWith('test/') || /\.test(-[a-z]+)?\.ts$/.test(path)

function importViolations(path: string, text: string, layer: Layer): string[] {
  return importsOf(text).flatMap((specifier) => {
    if (specifier.startsWith('node:')) return []
    if (!specifier.startsWith('.')) return packageViolation(path, specifier, layer)
    const target = join(dirname(path), specifier)
    if (target.startsWith(layer.prefix) || layer.imports.some((prefix) => target.startsWith(prefix))) return []
    // Tests beside their source may use simulators and test support; never the other zone.
    if (isTest(path) && !crossesTheWall(path, target)) return []
    return [`${path}: may not import ${target}; ${layer.prefix} imports only ${layer.imports.join(', ') || 'itself'}`]
  })
}

function crossesTheWall(path: string, target: string): boolean {
  const zoneOf = (file: string) =>
    file.startsWith('src/cde/') ? 'cde' : file.startsWith('src/control/') ? 'control' : ''
  return zoneOf(path) !== '' && zoneOf(target) !== '' && zoneOf(path) !== zoneOf(target)
}

function packageViolation(path: string, specifier: string, layer: Layer): string[] {
  const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
  if (layer.packages?.includes(name) || (isTest(path) && testPackages.includes(name))) return []
  return [`${path}: may not import the package ${name}; see "packages" of ${layer.prefix} in test/tidy/layers.ts`]
}

/** Static and dynamic imports and re-exports, types included: a type import is a dependency too. */
function importsOf(text: string): string[] {
  const found = text.matchAll(/(?:\bfrom\s*|\bimport\s*\(?\s*)(['"])([^'"\n]+)\1/g)
  return [...found].map((match) => match[2] ?? '')
}

function shellViolations(path: string, text: string): string[] {
  if (!path.startsWith('src/') || isTest(path)) return []
  const violations: string[] = []
  for (const specifier of importsOf(text)) {
    const module = specifier.replace(/\/promises$/, '')
    if (
      !specifier.startsWith('node:') &&
      /^(fs|net|dgram|https?|tls|dns|child_process|worker_threads|inspector|vm|v8)$/.test(module)
    ) {
      violations.push(`${path}: import built-in modules as node:${module}`)
    }
    const allowed = shellFiles[module]
    // Types and the pure functions of node:net open nothing.
    const typesOnly = new RegExp(`import (type [^\\n]*|\\{ (isIP(v[46])?,? )+\\} from )['"]${specifier}['"]`).test(text)
    if (allowed !== undefined && !typesOnly && !allowed.some((pattern) => pattern.test(path))) {
      violations.push(`${path}: may not import ${specifier}; only shells do (test/tidy/layers.ts)`)
    }
  }
  if (!ambientFiles.some((pattern) => pattern.test(path))) {
    const code = withoutComments(text)
    const ambient =
      /\b(Date\.now|performance\.now|Math\.random|setTimeout|setInterval|setImmediate|randomBytes|randomUUID)\b/.exec(
        code,
      )
    if (ambient !== null) violations.push(`${path}: uses ${ambient[1]}; time and randomness are passed in`)
  }
  // The element's console is that of the customer's page: where its developer looks for what is set up wrongly.
  const prints = path.startsWith('src/commands/') || path === 'web/widget/tonewall-pay.ts'
  if (/\bconsole\./.test(withoutComments(text)) && !prints) {
    violations.push(`${path}: uses console; only commands print`)
  }
  return violations
}

function digitsViolations(path: string, text: string): string[] {
  if (isTest(path)) return []
  const code = withoutComments(text).replaceAll(/'[^'\n]*'|"[^"\n]*"/g, "''")
  const violations: string[] = []
  if (/\bDigits\b/.test(code) && !digitsFiles.some((pattern) => pattern.test(path))) {
    violations.push(`${path}: names Digits; digits live in src/cde/capture and src/cde/gateways only`)
  }
  if (/\.reveal\s*\(/.test(code) && !revealFiles.some((pattern) => pattern.test(path))) {
    violations.push(`${path}: calls reveal(); only capture and a gateway's request.ts may look at digits`)
  }
  return violations
}

function sizeViolations(path: string, text: string): string[] {
  const lines = text.split('\n').length
  return lines > sizes.fileLinesMax
    ? [`${path}: ${lines} lines; the limit is ${sizes.fileLinesMax}, split it by idea`]
    : []
}

function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/(^|\s)\/\/.*$/gm, '$1')
}
