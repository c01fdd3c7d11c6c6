/** What a service writes down of what it executes, to compare with what the monitor counts. */
import type { GraphQLResolveInfo } from 'graphql'
import type { MercuriusContext } from 'mercurius'

/** Calls or executions, and how many of them failed, by name. */
export type Counts = Record<string, readonly [count: number, errors: number]>

export interface Books {
  readonly resolvers: Counts
  readonly operations: Counts
}

export interface Report {
  readonly executed: Books
  readonly counted: Books
}

export const calls = new Map<string, [number, number]>()
export const operations = new Map<string, [number, number]>()
let running = 0

/** How many calls and operations have begun and not ended. */
export function runningNow(): number {
  return running
}

export function begin(): void {
  running += 1
}

export function end(book: Map<string, [number, number]>, name: string, failed: boolean): void {
  running -= 1
  note(book, name, 1, failed ? 1 : 0)
}

export function note(book: Map<string, [number, number]>, name: string, count: number, errors: number): void {
  const [before, errorsBefore] = book.get(name) ?? [0, 0]
  book.set(name, [before + count, errorsBefore + errors])
}

type Resolver<Source> = (
  source: Source,
  args: { id?: string; count?: number; wait?: number },
  context: MercuriusContext,
  info: GraphQLResolveInfo
) => unknown

/** A resolver that is entered in the books. */
export function booked<Source>(resolve: Resolver<Source>): Resolver<Source> {
  return (source, args, context, info) => {
    const name = `${info.parentType.name}.${info.fieldName}`
    const ended = (failed: boolean): void => {
      end(calls, name, failed)
    }
    begin()
    try {
      const result = resolve(source, args, context, info)
      if (!(result instanceof Promise)) ended(false)
      else
        result.then(
          () => {
            ended(false)
          },
          () => {
            ended(true)
          }
        )
      return result
    } catch (error) {
      ended(true)
      throw error
    }
  }
}
