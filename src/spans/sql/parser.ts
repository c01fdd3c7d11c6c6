import { performance } from 'node:perf_hooks'
import type * as PgQuery from 'libpg-query'
import type { Description } from './fallback.js'
import { fingerprintOf } from './fingerprint.js'
import { describeTree } from './tree.js'

export interface ParserOptions {
  /** Parses a second of the clock; one that takes longer than PARSE_MILLISECONDS counts as several. */
  readonly parsesPerSecond: number
  /** A monotonic clock, in milliseconds. */
  readonly now: () => number
  /** Where the library comes from; a failure to load is not an error. Default: the package libpg-query. */
  readonly load?: () => Promise<Library>
}

export interface Parsed extends Description {
  readonly fingerprint: string
}

export interface Parser {
  readonly ready: Promise<void>
  readonly loaded: boolean
  /** 'later' when there is no parser or no budget now, 'never' when the parser does not understand the text. */
  parse(text: string, operation: string): Parsed | 'later' | 'never'
}

export type Library = Pick<typeof PgQuery, 'parseSync' | 'fingerprintSync'>

/** What a parse and a fingerprint of an ordinary statement cost: at 100 a second that is 1% of a core. */
const PARSE_MILLISECONDS = 0.1

// A fault inside WASM (its recursion outgrowing the stack) leaves up to half a megabyte behind each time; after hundreds the
// library would exhaust its memory, dump it to stderr and set the exit code of the process.
const TOLERATED_FAULTS = 3

export const monotonicMilliseconds = (): number => performance.now()

/** PostgreSQL's own parser, loaded in the background and asked within a budget. Nothing in here throws. */
export function createParser({ parsesPerSecond, now, load = loadLibrary }: ParserOptions): Parser {
  const budget = createBudget(parsesPerSecond)
  let library: Library | null = null
  let faults = 0
  const ready = load().then(
    loaded => {
      library = loaded
    },
    () => {
      // No WASM here, or the package is missing: the tokens have to do, and parserLoaded says so.
    }
  )

  return {
    ready,
    get loaded() {
      return library !== null
    },
    parse(text, operation) {
      if (library === null) return 'later'
      // To the library, written in C, the text would end there.
      if (text.includes('\0')) return 'never'
      const start = now()
      if (!budget.has(start)) return 'later'
      try {
        return parseWith(library, text, operation)
      } catch (error) {
        if (isFault(error) && ++faults === TOLERATED_FAULTS) library = null
        return 'never'
      } finally {
        budget.spend(now() - start)
      }
    }
  }
}

async function loadLibrary(): Promise<Library> {
  const library = await import('libpg-query')
  await library.loadModule()
  return library
}

function parseWith(library: Library, text: string, operation: string): Parsed | 'never' {
  const tree = library.parseSync(text)
  const fingerprint = library.fingerprintSync(text)
  // On some failures the library answers with a message, which may quote the text.
  if (!FINGERPRINT.test(fingerprint)) return 'never'
  return { ...describeTree(tree, operation), fingerprint: fingerprintOf(fingerprint, tree) }
}

const FINGERPRINT = /^[0-9a-f]{16}$/

/** Plain errors are how the library rejects a text; anything else comes from its WASM or from the stack. */
function isFault(error: unknown): boolean {
  return !(error instanceof Error) || error instanceof RangeError || error.name === 'RuntimeError'
}

function createBudget(perSecond: number): { has(time: number): boolean; spend(milliseconds: number): void } {
  let second = -Infinity
  let spent = 0
  return {
    has(time) {
      if (time - second >= 1000) {
        second = time
        spent = 0
      }
      return spent < perSecond
    },
    spend(milliseconds) {
      spent += Math.max(1, milliseconds / PARSE_MILLISECONDS)
    }
  }
}
