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

  static put(object: object, value: unknown): void {
    if (#value in object) object.#value = value
    else new Stamp(object, value)
  }

  /** What was put on `object` last. */
  static on(object: object): unknown {
    return #value in object ? object.#value : undefined
  }
}
