import type { GraphQLResolveInfo } from 'graphql'
import { setTimeout as delay, setImmediate as turn } from 'node:timers/promises'

type Resolver = (source: object, args: object, context: object, info: GraphQLResolveInfo) => unknown

/** Ways for a call to end, and not to. */
export const shapes = {
  sync: (result: object) => result,
  promised: async (result: object) => Promise.resolve(result),
  late: async (result: object) => {
    await turn()
    return result
  },
  thenable: (result: object) => ({
    then: (fulfilled: (value: unknown) => unknown) => Promise.resolve(result).then(fulfilled)
  }),
  throws: (result: object) => {
    throw Object.assign(new Error('thrown'), { result })
  },
  rejects: async (result: object) => {
    await turn()
    throw Object.assign(new Error('rejected'), { result })
  },
  startsTimer: (result: object) => {
    // It outlives the operation, with the context that it was started in.
    setInterval(() => undefined, 1e6).unref()
    return result
  },
  neverEnds: async (result: object) => {
    await new Promise(() => undefined)
    return result
  },
  takesLong: async (result: object) => {
    await delay(10)
    return result
  }
} satisfies Record<string, (result: object) => unknown>

const kept = new Map<string, WeakRef<object>[]>()

/** Notes an object, without holding it. */
export function held(kind: string, object: object): void {
  const references = kept.get(kind) ?? []
  kept.set(kind, references)
  references.push(new WeakRef(object))
}

/** A resolver that notes all that it sees of a call. */
export function noting(name: string, resolve: (source: object) => unknown): Resolver {
  return (source, args, context, info) => {
    held(`${name}: arguments`, args)
    held(`${name}: context`, context)
    held(`${name}: info`, info)
    const returned = resolve(source)
    if (typeof returned === 'object' && returned !== null) held(`${name}: returned`, returned)
    return returned
  }
}

/** One for each of `shapes`, with a result of its own for each call. */
export function shapeResolvers(): Record<string, Resolver> {
  return Object.fromEntries(
    Object.entries<(result: object) => unknown>(shapes).map(([name, way]): [string, Resolver] => [
      name,
      noting(name, () => {
        const result = { name: 'result' }
        held(`${name}: result`, result)
        return way(result)
      })
    ])
  )
}

export interface References {
  /** How many were noted. */
  readonly noted: number
  /** How many are still alive, by kind. */
  readonly alive: Record<string, number>
}

export function references(): References {
  const alive = [...kept].map(([kind, all]): [string, number] => [
    kind,
    all.filter(reference => reference.deref() !== undefined).length
  ])
  return {
    noted: [...kept.values()].flat().length,
    alive: Object.fromEntries(alive.filter(([, count]) => count > 0))
  }
}
