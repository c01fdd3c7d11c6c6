/** Of the service that writes. */
export const POOL_MAX = 8
export const APPLICATION = 'ledger'
