const CONTINUES = 0x80
const SEVEN_BITS = 0x7f
const ID_BYTES = 7

/** Writes whole numbers in as few bytes as they need, least significant seven bits first, into a buffer that grows. */
export class ByteWriter {
  #buffer: Buffer
  #length = 0

  constructor(size = 4096) {
    this.#buffer = Buffer.allocUnsafe(size)
  }

  /**
   * A whole number from 0 to 2^53.
   *
   * @throws RangeError for what is none
   */
  number(value: number): void {
    if (!(value < Infinity)) throw new RangeError(`${value} cannot be written: expected a whole number`)
    this.#reserve(8)
    let rest = Math.max(0, value)
    while (rest > SEVEN_BITS) {
      this.#buffer[this.#length++] = (rest % 128) | CONTINUES
      rest = Math.floor(rest / 128)
    }
    this.#buffer[this.#length++] = rest
  }

  /** A whole number that may be negative. */
  signed(value: number): void {
    this.number(value < 0 ? -2 * value - 1 : 2 * value)
  }

  /** A number from 0 to 2^53, whose bytes are as good as random. */
  id(value: number): void {
    this.#reserve(ID_BYTES)
    this.#buffer.writeUIntLE(value % 2 ** 32, this.#length, 4)
    this.#buffer.writeUIntLE(Math.floor(value / 2 ** 32), this.#length + 4, 3)
    this.#length += ID_BYTES
  }

  text(value: string | null): void {
    if (value === null) {
      this.number(0)
      return
    }
    const bytes = Buffer.from(value)
    this.number(bytes.length + 1)
    this.append(bytes)
  }

  append(bytes: Buffer): void {
    this.#reserve(bytes.length)
    bytes.copy(this.#buffer, this.#length)
    this.#length += bytes.length
  }

  clear(): void {
    this.#length = 0
  }

  /** What was written; only until something else is. */
  get written(): Buffer {
    return this.#buffer.subarray(0, this.#length)
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#buffer.length) return
    const wider = Buffer.allocUnsafe(2 * (this.#buffer.length + bytes))
    this.#buffer.copy(wider, 0, 0, this.#length)
    this.#buffer = wider
  }
}

/** Reads what a `ByteWriter` has written. */
export class ByteReader {
  readonly #buffer: Buffer
  position = 0

  constructor(buffer: Buffer) {
    this.#buffer = buffer
  }

  get isAtEnd(): boolean {
    return this.position >= this.#buffer.length
  }

  /** @throws RangeError where the bytes end too soon */
  number(): number {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = this.#byte()
      value += (byte & SEVEN_BITS) * scale
      if (byte < CONTINUES) return value
    }
  }

  signed(): number {
    const value = this.number()
    return value % 2 === 1 ? -(value + 1) / 2 : value / 2
  }

  id(): number {
    const low = this.#buffer.readUIntLE(this.position, 4)
    const high = this.#buffer.readUIntLE(this.position + 4, 3)
    this.position += ID_BYTES
    return high * 2 ** 32 + low
  }

  text(): string | null {
    const length = this.number()
    if (length === 0) return null
    const from = this.position
    this.position += length - 1
    return this.#buffer.toString('utf8', from, this.position)
  }

  #byte(): number {
    const byte = this.#buffer[this.position]
    if (byte === undefined) throw new RangeError('a rollup ends too soon')
    this.position += 1
    return byte
  }
}
