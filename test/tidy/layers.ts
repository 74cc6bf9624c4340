/**
 * The architecture as a table (docs/architecture.md draws it). A file belongs to the first row whose prefix fits; a file
 * that fits none is a violation, so a new folder must be thought about here first.
 */
export interface Layer {
  readonly prefix: string
  /** Path prefixes of this project that its files may import, besides their own folder. */
  readonly imports: readonly string[]
  /** npm packages that its files may import. */
  readonly packages?: readonly string[]
}

const cdeCommon = ['src/lib/', 'src/wall/']

export const layers: readonly Layer[] = [
  { prefix: 'src/lib/', imports: [], packages: ['pino'] },
  { prefix: 'src/wall/', imports: ['src/lib/'], packages: ['zod'] },

  { prefix: 'src/cde/sip/', imports: cdeCommon },
  // The engines that call libc, and DTLS, which calls OpenSSL; koffi is the way there, and nowhere else.
  { prefix: 'src/cde/media/relay/', imports: [...cdeCommon, 'src/cde/media/'], packages: ['koffi'] },
  { prefix: 'src/cde/media/dtls/', imports: [...cdeCommon, 'src/cde/media/'], packages: ['koffi'] },
  { prefix: 'src/cde/media/', imports: cdeCommon, packages: ['opusscript'] },
  { prefix: 'src/cde/dtmf/', imports: [...cdeCommon, 'src/cde/media/'] },
  { prefix: 'src/cde/call/', imports: [...cdeCommon, 'src/cde/sip/', 'src/cde/media/', 'src/cde/dtmf/'] },
  // Each media thread has a composition root of its own.
  {
    prefix: 'src/cde/threads/',
    imports: [...cdeCommon, 'src/cde/call/', 'src/cde/media/', 'src/cde/fatal.ts', 'src/cde/start-rights.ts'],
  },
  { prefix: 'src/cde/capture/', imports: [...cdeCommon, 'src/cde/dtmf/key-codes.ts'] },
  { prefix: 'src/cde/gateways/', imports: [...cdeCommon, 'src/cde/capture/'] },
  // The card zone's composition root: main.ts and the wiring it hands everything to.
  { prefix: 'src/cde/main.ts', imports: [...cdeCommon, 'src/cde/'] },
  { prefix: 'src/cde/card-zone.ts', imports: [...cdeCommon, 'src/cde/'] },
  { prefix: 'src/cde/arming', imports: cdeCommon },
  { prefix: 'src/cde/fatal.ts', imports: [] },
  { prefix: 'src/cde/start-rights', imports: [] },

  { prefix: 'src/control/store/', imports: cdeCommon, packages: ['kysely', 'better-sqlite3'] },
  { prefix: 'src/control/access/', imports: [...cdeCommon, 'src/control/store/'] },
  {
    prefix: 'src/control/payments/',
    imports: [...cdeCommon, 'src/control/store/', 'src/control/access/', 'src/control/events.ts'],
  },
  {
    prefix: 'src/control/api/',
    imports: [...cdeCommon, 'src/control/'],
    packages: ['fastify', 'fastify-type-provider-zod', '@fastify/swagger', 'zod', 'prom-client'],
  },
  { prefix: 'src/control/', imports: [...cdeCommon, 'src/control/'], packages: ['prom-client'] },

  {
    prefix: 'src/sim/',
    imports: [...cdeCommon, 'src/cde/sip/', 'src/cde/media/', 'src/cde/dtmf/'],
    packages: ['ws', 'zod'],
  },
  // The command line: each command is a composition root of its own process.
  { prefix: 'src/commands/', imports: ['src/'], packages: ['fast-png'] },
  { prefix: 'src/config', imports: ['src/wall/', 'src/lib/'], packages: ['zod'] },
  { prefix: 'src/main.ts', imports: ['src/commands/'] },

  // The browser's side takes words and bounds from the wall and lib, never code of a zone.
  { prefix: 'web/widget/', imports: ['src/lib/', 'src/wall/'], packages: ['lit'] },
  { prefix: 'web/demo/', imports: ['src/lib/', 'src/wall/'], packages: ['lit'] },

  {
    prefix: 'test/',
    imports: ['src/', 'web/', 'scripts/'],
    packages: ['playwright-core', 'ws', 'better-sqlite3', 'zod', 'fast-png'],
  },
]

/** Test files may use these wherever they stand, and reach what their own layer may not. */
export const testPackages: readonly string[] = ['ws', 'zod', 'better-sqlite3', 'pino', 'koffi']

/** Files that may open sockets, start processes or touch files: the thin shells (STYLE section 3). */
export const shellFiles: Readonly<Record<string, readonly RegExp[]>> = {
  'node:dgram': [/^src\/cde\/sip\/transport[^/]*\.ts$/, /^src\/cde\/media\/socket[^/]*\.ts$/, /^src\/commands\//],
  'node:net': [
    /^src\/wall\/transport[^/]*\.ts$/,
    /^src\/cde\/main\.ts$/,
    /^src\/control\/cde-process\.ts$/,
    /^src\/commands\//,
  ],
  'node:http': [/^src\/cde\/gateways\/[^/]+\/client\.ts$/, /^src\/sim\//],
  'node:https': [/^src\/cde\/gateways\/[^/]+\/client\.ts$/],
  'node:tls': [],
  'node:dns': [/^src\/cde\/card-zone\.ts$/],
  'node:child_process': [/^src\/control\/cde-process\.ts$/, /^src\/commands\//],
  'node:worker_threads': [/^src\/cde\/threads\/(main|media-thread)\.ts$/],
  'node:fs': [
    /^src\/config(-checks)?\.ts$/,
    /^src\/commands\//,
    /^src\/sim\//,
    /^src\/control\/api\/server\.ts$/,
    /^src\/control\/store\/open\.ts$/,
    // The gateways' credential files, read once at the start.
    /^src\/cde\/card-zone\.ts$/,
  ],
  'node:inspector': [],
  'node:vm': [],
  'node:v8': [],
}

/** Where the clock, timers and randomness may be taken from the system; everything else is handed them. */
export const ambientFiles: readonly RegExp[] = [
  /^src\/lib\/(clock|alarm|random)\.ts$/,
  /^src\/cde\/sip\/transport[^/]*\.ts$/,
  /^src\/cde\/media\/socket[^/]*\.ts$/,
  /^src\/cde\/threads\/(main|media-thread|turns)\.ts$/,
  /^src\/cde\/gateways\/[^/]+\/client\.ts$/,
  /^src\/control\/cde-process\.ts$/,
  /^src\/control\/api\/server\.ts$/,
  /^src\/sim\//,
  /^src\/commands\//,
]

/** `Digits` may be named here and nowhere else; its reveal may be called only in the second list. */
export const digitsFiles: readonly RegExp[] = [/^src\/cde\/capture\//, /^src\/cde\/gateways\//]
export const revealFiles: readonly RegExp[] = [/^src\/cde\/capture\//, /^src\/cde\/gateways\/[^/]+\/request\.ts$/]

/** Sizes are ratcheted: lower these, never raise them. */
export const sizes = { fileLinesMax: 400, medianLinesMax: 120 } as const

/** Fewer source files than this means that the test looked in the wrong place. */
export const sourceFilesMin = 100
