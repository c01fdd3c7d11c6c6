import { randomBytes } from 'node:crypto'
import type { TraceOfOperation } from '../measurement.js'

/** The trace of an operation, whose id is made when somebody asks for it. */
export class TraceReference implements TraceOfOperation {
  /** Whether spans of it leave the process, so that it can be found where traces are kept. */
  isExported = false
  hasSlowPart = false
  #id: string | undefined

  constructor(id?: string) {
    this.#id = id
  }

  /** 32 hexadecimal digits. */
  get id(): string {
    return (this.#id ??= randomBytes(16).toString('hex'))
  }
}
