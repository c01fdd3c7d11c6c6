import { randomFillSync } from 'node:crypto'

const BYTES = 8
const DIGITS = 2 * BYTES
const MADE_AT_ONCE = 256
const NO_ID = '0'.repeat(DIGITS)

const bytes = Buffer.alloc(BYTES * MADE_AT_ONCE)
let digits = ''
let next = 0

/** 16 hexadecimal digits, not all 0. Made many at once: one by one they take longer than the rest of a span. */
export function newSpanId(): string {
  if (next >= digits.length) {
    digits = randomFillSync(bytes).toString('hex')
    next = 0
  }
  const id = digits.slice(next, next + DIGITS)
  next += DIGITS
  return id === NO_ID ? newSpanId() : id
}
