import { ResolverCall } from './call.js'
import type { Execution } from './execution.js'
import type { CallRecorder } from './recorder.js'

/** In the place of the execution of a call that is over, so that an object kept for the next call keeps nothing alive. */
const NO_EXECUTION = Object.create(null) as Execution

/**
 * One object that the calls without a context of their own use one after the other. It soon is an old one, so that what
 * is new is noted down in it as seldom as can be: V8 has to remember each time for garbage collection. It keeps the
 * execution of an operation that never ends until the next such call of another one.
 */
export class SpareCall {
  #call: ResolverCall | undefined

  take(execution: Execution, recorder: CallRecorder): ResolverCall {
    const call = this.#call
    if (call === undefined) return new ResolverCall(execution, recorder, false)
    this.#call = undefined
    if (call.execution !== execution) call.execution = execution
    call.recorder = recorder
    return call
  }

  /** Takes back a call that is over and that nobody knows of. */
  put(call: ResolverCall): void {
    call.reset()
    if (!call.execution.isRunning) call.execution = NO_EXECUTION
    this.#call = call
  }

  /** To be called for each execution that is over. */
  forget(execution: Execution): void {
    if (this.#call?.execution === execution) this.#call.execution = NO_EXECUTION
  }
}
