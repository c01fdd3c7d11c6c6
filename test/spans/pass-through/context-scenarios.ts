import { answer, type Scenario } from './scenarios.js'

/** Contexts that nothing can be written to, or that do not suffer it. */
const contexts: Record<string, unknown> = {
  undefined: undefined,
  null: null,
  text: 'text',
  'a number': 0,
  'a symbol': Symbol.iterator,
  'a function': () => undefined,
  'a frozen object': Object.freeze({}),
  'a sealed object': Object.seal({}),
  'a Proxy that refuses properties': new Proxy({}, { defineProperty: () => false, set: () => false }),
  'a Proxy that throws at properties': new Proxy(
    {},
    {
      defineProperty: () => {
        throw new Error('not to be written to')
      },
      set: () => {
        throw new Error('not to be written to')
      }
    }
  ),
  'a revoked Proxy': revoked()
}

function revoked(): unknown {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}

export const contextScenarios: Record<string, Scenario> = Object.fromEntries(
  Object.entries(contexts).map(([name, given]): [string, Scenario] => [
    `a resolver is given the very context, which is ${name}`,
    engine => answer(engine, given, (_source, _args, context) => String(context === given))
  ])
)
