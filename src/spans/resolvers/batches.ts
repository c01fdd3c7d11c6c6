import type { AddLoader, LoadBatch } from './modules.js'
import type { ExecutionSink } from './sinks.js'

/** How Mercurius names the loader of a field. */
const LOADER_KEY = /^([_A-Za-z]\w*)-([_A-Za-z]\w*)$/

/** single-user-cache's `Factory.add` with the batch functions of Mercurius' loaders measured. */
export function measureBatches(original: AddLoader, sink: () => ExecutionSink): AddLoader {
  return function (this: unknown, key, options, load, ...more) {
    const names = LOADER_KEY.exec(key)
    if (names === null || typeof load !== 'function') return original.call(this, key, options, load, ...more)
    const measured = measuredLoad(`${names[1] ?? ''}.${names[2] ?? ''}`, load as LoadBatch, sink)
    return original.call(this, key, options, measured, ...more)
  }
}

function measuredLoad(name: string, load: LoadBatch, sinkOf: () => ExecutionSink): LoadBatch {
  return function (this: unknown, queries, context) {
    const sink = sinkOf()
    if (!sink.accepts()) return load.call(this, queries, context)
    const start = sink.now()
    const ended = (failed: boolean) => (): void => {
      try {
        sink.batch(name, queries.length, Math.round(sink.now() - start), failed)
      } catch (error) {
        sink.caught(error)
      }
    }
    const result = load.call(this, queries, context)
    // What is no promise fails in the library, right after this and without us.
    if (result instanceof Promise) result.then(ended(false), ended(true))
    return result
  }
}
