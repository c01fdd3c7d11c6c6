import { badInput } from './errors.js'

const LARGEST_ID = 2_147_483_647
const LARGEST_PAGE = 100

/** The number behind an `ID`, or null for text that no row can have as its id. */
export function parseId(id: string): number | null {
  return /^[1-9]\d{0,9}$/.test(id) && Number(id) <= LARGEST_ID ? Number(id) : null
}

/**
 * An `ID` that narrows a list. No row has the id 0, so one that cannot exist narrows it to nothing.
 */
export function parseFilterId(id: string | null | undefined): number | null {
  return id === null || id === undefined ? null : (parseId(id) ?? 0)
}

/** @throws TrackerError BAD_INPUT outside 1 to 100; null, which GraphQL allows here, asks for the default. */
export function checkPageSize(first: number | null | undefined, byDefault: number): number {
  const size = first ?? byDefault
  if (size < 1 || size > LARGEST_PAGE) throw badInput(`first is ${size}: expected 1 to ${LARGEST_PAGE}`)
  return size
}

/** @throws TrackerError BAD_INPUT for text of another length, or with the one character that Postgres cannot store */
export function checkText(name: string, text: string, { min, max }: { min: number; max: number }): string {
  if (text.includes('\0')) throw badInput(`${name} contains a NUL character`)
  const written = text.trim().length
  if (written < min || text.length > max) {
    const seen = written === 0 && text.length > 0 ? 'nothing but spaces' : `${text.length} characters`
    throw badInput(`${name} has ${seen}: expected ${min} to ${max} characters`)
  }
  return text
}
