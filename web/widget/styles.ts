/**
 * The panel's look. Every colour and measure that a customer may want to change is a custom property; the defaults
 * follow the page's own `color-scheme`, which is inherited.
 */
import { css } from 'lit'

export const base = css`
  /* The inner names differ from common page names: a page may pass on its own var(--accent) without a cycle. */
  :host {
    --_accent: var(--tonewall-accent, light-dark(#0a7560, #4fd9b4));
    --_on-accent: var(--tonewall-on-accent, light-dark(#ffffff, #04231b));
    --_surface: var(--tonewall-surface, light-dark(#ffffff, #14191b));
    --_ink: var(--tonewall-ink, light-dark(#14201d, #eaf1ee));
    --_muted: var(--tonewall-muted, light-dark(#5a6965, #97a6a1));
    --_line: var(--tonewall-line, light-dark(#dfe6e3, #2a3331));
    --_danger: var(--tonewall-danger, light-dark(#ad3323, #ff9c88));
    container-type: inline-size;
    display: block;
    box-sizing: border-box;
    padding: var(--tonewall-padding, 20px 24px);
    background: var(--_surface);
    color: var(--_ink);
    font: 400 15px/1.4 var(--tonewall-font, -apple-system, BlinkMacSystemFont, 'Segoe UI Variable Text', 'Segoe UI',
      Roboto, 'Helvetica Neue', 'Liberation Sans', Arial, sans-serif);
    font-variant-numeric: tabular-nums;
    -webkit-font-smoothing: antialiased;
  }
  :host([hidden]), [hidden] { display: none !important; }
  * { box-sizing: border-box; margin: 0; }
  .hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
  svg { display: block; width: 100%; height: 100%; }
  .panel { display: flex; flex-direction: column; min-height: var(--tonewall-min-height, 404px); }

  button, input { font: inherit; color: inherit; }
  button {
    min-height: 38px; padding: 0 18px; border: 1px solid transparent; border-radius: 999px; background: none;
    font-weight: 600; white-space: nowrap; cursor: pointer; transition: background-color 120ms, border-color 120ms;
  }
  button:focus-visible, h2:focus-visible { outline: 2px solid var(--_accent); outline-offset: 3px; }
  button.ask { background: color-mix(in oklab, var(--_accent) 13%, transparent); color: var(--_accent); }
  button.ask:hover { background: color-mix(in oklab, var(--_accent) 22%, transparent); }
  button.quiet { color: var(--_muted); font-weight: 500; }
  button.quiet:hover { color: var(--_ink); background: color-mix(in oklab, var(--_ink) 6%, transparent); }
  button[aria-disabled='true'] {
    cursor: default; color: var(--_muted); background: color-mix(in oklab, var(--_ink) 5%, transparent); opacity:
    0.75;
  }

  .line { display: flex; align-items: center; gap: 8px; height: 22px; color: var(--_muted); font-size: 14px; }
  .line .lock { width: 17px; height: 17px; }
  .line.secured { color: var(--_accent); font-weight: 600; }
  .line.waiting .lock { animation: breathe 1.6s ease-in-out infinite; }

  .top {
    display: flex; flex-wrap: wrap; align-items: center; justify-content: space-between; gap: 10px 20px; margin:
    10px 0 14px;
  }
  .amount {
    display: inline-flex; align-items: baseline; font-size: 40px; line-height: 1.15; font-weight: 600; letter-
    spacing: -0.025em;
  }
  .amount input {
    field-sizing: content; min-width: 3ch; max-width: 9ch; padding: 0; border: 0; border-radius: 0; background: none;
    outline: none;
    font-weight: inherit; letter-spacing: inherit; border-bottom: 2px dotted var(--_line);
  }
  .amount input:hover { border-bottom-color: var(--_muted); }
  .amount input:focus { border-bottom: 2px solid var(--_accent); }
  .amount input[aria-invalid='true'] { border-bottom: 2px solid var(--_danger); }

  .modes {
    display: inline-flex; padding: 3px; border: 0; border-radius: 999px; background: color-mix(in oklab,
    var(--_ink) 6%, transparent);
  }
  .modes label { position: relative; }
  .modes input { position: absolute; inset: 0; width: 100%; height: 100%; margin: 0; opacity: 0; cursor: pointer; }
  .modes span {
    display: block; padding: 6px 14px; border-radius: 999px; font-size: 14px; font-weight: 500; color:
    var(--_muted);
  }
  .modes input:checked + span {
    background: var(--_surface); color: var(--_ink); box-shadow: 0 1px 3px rgb(0 0 0 / 0.14);
  }
  .modes input:focus-visible + span { outline: 2px solid var(--_accent); outline-offset: 2px; }
  .modes input:disabled { cursor: default; }
  .modes input:disabled + span { opacity: 0.6; }
`

export const rowStyles = css`
  .rows { padding: 0; list-style: none; }
  .row {
    display: grid; grid-template-columns: 24px 122px minmax(0, 1fr) auto; align-items: center; gap: 12px;
    min-height: 64px; border-top: 1px solid var(--_line);
  }
  .row:last-child { border-bottom: 1px solid var(--_line); }
  .marker {
    width: 22px; height: 22px; padding: 2px; border: 2px solid var(--_line); border-radius: 50%; transition:
    background-color 160ms, border-color 160ms;
  }
  .requested .marker, .collecting .marker { border-color: var(--_accent); }
  .requested .marker { animation: breathe 1.6s ease-in-out infinite; }
  .valid .marker { border-color: var(--_accent); background: var(--_accent); color: var(--_on-accent); }
  .error .marker { border-color: var(--_danger); background: var(--_danger); color: var(--_surface); }
  .marker svg { stroke-width: 3; }
  .label { font-weight: 600; }
  .value {
    display: flex; align-items: center; flex-wrap: wrap; gap: 2px 12px; min-width: 0; font-size: 14px; line-
    height: 1.3;
  }
  .prompt { color: var(--_muted); text-wrap: balance; }
  .wrong { color: var(--_danger); text-wrap: pretty; }
  .brand { font-weight: 600; font-size: 15px; }
  .last-four { font-size: 15px; letter-spacing: 0.04em; }
  .last-four span[aria-hidden] { color: var(--_muted); letter-spacing: 0.12em; }
  .count { color: var(--_muted); }
  .dots { display: inline-flex; align-items: center; gap: 5px; }
  .dot { width: 9px; height: 9px; border-radius: 50%; background: color-mix(in oklab, var(--_ink) 13%, transparent); }
  .dot.on { background: var(--_accent); animation: land 180ms cubic-bezier(0.2, 1.4, 0.4, 1); }
  .dot.gap { margin-right: 7px; }
  .row button { min-width: 108px; }
  .no-action { min-width: 108px; }

  .notice { margin-top: 12px; color: var(--_danger); font-size: 14px; }
  .bottom { display: flex; align-items: center; gap: 10px; margin-top: auto; padding-top: 18px; min-height: 70px; }
  .charge { flex: 1; min-height: 52px; background: var(--_accent); color: var(--_on-accent); font-size: 17px; }
  .charge:hover { background: color-mix(in oklab, var(--_accent) 88%, var(--_ink)); }
  .question { flex: 1; font-weight: 600; }

  @keyframes land { from { transform: scale(0); } }
  @keyframes breathe { 50% { opacity: 0.35; } }
`

export const resultStyles = css`
  .result {
    flex: 1; display: flex; flex-direction: column; align-items: center; justify-content: center; gap: 6px;
    padding: 8px 0 12px; text-align: center;
  }
  .seal {
    width: 76px; height: 76px; padding: 16px; margin-bottom: 10px; border-radius: 50%; border: 3px solid
    var(--_line); color: var(--_muted);
  }
  .approved .seal {
    border-color: var(--_accent); background: var(--_accent); color: var(--_on-accent); animation: settle 320ms
    cubic-bezier(0.2, 1.3, 0.4, 1);
  }
  .declined .seal, .needs-review .seal { border-color: var(--_danger); color: var(--_danger); }
  .checking .seal { border-color: var(--_accent); color: var(--_accent); animation: breathe 2s ease-in-out infinite; }
  .charging .seal { border-top-color: var(--_accent); animation: turn 0.9s linear infinite; }
  h2 {
    font-size: 38px; line-height: 1.15; font-weight: 600; letter-spacing: -0.025em; outline-offset: 8px; border-
    radius: 4px;
  }
  .paid { color: var(--_muted); font-size: 16px; }
  .reason { max-width: 40ch; margin-top: 8px; font-size: 17px; text-wrap: balance; }
  .checking .reason, .needs-review .reason { font-weight: 600; }
  .code { display: flex; align-items: baseline; gap: 12px; margin-top: 14px; color: var(--_muted); font-size: 14px; }
  .code b { color: var(--_ink); font-size: 24px; font-weight: 600; letter-spacing: 0.06em; }
  .result button { min-height: 48px; margin-top: 18px; padding: 0 26px; font-size: 16px; }

  @keyframes settle { from { transform: scale(0.6); opacity: 0; } }
  @keyframes turn { to { transform: rotate(1turn); } }

  @container (max-width: 520px) {
    .row {
      grid-template-columns: 24px minmax(0, 1fr) auto; grid-template-rows: auto auto; gap: 0 12px; min-height: 78px;
      align-content: center;
    }
    .marker { grid-row: 1 / 3; }
    .label { grid-column: 2; align-self: end; }
    .value { grid-column: 2; grid-row: 2; align-self: start; min-height: 20px; padding-top: 2px; }
    .row button, .no-action { grid-column: 3; grid-row: 1 / 3; min-width: 0; }
    .row.error { padding: 10px 0; }
    .dots { gap: 3px; }
    .dot { width: 8px; height: 8px; }
    .dot.gap { margin-right: 4px; }
    .count { display: none; }
    .prompt { font-size: 13px; }
    .row.idle .label { grid-row: 1 / 3; align-self: center; }
    .row.idle .value { display: none; }
    .modes { flex: 1 0 100%; }
    .modes label { flex: 1; text-align: center; }
  }
  @media (prefers-reduced-motion: reduce) {
    *, *::before { animation: none !important; transition: none !important; }
    .charging .seal { border-color: var(--_accent); }
  }
  @media (forced-colors: active) {
    .dot { border: 1px solid CanvasText; }
    .dot.on { background: CanvasText; forced-color-adjust: none; }
  }
`
