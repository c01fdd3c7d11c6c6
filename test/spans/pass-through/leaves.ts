import type { FieldPlan } from './schema.js'

/** A promise of another class, as libraries have them. */
export class Kept<Value> extends Promise<Value> {}

export function rejecting(field: FieldPlan): Promise<never> {
  // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- what is no Error is the point
  return Promise.reject(reasonOf(field))
}

export function reasonOf({ parent, name, reason }: FieldPlan): unknown {
  switch (reason) {
    case 'Error':
      return new Error(`of ${parent}.${name}`)
    case 'Error with extensions':
      return Object.assign(new TypeError(`of ${parent}.${name}`), { extensions: { code: 'CODE' } })
    case 'text':
      return `of ${parent}.${name}`
    case 'undefined':
      return undefined
    case 'null':
      return null
    case 'symbol':
      return Symbol(name)
    case 'number':
      return 7
    case 'frozen':
      return Object.freeze(new Error(`frozen of ${parent}.${name}`))
    case 'Proxy':
      return new Proxy(new Error(`proxy of ${parent}.${name}`), {})
  }
}

export function leafOf({ base, leaf }: FieldPlan, index: number): unknown {
  const right = new Map<string, unknown>([
    ['String', `text ${index}`],
    ['Int', index],
    ['Float', index + 0.5],
    ['Boolean', index % 2 === 0],
    ['ID', `id${index}`],
    ['Color', index % 2 === 0 ? 'RED' : 'GREEN']
  ])
  switch (leaf) {
    case 'right':
      return right.get(base)
    case 'null':
      return null
    case 'undefined':
      return undefined
    case 'wrong':
      return base === 'Color' ? 'BLUE' : { no: 'leaf' }
    case 'an error':
      return new Error('a value')
    case 'boxed':
      return { valueOf: () => right.get(base) }
  }
}

export function* generate(items: readonly unknown[]): Generator {
  yield* items
}

export async function* generateLater(items: readonly unknown[]): AsyncGenerator {
  for (const item of items) yield await Promise.resolve(item)
}
