import { copyOf } from '../lib/text.js'
import { OVERFLOW } from './dimension.js'

/** How many callers of one statement are told apart; those that come after them count as one. */
export const CALLERS_OF_STATEMENT = 32
/** And of all statements together, since clients choose the names of operations. */
const CALLERS_OF_ALL = 8192

/** The resolver and the operation that a statement came from; null where that is not known. */
export class Caller {
  readonly resolver: string | null
  readonly operation: string | null
  /** In how many tallies it stands; without any it is forgotten. */
  tallies = 0

  constructor(resolver: string | null, operation: string | null) {
    this.resolver = resolver
    this.operation = operation
  }
}

/** How many more callers may be told apart, by all statements together. */
export class CallerAllowance {
  left = CALLERS_OF_ALL
}

/**
 * The callers of one statement. The operations lie below the resolvers, not the other way round: clients choose the
 * names of operations, and an entry costs less than a Map.
 */
export class Callers {
  readonly #allowance: CallerAllowance
  readonly #byResolver = new Map<string | null, Map<string | null, Caller>>()
  readonly #other = new Caller(OVERFLOW, OVERFLOW)
  #size = 0

  constructor(allowance: CallerAllowance) {
    this.#allowance = allowance
  }

  get(resolver: string | null, operation: string | null): Caller {
    return this.#byResolver.get(resolver)?.get(operation) ?? this.#create(resolver, operation)
  }

  /** The one of this statement that stands for a caller of another. */
  like({ resolver, operation }: Caller): Caller {
    return resolver === OVERFLOW ? this.#other : this.get(resolver, operation)
  }

  /** Says that a tally of `caller` is gone. */
  release(caller: Caller): void {
    caller.tallies -= 1
    if (caller.tallies > 0 || caller === this.#other) return
    const { resolver, operation } = caller
    const ofResolver = this.#byResolver.get(resolver)
    ofResolver?.delete(operation)
    if (ofResolver?.size === 0) this.#byResolver.delete(resolver)
    this.#size -= 1
    this.#allowance.left += 1
  }

  #create(resolver: string | null, operation: string | null): Caller {
    if (this.#size >= CALLERS_OF_STATEMENT || this.#allowance.left <= 0) return this.#other
    this.#size += 1
    this.#allowance.left -= 1
    const created = new Caller(resolver, operation && copyOf(operation))
    const ofResolver = this.#byResolver.get(resolver) ?? new Map<string | null, Caller>()
    this.#byResolver.set(resolver, ofResolver.set(created.operation, created))
    return created
  }
}
