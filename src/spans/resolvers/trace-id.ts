import { randomBytes } from 'node:crypto'

/** The trace of an operation, whose id is made when somebody asks for it. */
export class TraceReference {
  #id: string | undefined

  constructor(id?: string) {
    this.#id = id
  }

  /** 32 hexadecimal digits. */
  get id(): string {
    return (this.#id ??= randomBytes(16).toString('hex'))
  }
}
