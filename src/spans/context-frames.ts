import { AsyncResource, type AsyncLocalStorage } from 'node:async_hooks'

/** What all storages of the process hold in some context, by storage. Entering a context makes another one. */
export type ContextFrame = ReadonlyMap<unknown, unknown>

/** Node's class of them; the constructor copies the current one and puts `value` in. */
interface ContextFrameClass {
  new (storage: object, value: unknown): ContextFrame
  current(): ContextFrame | undefined
  set(frame: ContextFrame | undefined): void
}

const NO_VALUE = {}

/**
 * The frames of Node 24 and later, which it has no way to put back but a function to run: what `enterWith` does to leave a
 * context again is to copy one, and a copy is most of what a context costs. The class is none of Node's public ones, so
 * that it is looked for and tried out; where anything is not as known, there are no frames, and `enterWith` does.
 */
export class ContextFrames {
  readonly #class: ContextFrameClass
  readonly #storage: object

  private constructor(frameClass: ContextFrameClass, storage: object) {
    this.#class = frameClass
    this.#storage = storage
  }

  /** Undefined where Node has none. */
  static of(storage: AsyncLocalStorage<unknown>): ContextFrames | undefined {
    try {
      const frameClass = classOfFrames(storage)
      return frameClass && new ContextFrames(frameClass, storage)
    } catch {
      // Node 22 has the key and no frames, and follows promises from here on unless it is told not to.
      storage.disable()
      return undefined
    }
  }

  get current(): ContextFrame | undefined {
    return this.#class.current()
  }

  /** Puts a new frame in the place of `current`, in which the storage holds `value`; returns it. */
  enter(current: ContextFrame | undefined, value: unknown): ContextFrame {
    // The constructor need not copy what it will overwrite.
    if (current?.size === 1 && current.has(this.#storage)) this.#class.set(undefined)
    const entered = new this.#class(this.#storage, value)
    this.#class.set(entered)
    return entered
  }

  /** Puts `around` back in the place of `entered`, unless somebody has entered or left anything since: false then. */
  leave(entered: ContextFrame, around: ContextFrame | undefined): boolean {
    // A storage that is switched off is taken out of the current frame.
    if (this.#class.current() !== entered || entered.size !== this.#sizeWithin(around)) return false
    this.#class.set(around)
    return true
  }

  /** How much a frame holds that was entered within `around`. */
  #sizeWithin(around: ContextFrame | undefined): number {
    if (around === undefined) return 1
    return around.has(this.#storage) ? around.size : around.size + 1
  }
}

function classOfFrames(storage: AsyncLocalStorage<unknown>): ContextFrameClass | undefined {
  // Asked first: a storage that is run on Node 20 makes promises dearer for as long as the process lives.
  const key = keyOfFrame(new AsyncResource('mercurius-performance'))
  if (key === undefined) return undefined
  const resource = storage.run(NO_VALUE, () => new AsyncResource('mercurius-performance'))
  const frame = Reflect.get(resource, key) as object
  const frameClass = frame.constructor as unknown as ContextFrameClass
  return storage.run(NO_VALUE, () => works(frameClass, storage)) ? frameClass : undefined
}

function keyOfFrame(resource: AsyncResource): symbol | undefined {
  return Object.getOwnPropertySymbols(resource).find(({ description }) => description === 'context_frame')
}

/** Whether a frame can be made, put in the place of another and put back. */
function works(frameClass: ContextFrameClass, storage: AsyncLocalStorage<unknown>): boolean {
  const around = frameClass.current()
  const value = {}
  const frame = new frameClass(storage, value)
  const isApart = storage.getStore() === NO_VALUE && frame.get(storage) === value && frame.size === around?.size
  frameClass.set(frame)
  const isEntered = storage.getStore() === value && frameClass.current() === frame
  frameClass.set(around)
  return isApart && isEntered && storage.getStore() === NO_VALUE
}
