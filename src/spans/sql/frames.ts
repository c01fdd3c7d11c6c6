// What an open bracket, or the text itself, holds.
export const PLAIN = 0
export const LIST = 1 // the elements after IN ( and ARRAY [
export const ROWS = 2 // the rows after VALUES

// One text with brackets thousands deep must not set the memory held from then on.
const KEPT_FRAMES = 256

export interface Frame {
  mode: number
  /** Inside a list or row, at any depth: the sign of a constant belongs to its value there. */
  listed: boolean
  itemStart: number
  /** The largest parameter before this item. */
  parametersBefore: number
  /** The item that later ones are compared with; `keptEnd` is 0 when there is none yet. */
  keptStart: number
  keptEnd: number
}

/** The open brackets, outermost first; frames are used again from one text to the next. */
export class Frames {
  readonly #frames: Frame[] = []
  #depth = 0
  top: Frame = createFrame()

  reset(): void {
    if (this.#frames.length > KEPT_FRAMES) this.#frames.length = KEPT_FRAMES
    this.#depth = -1
    this.open(PLAIN, false)
  }

  open(mode: number, listed: boolean): Frame {
    const frame = (this.#frames[++this.#depth] ??= createFrame())
    frame.mode = mode
    frame.listed = listed
    frame.itemStart = 0
    frame.parametersBefore = 0
    frame.keptEnd = 0
    this.top = frame
    return frame
  }

  close(): void {
    if (this.#depth > 0) this.#depth--
    this.top = this.#frames[this.#depth] ?? this.top
  }

  /** The outermost list still open that has kept an item. */
  outermostFolded(): Frame | undefined {
    return this.#frames.find((frame, index) => index <= this.#depth && frame.mode !== PLAIN && frame.keptEnd > 0)
  }
}

function createFrame(): Frame {
  return { mode: PLAIN, listed: false, itemStart: 0, parametersBefore: 0, keptStart: 0, keptEnd: 0 }
}
