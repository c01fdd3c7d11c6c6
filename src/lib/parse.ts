const words = new Map<string, boolean>([
  ['true', true],
  ['1', true],
  ['yes', true],
  ['on', true],
  ['false', false],
  ['0', false],
  ['no', false],
  ['off', false]
])

const secondsPerUnit = new Map([
  ['s', 1],
  ['m', 60],
  ['h', 3600],
  ['d', 86_400]
])

/** `true`, `yes`, `on`, `1` and their opposites, in any case; undefined for anything else. */
export function readBoolean(text: string): boolean | undefined {
  return words.get(text.toLowerCase())
}

/** Decimal seconds such as `90`, `0.5` or `1h`, `15m`, `90s`, `7d`, as seconds; undefined for anything else. */
export function readSeconds(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)([smhd]?)$/.exec(text.toLowerCase())
  return match ? Number(match[1]) * (secondsPerUnit.get(match[2] ?? '') ?? 1) : undefined
}

/** A whole number such as `1000`; undefined for anything else. */
export function readCount(text: string): number | undefined {
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined
}

/** A share such as `0.05` or `5%`, as a number; undefined for anything else. */
export function readShare(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(%?)$/.exec(text)
  return match ? Number(match[1]) / (match[2] === '%' ? 100 : 1) : undefined
}

/** A value as a message may show it: short, on one line, its type where the value itself says little. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value)
  return value !== null && (typeof value === 'object' || typeof value === 'function')
    ? `a value of type ${typeof value}`
    : String(value)
}
