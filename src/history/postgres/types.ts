/** How what Postgres answers becomes JavaScript, by the oid of its type; anything else stays text. */
const parsers = new Map<number, (text: string) => unknown>([
  [16, text => text === 't'],
  [17, text => Buffer.from(text.slice('\\x'.length), 'hex')],
  [23, Number],
  [1184, text => new Date(isoOf(text))],
  [3802, text => JSON.parse(text) as unknown]
])

/** Parsers of our own: those of the driver are the application's to change, for all connections of the process. */
export const types = {
  getTypeParser: (oid: number) => parsers.get(oid) ?? asItIs
}

function asItIs(text: string): string {
  return text
}

/** `2026-11-25 12:00:00.5+00`, as Postgres writes it in the time zone and style that are set for the connection. */
function isoOf(text: string): string {
  return text.replace(' ', 'T').replace(/([+-]\d\d)$/, '$1:00')
}
