import type { Done } from './request.js'

/**
 * What `start` settles, as a promise. As pg does, the stack of its error leads to who asked, and not to the socket; it is
 * left alone where it already leads somewhere.
 */
export function promised<Result>(
  start: (settled: Done<Result>) => void,
  leadsSomewhere: (error: unknown) => boolean = () => false
): Promise<Result> {
  return new Promise<Result>((resolve, reject) => {
    start((error, result) => {
      if (error === undefined) resolve(result as Result)
      else reject(error)
    })
  }).catch((error: unknown) => {
    if (error instanceof Error && !leadsSomewhere(error)) recapture(error)
    throw error
  })
}

function recapture(error: Error): void {
  try {
    Error.captureStackTrace(error)
  } catch {
    // It is frozen, as the application may have made it, and comes out with the stack that it has.
  }
}
