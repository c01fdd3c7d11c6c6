export type DriverProblem = 'silent' | 'no password' | 'no TLS' | 'not Postgres'

/** What pg says without a code where the address is wrong or something else is behind it. */
const messages: readonly (readonly [pattern: RegExp, problem: DriverProblem])[] = [
  [/timeout expired|timeout exceeded/, 'silent'],
  [/client password must be a (?:non-empty )?string/, 'no password'],
  [/does not support SSL/, 'no TLS'],
  [/terminated unexpectedly|invalid response|unexpected message/i, 'not Postgres']
]

export function driverProblem(error: Error): DriverProblem | undefined {
  return messages.find(([pattern]) => pattern.test(error.message))?.[1]
}
