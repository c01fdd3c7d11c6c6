/** What is asked, and how often in a round. */
export const shapesOf = {
  S: { query: '{ hello }', operations: 500 },
  M: { query: '{ users(n: 20) { id name email upper posts { id title } } }', operations: 100 },
  L: { query: '{ users(n: 500) { id name email upper posts { id title } } }', operations: 6 }
} as const

export type Shape = keyof typeof shapesOf

export interface Order {
  readonly shape: Shape
  readonly operations: number
}

export interface Report {
  /** Microseconds an operation. */
  readonly wall: number
  readonly cpu: number
}
