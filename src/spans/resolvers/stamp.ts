/** A constructor that hands back the object it is given, so that a class below it puts its private fields on that one. */
const Given = function (object: object): object {
  return object
} as unknown as new (object: object) => object

/**
 * A note on an object of somebody else's that nobody can see: no key, not copied with the object, and possible on a
 * frozen one. A hidden property would cost ten times as much, a WeakMap the same and garbage collection besides.
 */
export class Stamp extends Given {
  #value: unknown

  private constructor(object: object, value: unknown) {
    super(object)
    this.#value = value
  }

  /** Puts the first note on `object`, which says `undefined` so far: to ask again whether there is one would cost more. */
  static first(object: object, value: unknown): void {
    new Stamp(object, value)
  }

  /** Puts `value` in the place of the note on `object`; it must not be `undefined`. */
  static put(object: object, value: unknown): void {
    if (#value in object) object.#value = value
  }

  /** The note on `object`; `undefined` where there never was one. */
  static on(object: object): unknown {
    return #value in object ? object.#value : undefined
  }

  /**
   * The same for where there nearly always is one: code that has seen objects without is compiled into a search, which
   * each call of a resolver would pay for.
   */
  static onMarked(object: object): unknown {
    return #value in object ? object.#value : undefined
  }
}
