/** The compiled module inside the package, for which it brings no types; `native.ts` says what it holds. */
declare module 'opusscript/build/opusscript_native_wasm.js' {
  export default function loadModule(): unknown
}
