import { AsyncLocalStorage } from 'node:async_hooks'
import { setImmediate, setTimeout } from 'node:timers/promises'
import { ROOT_CONTEXT, type Context } from '@opentelemetry/api'
import fc from 'fast-check'
import { test } from 'tap'
import { ContextFrames } from '../../src/spans/context-frames.js'
import { DirectContextManager, type EnterableContext } from '../../src/spans/context-manager.js'

/** What runs while a context is entered, or after it was left. */
type Step =
  | { readonly does: 'enter' | 'with' | 'run'; readonly steps: readonly Step[] }
  | { readonly does: 'enterWith' | 'disable' }

/** Enters a context around `work`. */
type Around = (context: EnterableContext, work: () => void) => void

function enterable(): EnterableContext {
  return Object.assign(Object.create(ROOT_CONTEXT) as Context, { frame: undefined, frameAround: undefined })
}

const { steps } = fc.letrec<{ steps: readonly Step[]; step: Step }>(tie => ({
  steps: fc.array(tie('step'), { maxLength: 4, depthIdentifier: 'steps' }),
  step: fc.oneof(
    { depthIdentifier: 'steps', maxDepth: 5, withCrossShrink: true },
    fc.record({ does: fc.constantFrom('enterWith' as const, 'enterWith' as const, 'disable' as const) }),
    fc.record({
      does: fc.constantFrom('enter' as const, 'enter' as const, 'with' as const, 'run' as const),
      steps: tie('steps')
    })
  )
}))

/** What the monitor's storage, and one of the application, hold after each step. */
function seen(program: readonly Step[], enter: Around, within: Around, active: () => unknown): string[] {
  const ofApp = new AsyncLocalStorage<number>()
  const contexts: unknown[] = [ROOT_CONTEXT]
  const found: string[] = []
  let value = 0
  const look = (does: string): void => {
    found.push(`${does}: context ${contexts.indexOf(active() ?? ROOT_CONTEXT)}, value ${ofApp.getStore()}`)
  }
  const perform = (step: Step): void => {
    value += 1
    if (!('steps' in step)) {
      if (step.does === 'enterWith') ofApp.enterWith(value)
      else ofApp.disable()
    } else {
      const inside = (): void => {
        look(`in ${step.does}`)
        step.steps.forEach(perform)
      }
      const context = enterable()
      contexts.push(context)
      if (step.does === 'run') ofApp.run(value, inside)
      else (step.does === 'enter' ? enter : within)(context, inside)
    }
    look(`after ${step.does}`)
  }
  program.forEach(perform)
  return found
}

/** In a turn of its own, so that nothing entered before is active. */
function inTurn<Result>(work: () => Result): Promise<Result> {
  return setImmediate().then(work)
}

function ours(program: readonly Step[]): Promise<string[]> {
  return inTurn(() => {
    // As the preload leaves it: what is active in the turn knows nothing of it.
    const manager = new DirectContextManager().disable()
    const enter: Around = (context, work) => {
      const before = manager.enter(context)
      try {
        work()
      } finally {
        manager.leave(context, before)
      }
    }
    return seen(
      program,
      enter,
      (context, work) => {
        manager.with<[], () => void>(context, work)
      },
      () => manager.active()
    )
  })
}

/** The same with nothing but what Node documents. */
function plain(program: readonly Step[]): Promise<string[]> {
  return inTurn(() => {
    const storage = new AsyncLocalStorage<unknown>()
    const enter: Around = (context, work) => {
      const before = storage.getStore()
      storage.enterWith(context)
      work()
      storage.enterWith(before)
    }
    return seen(program, enter, enter, () => storage.getStore())
  })
}

test('whatever an application does with storages of its own, entering and leaving a context changes none of it', async t => {
  await fc.assert(
    fc.asyncProperty(steps, async program => {
      t.strictSame(await ours(program), await plain(program))
    }),
    { numRuns: 500, examples: [[[{ does: 'enterWith' }, { does: 'enter', steps: [{ does: 'disable' }] }]]] }
  )
})

test('what is started inside a context stays in it, and the context holds nothing once it is left', async t => {
  const manager = new DirectContextManager()
  const context = enterable()
  const before = manager.enter(context)
  const later = Promise.resolve().then(() => manager.active())
  const timer = setTimeout(1).then(() => manager.active())
  manager.leave(context, before)
  t.equal(manager.active(), ROOT_CONTEXT)
  t.equal(await later, context)
  t.equal(await timer, context)
  t.strictSame([context.frame, context.frameAround], [undefined, undefined])
})

test('the frames of Node 24 are found there, and nowhere before', t => {
  const [major = 0] = process.versions.node.split('.').map(Number)
  t.equal(ContextFrames.of(new AsyncLocalStorage()) !== undefined, major >= 24)
  t.end()
})

test('where the frames are not as known, contexts are entered without them', t => {
  const storage = new AsyncLocalStorage<unknown>()
  // As a Node whose resources keep their frame in another way.
  storage.run = <Result>(_: unknown, work: () => Result): Result => work()
  t.equal(ContextFrames.of(storage), undefined)
  t.end()
})
