import type { GraphQLResolveInfo } from 'graphql'

/** Who sends a statement. */
export interface Sender {
  readonly resolver: string
  readonly operation: string
}

/** Statements sent so far, each with its sender: what the monitor is compared with. */
export const sent: Sender[] = []

/** `text` with a comment that says who sends it. */
export function signed(text: string, sender: Sender): string {
  sent.push(sender)
  return `${text} /* ${sender.resolver} in ${sender.operation} */`
}

export function senderOf({ parentType, fieldName, operation }: GraphQLResolveInfo): Sender {
  return { resolver: `${parentType.name}.${fieldName}`, operation: operation.name?.value ?? 'anonymous' }
}
