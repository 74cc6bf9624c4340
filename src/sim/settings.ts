/** The settings of the simulators' process: one JSON object. */
import { isIP } from 'node:net'
import { z } from 'zod'

const ipAddress = z.string().refine((text) => isIP(text) !== 0)
const port = z.number().int().min(0).max(65_535)
const number = z.string().regex(/^\+?[0-9]{1,15}$/)

export const simulatorSettings = z.strictObject({
  /** Where calls go: Tonewall's SIP address. */
  tonewall: z.strictObject({ host: ipAddress, sipPort: port.min(1) }),
  /** The number that the caller dials when none is given. */
  calledNumber: number,
  /** The caller's own number. 01632 960xxx is kept free for stories by the UK regulator. */
  callerNumber: number.default('+441632960142'),
  /** The caller side's address for SIP and RTP; its SIP port is any free one unless given. */
  callerHost: ipAddress.default('127.0.0.1'),
  callerSipPort: port.default(0),
  agentSip: z.strictObject({ host: ipAddress, port }),
  /** How long the agent's phone rings before it answers. */
  ringMs: z.number().int().min(0).max(60_000).default(1_000),
  codecs: z
    .array(z.enum(['PCMA', 'PCMU']))
    .min(1)
    .max(2)
    .default(['PCMA', 'PCMU']),
  /** What a key press is sent as when the request does not say. */
  carriage: z.enum(['in-band', 'event', 'info']).default('in-band'),
  /** True: the caller goes on talking while keying in-band; false: the microphone is mute while a key is down. */
  talkOver: z.boolean().default(false),
  /** Absent: no page and no live audio, for tests and the terminal demo. `allowedHosts`: names other than this machine's own. */
  http: z
    .strictObject({ host: ipAddress, port, allowedHosts: z.array(z.string().max(255)).max(16).default([]) })
    .optional(),
  /** The desk's access to control, for the agent's widget. Absent: no desk. */
  control: z.strictObject({ api: z.url({ protocol: /^https?$/ }), apiKeyFile: z.string().min(1) }).optional(),
  /** The sandbox gateway. Absent: none is started. `slowMs`: how long its slow card takes. */
  gateway: z
    .strictObject({
      host: ipAddress,
      port,
      keyFile: z.string().min(1),
      slowMs: z.number().int().min(0).max(600_000).exactOptional(),
      queryLagMs: z.number().int().min(0).max(600_000).exactOptional(),
    })
    .optional(),
  /** The folder that holds `voice/`. */
  assets: z.string().min(1),
  /** The built demo page. */
  webRoot: z.string().min(1).optional(),
  /** Makes tones, noise and SIP identifiers reproducible. */
  seed: z.number().int().min(0).max(0xffff_ffff).optional(),
})
export type SimulatorSettings = z.infer<typeof simulatorSettings>
/** As a program writes them: what has a default may be left out. */
export type SimulatorSettingsInput = z.input<typeof simulatorSettings>
