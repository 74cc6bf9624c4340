// Builds the two bundles of the web part: web/dist/widget/widget.js (one module, nothing fetched) and web/dist/demo/ (a
// static page).
// Plain JavaScript, because it runs on whatever Node the machine has (20 or newer).
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { readFile } from 'node:fs/promises'
import { build } from 'vite'

const web = fileURLToPath(new URL('../web/', import.meta.url))
const shared = { configFile: false, logLevel: 'error', envDir: false, publicDir: false }

await build({
  ...shared,
  root: `${web}widget`,
  build: {
    outDir: `${web}dist/widget`,
    emptyOutDir: true,
    target: 'es2022',
    lib: { entry: 'tonewall-pay.ts', formats: ['es'], fileName: () => 'widget.js' },
    // Vite keeps the white space of library modules; this one goes to browsers as it is.
    rolldownOptions: { output: { minify: true } },
  },
})

await build({
  ...shared,
  root: `${web}demo`,
  base: './',
  build: {
    outDir: `${web}dist/demo`,
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: { index: `${web}demo/index.html`, 'playback-worklet': `${web}demo/sound/playback-worklet.ts` },
      // The worklet is loaded by name, so its name carries no hash.
      output: {
        entryFileNames: (chunk) => (chunk.name === 'playback-worklet' ? '[name].js' : 'assets/[name]-[hash].js'),
      },
    },
  },
})

const widget = await readFile(`${web}dist/widget/widget.js`)
const kB = (octets) => (octets / 1000).toFixed(1)
console.log(`web built: widget.js ${kB(widget.length)} kB (${kB(gzipSync(widget).length)} kB gzip), demo page`)
