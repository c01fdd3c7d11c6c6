import { setImmediate } from 'node:timers/promises'
import { generate, generateLater, Kept, leafOf, reasonOf, rejecting } from './leaves.js'
import type { FieldPlan, SchemaPlan } from './schema.js'

/** Makes what the fields of a planned schema give, the same each time, and writes down who asked for what. */
export class Values {
  /** Every call of a resolver or method and every read of a property, in order. */
  log: string[] = []
  /** Values that are still to come. */
  pending = 0
  readonly #plan: SchemaPlan

  constructor(plan: SchemaPlan) {
    this.#plan = plan
  }

  /** What a field gives, in the way it gives it. */
  of(field: FieldPlan): unknown {
    const value = (): unknown => this.#wrapped(field, field.type.replaceAll('!', ''))
    switch (field.settling) {
      case 'at once':
        return value()
      case 'promise':
        return Promise.resolve(value())
      case 'async function':
        return (async () => value())()
      case 'late':
        return this.#late(value)
      case 'thenable':
        return new Thenable(this, field, Promise.resolve(value()))
      case 'late thenable':
        return new Thenable(this, field, this.#late(value))
      case 'subclass of Promise':
        return Kept.resolve(value())
      case 'throws':
        throw reasonOf(field)
      case 'rejects':
        return rejecting(field)
      case 'rejects late':
        return this.#late(() => rejecting(field))
      case 'thenable rejects':
        return new Thenable(this, field, rejecting(field))
      case 'promise of an error':
        return Promise.resolve(new Error('a value'))
    }
  }

  /** An object of `type` with a property or method for each field that has no resolver. */
  object(type: string, kind: FieldPlan['object']): unknown {
    const properties: PropertyDescriptorMap = { __typename: { value: type, enumerable: true } }
    for (const field of this.#plan.types.get(type) ?? []) {
      if (field.from === 'resolver') continue
      properties[field.name] = { enumerable: true, get: () => this.#property(field) }
    }
    const plain = (): object => Object.defineProperties({}, properties)
    switch (kind) {
      case 'plain':
        return plain()
      case 'null prototype':
        return Object.create(null, properties)
      case 'inherited':
        return Object.create(plain())
      case 'frozen':
        return Object.freeze(plain())
      case 'Proxy':
        return this.#proxy(type, plain())
      case 'function':
        return Object.defineProperties(() => undefined, properties)
      case 'null':
        return null
      case 'an error':
        return new Error('a value')
      case 'text':
        return 'no object'
    }
  }

  #property(field: FieldPlan): unknown {
    this.log.push(`get ${field.parent}.${field.name}`)
    if (field.from === 'property') return this.of(field)
    return (...given: unknown[]) => {
      this.log.push(`call ${field.parent}.${field.name} ${given.length} ${JSON.stringify(given[0])}`)
      return this.of(field)
    }
  }

  #proxy(type: string, target: object): object {
    return new Proxy(target, {
      get: (object, key, receiver): unknown => {
        // How often `then` is read has a test of its own.
        if (key !== 'then') this.log.push(`read ${type} ${String(key)}`)
        return Reflect.get(object, key, receiver)
      },
      ownKeys: object => {
        this.log.push(`list ${type}`)
        return Reflect.ownKeys(object)
      }
    })
  }

  async #late(value: () => unknown): Promise<unknown> {
    this.pending += 1
    try {
      await setImmediate()
      return await value()
    } finally {
      this.pending -= 1
    }
  }

  #wrapped(field: FieldPlan, type: string): unknown {
    if (!type.startsWith('[')) return this.#item(field, 0)
    const items = Array.from({ length: field.length }, (_, index) =>
      type.startsWith('[[') ? [this.#item(field, index)] : this.#item(field, index)
    )
    switch (field.list) {
      case 'array':
        return items
      case 'promises':
        return items.map(item => Promise.resolve(item))
      case 'some reject':
        return items.map((item, index) => (index === 1 ? rejecting(field) : item))
      case 'some are null':
        return items.map((item, index) => (index === 1 ? null : item))
      case 'Set':
        return new Set(items)
      case 'generator':
        return generate(items)
      case 'frozen':
        return Object.freeze(items)
      case 'async iterable':
        return generateLater(items)
      case 'no list':
        return items[0] ?? 7
      case 'null':
        return null
    }
  }

  #item(field: FieldPlan, index: number): unknown {
    if (field.base === 'Any' || field.base === 'Named') {
      const { members } = this.#plan
      return this.object(members[index % members.length] ?? 'T0', field.object)
    }
    if (this.#plan.types.has(field.base)) return this.object(field.base, field.object)
    return leafOf(field, index)
  }
}

/** A promise of another make; its `then` is asked for as often as the engine wants. */
class Thenable implements PromiseLike<unknown> {
  readonly then: PromiseLike<unknown>['then']

  constructor(values: Values, { parent, name }: FieldPlan, promise: Promise<unknown>) {
    this.then = (...callbacks) => {
      values.log.push(`then ${parent}.${name}`)
      return promise.then(...callbacks)
    }
  }
}
